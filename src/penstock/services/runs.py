"""How do people start, kill, restart and replay runs? Each verb is an event or a new run; each says who did it."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from penstock.engine import Decision, Loaded, advance, keep
from penstock.engine.replay import untouched
from penstock.errors.run import NothingToRestart, UnknownRun
from penstock.model import ids
from penstock.model.access import Action
from penstock.model.event import Event, Kill, Replayed, Restart
from penstock.model.inputs import is_sealed
from penstock.model.plan import Plan
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.services import starting
from penstock.services.access import audited
from penstock.services.batch import Batch, Recorded
from penstock.services.commit import After
from penstock.services.core import Core
from penstock.services.inputs import typed_inputs
from penstock.services.reading import RunMoved, load, on_one_version, plan_of, with_parts
from penstock.services.render import calls_in
from penstock.services.secrets.given import opened_inputs, sealed
from penstock.services.starting import Beginning, Start
from penstock.services.unanswered import repeat_unknown
from penstock.store import attempts, feed, inbox, outputs, runs
from penstock.store.port import Tx
from penstock.telemetry import traces

__all__ = ["Copied", "Start", "kill", "replay", "restart", "start", "tell"]


class Copied(msgspec.Struct, frozen=True):
    """The run, and its version, of which a replay keeps something: `steps` by key, with their newest attempt."""

    run: str
    version: int
    steps: dict[str, int]


@audited(Action.RUNS_START, "runs.start", "{plan.flow.name}", namespace="{plan.flow.namespace}")
def start(core: Core, plan: Plan, asked: Start) -> str:
    """Start a run and give its id; a key said before gives the run it made then. Raises InvalidInput, CheckUnmet."""
    return starting.insert(core, [starting.begin(core, plan, asked)])[0]


@audited(Action.RUNS_OPERATE, "runs.kill", run="run_id", keeps=("force",))
def kill(core: Core, run_id: str, by: str, *, force: bool = False) -> None:
    """End a run and its child runs: gracefully, or by force. Killing an ended run does nothing. Raises UnknownRun."""
    tell(core, run_id, Kill(by, force))


@audited(Action.RUNS_OPERATE, "runs.restart", run="run_id")
def restart(core: Core, run_id: str, by: str) -> None:
    """Let an ended run go on from what did not succeed. Raises UnknownRun, NothingToRestart."""
    run = load(core, run_id).run
    if not run.status.ended:
        raise NothingToRestart(f"Run {run_id} is {run.status}: only an ended run can be restarted.")
    if run.status is RunStatus.SUCCESS:
        raise NothingToRestart(f"Everything in run {run_id} succeeded.", hint="Use `replay` to run it once more.")
    if run.open:
        hint = "Wait for them, or end them with `penstock runs kill`."
        raise NothingToRestart(f"{run.open} steps of run {run_id} still run beside its end.", hint=hint)
    if plan_of(core, run).flow.language.version == "0.20" and run.status is RunStatus.KILLED:
        raise NothingToRestart(f"Run {run_id} was killed, and Kestra 0.20 does not restart killed runs.")
    tell(core, run_id, Restart(by))


@audited(Action.RUNS_START, "runs.replay", run="run_id", keeps=("from_step", "alone"))
def replay(
    core: Core, run_id: str, by: str, *, from_step: str = "", asked: Start | None = None, alone: bool = False
) -> str:
    """Start a new run like an old one, anew or from one of its steps on; given inputs replace the old ones.

    What came before the step is kept with its attempts and outputs; with `alone` what came after it is, too. Raises
    UnknownRun, UnknownStep, InvalidInput.
    """
    asked = asked or Start()
    now = core.clock.now()
    was = load(core, run_id).run
    plan = plan_of(core, was)
    given = opened_inputs(core, plan.flow, was.inputs, set()) | asked.inputs
    typed = typed_inputs(plan.flow, given, calls_in(core, was.namespace, set()), strict=True)
    inputs = sealed(core, plan.flow, typed, {name for name, value in was.inputs.items() if is_sealed(value)})
    labels = was.labels | asked.labels
    fresh = replace(
        untouched(was),
        id=ids.run_id(now // 1000, core.entropy()),
        created_at=now,
        inputs=inputs,
        labels=labels,
        origin=was.origin or run_id,
        owner=asked.owner,
        started_by=by,
        trace=asked.trace if core.knobs.traces and traces.read(asked.trace) else "",
    )
    while from_step:
        try:
            return _replay_from(core, run_id, fresh, (from_step, alone), asked.key)
        except RunMoved:
            pass  # it went on while it was copied: what is kept of it is to be decided anew
    return starting.insert(core, [starting.begun(core, plan, fresh, asked.key)])[0]


def _replay_from(core: Core, old: str, fresh: Run, at: tuple[str, bool], key: str) -> str:
    now = fresh.created_at
    from_step, alone = at

    def ask(loaded: Loaded) -> tuple[Batch, Copied]:
        def decided() -> tuple[Replayed, Loaded, Decision]:
            event, begun = keep(loaded, fresh, from_step, fresh.started_by, alone=alone)
            return event, begun, advance(begun, event, now)

        event, begun, decision = with_parts(core, loaded, decided)
        batch = Batch(begun, new=True)
        batch.take(Recorded(event, now), decision)
        begun.every = False
        return batch, Copied(old, loaded.run.version, {step.key: step.attempt for step in event.steps})

    batch, copied = on_one_version(core, old, ask)
    return starting.insert(core, [Beginning(batch, key, lambda tx: _copy(tx, copied, fresh.id))])[0]


def _copy(tx: Tx, copied: Copied, new: str) -> None:
    """Give a replay the attempts, outputs and loop values of the steps that it keeps. Raises RunMoved."""
    old, kept = copied.run, copied.steps
    tried = [attempt for attempt in attempts.every(tx, old) if attempt.number <= kept.get(attempt.step, -1)]
    attempts.append(tx, new, tried)
    for key, output in outputs.every(tx, old).items():
        if output.attempt <= kept.get(key, -1):
            outputs.put(tx, new, key, output.attempt, output.body or "", output.uri or "")
    outputs.copy_values(tx, old, new)
    # Looked at last: what was read above belongs to this version only when it still stands.
    if runs.version(tx, old) != copied.version:
        raise RunMoved(old)


def tell(core: Core, run_id: str, event: Event) -> None:
    """Let a run know of an operator's word, and decide what follows. Raises UnknownRun."""
    now = core.clock.now()

    def work(tx: Tx) -> bool:
        if runs.load(tx, run_id) is None:
            raise UnknownRun(f"There is no run {run_id}.")
        feed.append(tx, [("event", run_id, now)], now)
        return inbox.put(tx, run_id, event, now)

    repeat_unknown(core, lambda: core.store.write(work))
    starting.follow_up(core, After(fold={run_id}))
