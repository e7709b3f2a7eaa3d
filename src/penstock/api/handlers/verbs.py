"""What can be done with runs? Each verb is a service's; the answer is the run as it stands after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from penstock.api import cursors
from penstock.api.handlers.runs import detail
from penstock.api.route import Answer, Call
from penstock.api.shapes.runs import RunDetail, micros
from penstock.api.shapes.verbs import (
    BulkAnswer,
    BulkAsked,
    BulkDone,
    BulkRefused,
    BulkVerb,
    KillAsked,
    MarkAsked,
    ReplayAsked,
    RestartAsked,
    ResumeAsked,
    RunStart,
    SkipAsked,
)
from penstock.errors.api import BadRequest, Unfitting
from penstock.errors.run import UnknownFlow, UnknownRun
from penstock.model.status import RunStatus
from penstock.services import bulk, flows, operate
from penstock.services import runs as verbs
from penstock.services.core import Core
from penstock.services.reading import load
from penstock.services.runs import Start
from penstock.store import runs
from penstock.store.runs import Filter
from penstock.telemetry.traces import HEADER

KEY: Final = "idempotency-key"
LONGEST_KEY: Final = 200
_GOING: Final = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.RETRYING)
# Which runs a verb means where no status is said; none: all.
USUAL: Final[dict[BulkVerb, tuple[RunStatus, ...]]] = {
    BulkVerb.KILL: _GOING,
    BulkVerb.PAUSE: _GOING,
    BulkVerb.RESUME: _GOING,
    BulkVerb.RESTART: (RunStatus.FAILED, RunStatus.KILLED, RunStatus.CANCELLED),
    BulkVerb.REPLAY: (),
}


def start_run(call: Call[None, RunStart]) -> Answer:
    """Start a run, or give the one that the same key started."""
    asked = call.body
    key = _key(call, f"{asked.namespace}.{asked.flow}")
    known = call.core.store.glance(lambda tx: runs.by_key(tx, key)) if key else None
    if known:
        return Answer(detail(call.core, load(call.core, known).run), 200, headers=_place(known))
    try:
        plan = flows.newest_plan(call.core, asked.namespace, asked.flow, asked.revision)
    except UnknownFlow as error:
        # the hint names flows that who asks may not see
        raise UnknownFlow(error.sentence) from None
    wanted = Start(
        inputs=asked.inputs,
        labels=asked.labels,
        priority=asked.priority,
        logical_date=micros(asked.logical_date),
        interval_start=micros(asked.interval_start),
        interval_end=micros(asked.interval_end),
        key=key,
        by=call.by,
        trace=call.headers.get(HEADER, ""),
    )
    return _new(call, verbs.start(call.core, plan, wanted))


def kill_run(call: Call[None, KillAsked]) -> RunDetail:
    """End a run and those that it started."""
    verbs.kill(call.core, call.run.id, call.by, force=call.body.force)
    return _now(call)


def pause_run(call: Call[None, None]) -> RunDetail:
    """Let nothing more of a run begin."""
    operate.pause(call.core, call.run.id, call.by)
    return _now(call)


def resume_run(call: Call[None, ResumeAsked]) -> RunDetail:
    """Let a paused run, or a pause of it, go on."""
    operate.resume(call.core, call.run.id, call.by, step=call.body.step, inputs=call.body.inputs)
    return _now(call)


def restart_run(call: Call[None, RestartAsked]) -> RunDetail:
    """Let an ended run go on from what did not succeed."""
    if call.body.only:
        operate.restart_parts(call.core, call.run.id, call.by, list(call.body.only))
    else:
        verbs.restart(call.core, call.run.id, call.by)
    return _now(call)


def replay_run(call: Call[None, ReplayAsked]) -> Answer:
    """Start a new run like this one."""
    asked = call.body
    if asked.alone and not asked.from_step:
        raise Unfitting("`alone` needs the step that is to be done again.", hint='Say it as "from".')
    key = _key(call, call.run.id)
    wanted = Start(inputs=asked.inputs, labels=asked.labels, key=key)
    made = verbs.replay(call.core, call.run.id, call.by, from_step=asked.from_step, asked=wanted, alone=asked.alone)
    return _new(call, made)


def mark_run(call: Call[None, MarkAsked]) -> RunDetail:
    """Say how a step, or an ended run, ended."""
    asked = call.body
    operate.mark(call.core, call.run.id, call.by, asked.status, step=asked.step, reason=asked.reason)
    return _now(call)


def skip_step(call: Call[None, SkipAsked]) -> RunDetail:
    """Skip a step."""
    operate.skip(call.core, call.run.id, call.by, call.body.step)
    return _now(call)


def deal_with_runs(call: Call[None, BulkAsked]) -> BulkAnswer:
    """Do one thing to many runs: those named, or all that fit."""
    asked = call.body
    if bool(asked.ids) == (asked.query is not None):
        raise Unfitting("Name runs by `ids`, or say which by `query`; not both.")
    if asked.query:
        wanted = asked.query.filter()
        wanted = replace(wanted, statuses=wanted.statuses or USUAL[asked.verb])
    else:
        wanted = Filter(ids=asked.ids)
    found, more = bulk.chosen(call.core, call.scope, wanted, cursors.read(asked.cursor, str) or "")
    named = [run.id for run in found]
    strange = [_unknown(each) for each in dict.fromkeys(asked.ids) if each not in set(named)]
    dealt = bulk.Dealt(tuple((each, each) for each in named), ())
    if not asked.dry_run:
        dealt = bulk.deal(named, _act(call.core, asked, call.by))
    return BulkAnswer(
        dry_run=asked.dry_run,
        done=[BulkDone(run=each, gave=gave) for each, gave in dealt.done],
        refused=[*strange, *(_refused(each) for each in dealt.refused)],
        next=cursors.written(named[-1]) if more else "",
    )


def _unknown(run_id: str) -> BulkRefused:
    return BulkRefused(run=run_id, code=UnknownRun.code, detail=f"There is no run {run_id[:100]}.", hint="")


def _refused(each: bulk.Refused) -> BulkRefused:
    problem = each.problem
    return BulkRefused(run=each.run, code=problem.code, detail=problem.sentence, hint=problem.hint)


def _act(core: Core, asked: BulkAsked, by: str) -> Callable[[str], str]:
    """What is done to one of many; gives the run that it made, or the same."""

    def act(run_id: str) -> str:
        match asked.verb:
            case BulkVerb.KILL:
                verbs.kill(core, run_id, by, force=asked.force)
            case BulkVerb.PAUSE:
                operate.pause(core, run_id, by)
            case BulkVerb.RESUME:
                operate.resume(core, run_id, by)
            case BulkVerb.RESTART:
                verbs.restart(core, run_id, by)
            case BulkVerb.REPLAY:
                return verbs.replay(core, run_id, by)
        return run_id

    return act


def _key(call: Call[None, object], about: str) -> str:
    said = call.headers.get(KEY, "")
    if len(said) > LONGEST_KEY:
        raise BadRequest(f"An Idempotency-Key has at most {LONGEST_KEY} characters.")
    return f"http/{about}/{said}" if said else ""


def _now(call: Call[None, object]) -> RunDetail:
    return detail(call.core, load(call.core, call.run.id).run)


def _new(call: Call[None, object], run_id: str) -> Answer:
    return Answer(detail(call.core, load(call.core, run_id).run), 201, headers=_place(run_id))


def _place(run_id: str) -> dict[str, str]:
    return {"Location": f"/v1/runs/{run_id}"}
