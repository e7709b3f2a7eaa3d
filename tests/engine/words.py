"""How does a story say what happens, and what the world must do? One line each, both ways."""

from __future__ import annotations

import re

import msgspec
import yaml

from penstock.model.effect import (
    Announce,
    AskLimit,
    Effect,
    Forget,
    KeepValues,
    KillChild,
    Produce,
    Ready,
    Recall,
    Release,
    SetTimer,
    StartAgain,
    StartChild,
    Tell,
    TellParent,
    Want,
    Withdraw,
    Work,
)
from penstock.model.event import (
    Admitted,
    Begin,
    ChildEnded,
    Due,
    Ended,
    Evaluated,
    Event,
    Exit,
    Expand,
    Held,
    Hold,
    Kill,
    Mark,
    Order,
    Part,
    Refused,
    Reported,
    Restart,
    Resume,
    SetVariables,
    Timer,
    UnsetVariables,
)
from penstock.model.ids import child_run_id
from penstock.model.policy import SECOND, WhenFull
from penstock.model.run import ErrorKind, Failure
from penstock.model.status import Outcome, RunStatus, StepStatus
from tests.engine.outline import micros
from tests.engine.tale import BEGAN, Tale

ABOUT = re.compile(r"(?P<key>[^ #]*)(?:#(?P<attempt>\d+))? (?P<word>[a-z]+)(?: (?P<rest>.*))?")


def event(tale: Tale, line: str) -> tuple[Event, dict[str, object] | None]:
    """What a line such as `a failed exit 3`, `a#1 done {rows: 7}` or `kill by ann` says, with outputs if it has any."""
    first, _, rest = line.partition(" ")
    match first:
        case "begin" if rest.startswith("and fail because "):
            return Begin(failure=Failure(ErrorKind.INPUT, rest.removeprefix("and fail because "))), None
        case "begin":
            return Begin(by=rest.removeprefix("by ")), None
        case "admitted":
            return Admitted(tale.plan.flow.name), None
        case "refused":
            return Refused(tale.plan.flow.name, WhenFull(rest)), None
        case "kill":
            return Kill(rest.removeprefix("by ").removesuffix(" with force"), rest.endswith(" with force")), None
        case "restart":
            by, _, parts = rest.removeprefix("by ").partition(" of ")
            return Restart(by, tuple(parts.split())), None
        case "hold":
            return Hold(rest.removeprefix("by ")), None
        case "resume":
            return Resume(rest.removeprefix("by ")), None
        case "mark":
            what, _, by = rest.partition(" by ")
            key, _, status = what.rpartition(" ")
            return Mark(by, StepStatus(status), key.removeprefix("run")), None
        case _:
            return _about_step(tale, line)


def _about_step(tale: Tale, line: str) -> tuple[Event, dict[str, object] | None]:
    found = ABOUT.fullmatch(line)
    assert found, f"{line!r} says nothing that can happen"
    key, word, rest = found["key"].removesuffix("root"), found["word"], found["rest"] or ""
    attempt = int(found["attempt"]) if found["attempt"] else _newest(tale, key)
    match word:
        case "admitted":
            return Admitted(key, key, attempt), None
        case "refused":
            return Refused(key, WhenFull(rest), key, attempt), None
        case "evaluated":
            return Evaluated(key, attempt, _data(rest)), None
        case "unevaluated":
            return Evaluated(key, attempt, {}, Failure(ErrorKind.EXPRESSION, rest or "It cannot be rendered.")), None
        case "child":
            status, _, made = rest.partition(" ")
            child = child_run_id(tale.run.id, key, attempt)
            if status == "unstarted":
                gone = Failure(ErrorKind.SUBFLOW, made)
                return ChildEnded(key, attempt, child, RunStatus.FAILED, gone, started=False), None
            failure = Failure(ErrorKind.TASK, made) if status == "failed" else None
            return ChildEnded(key, attempt, child, RunStatus(status), failure), None
        case "successor":
            first = child_run_id(tale.run.id, key, attempt)
            return ChildEnded(key, attempt, child_run_id(first, "", 2), RunStatus(rest), first=first), None
        case "held":
            return Held(key, attempt), None
        case "resumed":
            by, _, inputs = rest.removeprefix("by ").partition(" with ")
            return Resume(by, key, attempt, _data(inputs)), None
        case "reports":
            parts = tuple(_part(name, str(told)) for name, told in _data(rest).items())
            return Reported(key, attempt, len(tale.said), parts), None
        case "opened":
            worker = rest.removeprefix("by ")
            return Ended(step=key, attempt=attempt, outcome=Outcome.DONE, worker=worker, ended_at=tale.now), None
        case "rings":
            return Due(key, attempt, Timer(rest)), None
        case "expands":
            return Expand(key, int(rest)), None
        case "sets" | "adds" | "unsets" | "drops" | "exits":
            rest, *more = rest.split(" and ")
            told = [(word, rest), *((each.partition(" ")[0], each.partition(" ")[2]) for each in more)]
            orders = tuple(_order(*each) for each in told)
            ended = Ended(step=key, attempt=attempt, outcome=Outcome.DONE, ended_at=tale.now, orders=orders)
            return ended, None
        case _:
            return _ended(tale, key, attempt, Outcome(word), rest)


def _ended(tale: Tale, key: str, attempt: int, outcome: Outcome, rest: str) -> tuple[Event, dict[str, object] | None]:
    failure, until = None, None
    if outcome is Outcome.FAILED:
        kind, _, detail = rest.partition(" ")
        exit_code = int(detail) if kind == "exit" else None
        failure = Failure(ErrorKind(kind) if kind else ErrorKind.TASK, "it fails", exit_code)
    if outcome is Outcome.SNOOZED and rest:
        until = tale.now + micros(rest)
    ended = Ended(step=key, attempt=attempt, outcome=outcome, failure=failure, until=until, ended_at=tale.now)
    return ended, _data(rest) if outcome is Outcome.DONE else None


def _order(word: str, rest: str) -> Order:
    """What a done attempt orders: `sets` and `adds` variables, `unsets` and `drops` (if they are there), `exits`."""
    match word:
        case "exits":
            return Exit(StepStatus(rest))
        case "sets" | "adds":
            return SetVariables(_data(rest), overwrite=word == "sets")
        case _:
            return UnsetVariables(tuple(rest.split()), ignore_missing=word == "drops")


def _part(name: str, told: str) -> Part:
    """One thing that an attempt reports: how it stands and, after that, a message."""
    status, _, message = told.partition(" ")
    return Part(name, StepStatus(status), message=message)


def _newest(tale: Tale, key: str) -> int:
    if not key:
        return tale.run.root.evaluation
    assert key in tale.steps, f"there is no step {key}; there are {sorted(tale.steps)}"
    return tale.steps[key].attempt


def _data(text: str) -> dict[str, object]:
    found = yaml.safe_load(text or "{}")
    assert isinstance(found, dict)
    return found


def line(effect: Effect) -> str:
    """An effect as a story writes it."""
    match effect:
        case Ready(step, attempt, work, worker):
            word = "ready" if work is Work.TASK else str(work)
            return f"{word} {step or 'root'} {attempt}" + (f" for {worker}" if worker else "")
        case Withdraw(steps, force):
            return "withdraw " + " ".join(step or "root" for step in sorted(steps)) + (" by force" if force else "")
        case SetTimer(step, attempt, timer, at):
            return f"timer {timer} {step or 'root'} {attempt} at {(at - BEGAN) / 1e6:g}s"
        case StartChild(parent=parent, flow=flow, depth=depth, at=at):
            later = f" not before {at / SECOND:g}s" if at else ""
            return f"start {flow} for {parent.step} {parent.attempt} at depth {depth}{later}"
        case KillChild(by=by, force=force):
            return f"kill child by {by}" + (" with force" if force else "")
        case TellParent(parent=parent, status=status):
            return f"tell {parent.step} {parent.attempt} {status}"
        case Produce(step, attempt, outputs):
            return f"produce {step} {attempt} {msgspec.json.encode(outputs).decode()}"
        case KeepValues(step, values):
            shown = msgspec.json.encode(values).decode()
            return f"keep {step} {shown if len(shown) < 60 else len(values)}"
        case AskLimit(wants, step, attempt):
            asked = " and ".join(_want(want) for want in wants)
            return f"ask {asked}" + (f" for {step} {attempt}" if step else "")
        case Release(step, attempt):
            return f"release {step} {attempt}"
        case StartAgain(_, at):
            return f"start again at {(at - BEGAN) / 1e6:g}s"
        case Recall():
            return "recall"
        case Forget(iteration):
            return f"forget {iteration}"
        case Tell(Expand(step, cursor)):
            return f"expand {step} from {cursor}"
        case Tell(event=other):
            raise AssertionError(f"a run tells itself {other}")
        case Announce(status):
            return f"announce {status}"


def _want(want: Want) -> str:
    limit = want.limit
    many = f"{limit.weight}" if limit.weight > 1 else "one"
    if not limit.count:
        return f"{want.name} for {many}"
    return f"{want.name} for {many} of {limit.count}" + (f" in {limit.window / 1e6:g}s" if limit.window else "")
