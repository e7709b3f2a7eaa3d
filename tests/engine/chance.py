"""What may happen to a run in whichever order? Attempts that are held, timers that ring, words late and doubled."""

from __future__ import annotations

from collections import Counter, deque
from copy import deepcopy
from typing import Final

import msgspec
from hypothesis import strategies as st

from penstock.engine import Decision, NotLoaded, advance
from penstock.model.effect import (
    AskLimit,
    Effect,
    Ready,
    Recall,
    Release,
    StartAgain,
    StartChild,
    Tell,
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
    Held,
    Hold,
    Kill,
    Mark,
    Part,
    Refused,
    Reported,
    Restart,
    Resume,
    kind,
)
from penstock.model.flow import Flow
from penstock.model.plan import AFTER, FINALLY, ROOT
from penstock.model.policy import SECOND, WhenFull
from penstock.model.run import ErrorKind, Failure, Phase, Run, Step
from penstock.model.status import Outcome, RunStatus, StepStatus
from tests.engine import rules
from tests.engine.tale import Tale

OUTCOMES: Final = [
    *[Outcome.DONE] * 6, *[Outcome.FAILED] * 3, Outcome.LOST, Outcome.SNOOZED, Outcome.WARNING, Outcome.SKIPPED,
]  # fmt: skip
SETTLED: Final = (RunStatus.SUCCESS, RunStatus.WARNING, RunStatus.FAILED)
ENDS_OF_CHILDREN: Final = (RunStatus.SUCCESS, *SETTLED, RunStatus.KILLED, RunStatus.CANCELLED, RunStatus.RETRIED)
VALUES: Final[dict[str, object]] = {
    "runIf": "true", "condition": "", "value": "a", "values": ["v", "w"], "o": "out", "delay": "PT3S",
    "namespace": "tests", "flow": "other", "inputs": {}, "labels": {},
}  # fmt: skip
OPERATED: Final = (Restart, Admitted, Mark)
VERBS: Final = ("kill", "restart", "hold", "resume", "resume", "mark", "mark run", "parts")
MARKED: Final = (
    StepStatus.SUCCESS, StepStatus.WARNING, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.KILLED,
    StepStatus.CANCELLED,
)  # fmt: skip
Asked = tuple[str, int]


class Chance:
    """A run driven by draws: what is open in the world, what was said, and what had ended."""

    def __init__(self, flow: Flow, data: st.DataObject) -> None:
        self.tale = Tale(flow)
        self.data = data
        self.held: dict[Asked, Work] = {}
        self.claimed: set[Asked] = set()
        self.children: dict[Asked, StartChild] = {}
        self.waits: list[Asked] = []
        self.slots: set[Asked] = set()
        self.mail: deque[Event] = deque()
        self.said: list[Event] = []
        self.met: Counter[str] = Counter()

    def happen(self) -> None:
        """Let one thing happen that may happen now, or that has happened before."""
        able = ["time"] + ["again"] * bool(self.said)
        able += ["end"] * 4 * bool(self.held) + ["child"] * 2 * bool(self.children) + ["admit"] * 2 * bool(self.waits)
        able += ["claim"] * bool(self.held) + ["report"] * bool(self.held)
        operates = self.data.draw(st.integers(0, 7)) == 7
        what = self.data.draw(st.sampled_from([*VERBS] if operates else able))
        match what:
            case "time":
                self.pass_time(self.data.draw(st.integers(1, 15)) * SECOND)
            case "again":
                self.tell(self.data.draw(st.sampled_from(self.said)))
            case "end":
                self.end(self.data.draw(st.sampled_from(sorted(self.held))), self.data.draw(st.sampled_from(OUTCOMES)))
            case "child":
                key = self.data.draw(st.sampled_from(sorted(self.children)))
                self.child(key, self.data.draw(st.sampled_from(ENDS_OF_CHILDREN)))
            case "admit":
                self.admit(self.data.draw(st.sampled_from(self.waits)), self.data.draw(st.booleans()))
            case "claim":
                self.claimed.add(self.data.draw(st.sampled_from(sorted(self.held))))
            case "report":
                self.report(*self.data.draw(st.sampled_from(sorted(self.held))))
            case _:
                self.operate(what)

    def operate(self, verb: str) -> None:
        """Let an operator say something, whether it fits or not."""
        draw, tale = self.data.draw, self.tale
        match verb:
            case "kill":
                self.tell(Kill("chance", draw(st.booleans())))
            case "restart":
                self.tell(Restart("chance"))
            case "hold":
                self.tell(Hold("chance"))
            case "resume":
                paused = [step for step in rules.rows_of(tale) if step.status is StepStatus.PAUSED]
                step = draw(st.sampled_from([None, *paused]))
                at = (step.key, step.attempt) if step is not None else ("", 0)
                self.tell(Resume("chance", *at, {"answer": 42} if step is not None else {}))
            case "mark":
                key = draw(st.sampled_from(sorted({*tale.plan.seats, *(step.key for step in rules.rows_of(tale))})))
                self.tell(Mark("chance", draw(st.sampled_from(MARKED)), key))
            case "mark run":
                status = draw(st.sampled_from([each for each in MARKED if each is not StepStatus.SKIPPED]))
                self.tell(Mark("chance", status))
            case _:
                parts = sorted(key for key in tale.steps if "#" in key)
                if parts:
                    self.tell(Restart("chance", (draw(st.sampled_from(parts)),)))

    def drain(self) -> None:
        """Let everything that is under way end well, until nothing is."""
        if self.tale.run.held_by:
            self.tell(Resume("drain"))
        for _ in range(3000):
            paused = [step for step in rules.rows_of(self.tale) if step.status is StepStatus.PAUSED]
            if self.held:
                self.end(min(self.held), Outcome.DONE)
            elif self.children:
                self.child(min(self.children), RunStatus.SUCCESS)
            elif self.waits:
                self.admit(self.waits[0], wants=True)
            elif self.tale.timers:
                self.pass_time(SECOND)
            elif paused:
                self.tell(Resume("drain", paused[0].key, paused[0].attempt))
            else:
                return
        raise AssertionError("the run goes on for ever")

    def end(self, key: Asked, outcome: Outcome) -> None:
        """End an attempt that a worker holds."""
        work, (step, attempt) = self.held.pop(key), key
        self.claimed.discard(key)
        failure = Failure(ErrorKind.TASK, "chance") if outcome is Outcome.FAILED else None
        if work is Work.EVALUATE and outcome is not Outcome.LOST:
            self.tell(Evaluated(step, attempt, VALUES, failure))
            return
        until = self.tale.now + SECOND if outcome is Outcome.SNOOZED else None
        if work is not Work.TASK and outcome in (Outcome.SNOOZED, Outcome.WARNING, Outcome.SKIPPED):
            outcome = Outcome.DONE
        self.tell(
            Ended(step=step, attempt=attempt, outcome=outcome, worker="w", started_at=self.tale.now, failure=failure,
                  until=until)
        )  # fmt: skip

    def report(self, step: str, attempt: int) -> None:
        """Have an attempt tell of a part of what it does."""
        if self.held[step, attempt] is Work.TASK:
            status = self.data.draw(st.sampled_from([StepStatus.RUNNING, StepStatus.SUCCESS, StepStatus.FAILED]))
            name = self.data.draw(st.sampled_from(["one", "a/b[2]#c"]))
            self.tell(Reported(step, attempt, len(self.said), (Part(name, status),)))

    def child(self, key: Asked, status: RunStatus) -> None:
        """End a child run, or have one exist that nobody waits for; a retried one may be followed by another."""
        asked, (step, attempt) = self.children[key], key
        if not asked.parent.wait:
            status = RunStatus.QUEUED
        if status is not RunStatus.RETRIED:
            del self.children[key]
        first = asked.id if self.data.draw(st.booleans()) else ""
        self.tell(ChildEnded(step, attempt, asked.id, status, first=first))

    def admit(self, who: Asked, wants: bool) -> None:
        """Say that there is room, or, now and then, that there is none."""
        self.waits.remove(who)
        if wants:
            self.slots.add(who)
            self.tell(Admitted("tests.chance", *who))
        else:
            full = self.data.draw(st.sampled_from([WhenFull.CANCEL, WhenFull.FAIL]))
            self.tell(Refused("tests.chance", full, *who))

    def pass_time(self, micros: int) -> None:
        """Let timers ring, in any order."""
        self.tale.now += micros
        due = sorted(key for key, at in self.tale.timers.items() if at <= self.tale.now)
        for step, attempt, timer in self.data.draw(st.permutations(due)) if len(due) > 1 else due:
            if self.tale.timers.pop((step, attempt, timer), None) is not None:
                self.tell(Due(step, attempt, timer))

    def tell(self, event: Event) -> None:
        """Put an event behind those that wait, and let each happen in its turn."""
        self.mail.append(event)
        while self.mail:
            self.decide(self.mail.popleft())

    def decide(self, event: Event) -> None:
        """Decide twice, from all that is known and from no more than is asked for; then check what must hold."""
        before, was = dict(self.tale.steps), self.tale.run
        whole = decided_with_everything(self.tale, event)
        decision = self.tale.decide(event)
        assert same(whole, decision), f"what is loaded changes what is decided upon {event}"
        self.tale.take(decision)
        self.said.append(event)
        self.met[kind(event)] += 1
        for effect in decision.effects:
            self.act(effect)
        self.check(event, was, before, decision)

    def act(self, effect: Effect) -> None:
        """Do what a worker and a store would."""
        match effect:
            case Ready(step, attempt, work):
                assert (step, attempt) not in self.held, f"{step} {attempt} is ready twice"
                assert not rules.is_limited(self.tale, step) or work is Work.EVALUATE or (step, attempt) in self.slots
                self.held[step, attempt] = work
            case Withdraw(steps):
                self.take_back(steps)
            case Recall():
                for key in [key for key in self.held if key not in self.claimed and key[0] != ROOT]:
                    if self.data.draw(st.booleans()):
                        del self.held[key]
                        self.mail.append(Held(*key))
            case StartChild(parent=parent):
                self.children[parent.step, parent.attempt] = effect
            case AskLimit(step=step, attempt=attempt):
                assert (step, attempt) not in self.waits or not step, f"{step} {attempt} asks twice"
                self.waits.append((step, attempt))
            case Release(step, attempt):
                self.slots.discard((step, attempt))
            case Tell(event):
                self.mail.append(event)
            case StartAgain(successor):
                assert successor == self.tale.run.successor
            case _:
                pass

    def take_back(self, steps: tuple[str, ...]) -> None:
        """End what is ready or waits for a limit; what a worker has it will say some time."""
        for key in [key for key in self.held if key[0] in steps and key not in self.claimed]:
            if self.data.draw(st.booleans()):
                self.claimed.add(key)
                continue
            del self.held[key]
            self.mail.append(Ended(step=key[0], attempt=key[1], outcome=Outcome.KILLED))
        for key in [key for key in self.waits if key[0] in steps and key[0]]:
            self.waits.remove(key)
            self.mail.append(Ended(step=key[0], attempt=key[1], outcome=Outcome.KILLED))

    def check(self, event: Event, was: Run, before: dict[str, Step], decision: Decision) -> None:
        """Whatever happened, these hold."""
        tale = self.tale
        rules.hold(tale)
        if not isinstance(event, OPERATED):
            assert not was.status.ended or tale.run.status is was.status, f"{event} moved a run that was {was.status}"
            self.ended_stays(event, before, anew=tale.run.redone > was.redone)
        for key, step in tale.steps.items():
            self.check_step(key, step, before.get(key))
        for asked in self.held:
            row = tale.steps.get(asked[0])
            assert not asked[0] or asked in self.claimed or (row is not None and row.attempt >= asked[1]), asked
        if tale.run.held_by:
            begun = [e for e in decision.effects if isinstance(e, StartChild) or (isinstance(e, Ready) and e.step)]
            assert not begun, f"a run that {tale.run.held_by} has paused begins {begun}"
        back = msgspec.json.decode(msgspec.json.encode(tale.run), type=Run)
        assert back == tale.run
        if tale.run.status in SETTLED and not was.status.ended:
            self.finally_ran()
        if tale.run.status.ended and not was.status.ended and was.status is not RunStatus.QUEUED:
            self.after_ran()

    def ended_stays(self, event: Event, before: dict[str, Step], *, anew: bool) -> None:
        """What had ended has not moved, unless it lies in what began anew or is not kept."""
        for key, step in before.items():
            now = self.tale.steps.get(key)
            if now is None or (anew and now.status is StepStatus.WAITING) or "#" in key:
                continue
            if any(around and before[around].status is StepStatus.WAITING for around in self.tale.plan.ancestors(key)):
                continue  # a restart has left the group half done, and its turn has come
            moved = (now.status, now.attempt) != (step.status, step.attempt)
            assert not (step.status.ended and moved), f"{event} moved {key} from {step.status} to {now.status}"

    def check_step(self, key: str, step: Step, was: Step | None) -> None:
        """Attempts only grow, and there are no more tries than the policy allows."""
        assert step.attempt >= (was.attempt if was is not None else 0), f"{key} goes back to attempt {step.attempt}"
        policy = rules.policy(self.tale, step)
        most = policy.max_attempts if policy and policy.max_attempts and not policy.new_run else 1
        assert step.group is not None or step.tries <= most, f"{key} was tried {step.tries} times of {most}"

    def finally_ran(self) -> None:
        """A run that was not killed did everything of its finally."""
        tale = self.tale
        began = bool(tale.run.root.counts)
        for node in tale.plan.children(ROOT, FINALLY) if began else ():
            assert tale.steps[node.id].status.ended, f"{node.id} never ran"

    def after_ran(self) -> None:
        """However the run ends, and killed too, the tasks after its end have run, unless they were given up."""
        root, tale = self.tale.run.root, self.tale
        if root.closing or tale.run.status is RunStatus.RETRIED:
            return
        for node in tale.plan.children(ROOT, AFTER):
            assert root.phase is Phase.AFTER and tale.steps[node.id].status.ended, f"{node.id} never ran"


def decided_with_everything(tale: Tale, event: Event) -> Decision:
    """What the engine decides when all of the run lies before it, and the event happens twice to the same."""
    loaded = tale.scope_of_everything()
    again = deepcopy(loaded)
    try:
        first, second = advance(loaded, event, tale.now), advance(again, event, tale.now)
    except NotLoaded as need:
        raise AssertionError(f"everything is not enough: {need.__dict__}") from need
    assert first == second, "the same question had two answers"
    assert loaded.steps == again.steps and loaded.run == again.run
    return first


def same(one: Decision, other: Decision) -> bool:
    """Are two decisions one, but for the order of what has none?"""
    return (
        one.run == other.run
        and {step.key: step for step in one.steps} == {step.key: step for step in other.steps}
        and sorted(map(_plain, one.effects)) == sorted(map(_plain, other.effects))
    )


def _plain(effect: Effect) -> str:
    if isinstance(effect, Withdraw):
        effect = Withdraw(tuple(sorted(effect.steps)), effect.force)
    return repr(effect)


def begin(chance: Chance) -> None:
    """Begin the run."""
    chance.tell(Begin(by="chance"))
