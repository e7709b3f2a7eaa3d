"""How do people meddle with a run that goes, or went? Pause, resume, mark, skip; each is an event that says by whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from penstock.engine import Loaded
from penstock.errors import nearest
from penstock.errors.run import NothingToMark, NothingToPause, NothingToRestart, NotResumable, UnknownStep
from penstock.model import ids
from penstock.model.access import Action
from penstock.model.event import Hold, Mark, Restart, Resume
from penstock.model.node import Pause
from penstock.model.run import Run, Step
from penstock.model.status import RunStatus, StepStatus
from penstock.services.access import audited
from penstock.services.core import Core
from penstock.services.inputs import typed_inputs
from penstock.services.reading import load, on_one_version, with_parts
from penstock.services.render import calls_in
from penstock.services.runs import tell
from penstock.services.secrets.given import sealed
from penstock.store import steps

MARKS: Final = (
    StepStatus.SUCCESS,
    StepStatus.WARNING,
    StepStatus.FAILED,
    StepStatus.SKIPPED,
    StepStatus.KILLED,
    StepStatus.CANCELLED,
)


@audited(Action.RUNS_OPERATE, "runs.pause", run="run_id")
def pause(core: Core, run_id: str, by: str) -> None:
    """Pause a run: what runs may end, nothing more begins. Raises UnknownRun, NothingToPause."""
    run = load(core, run_id).run
    if run.status.ended or run.status is RunStatus.KILLING:
        ended = "has ended" if run.status.ended else "is being ended"
        raise NothingToPause(f"Run {run_id} is {run.status}: what {ended} cannot be paused.")
    if run.held_by:
        hint = "`penstock runs resume` lets it go on."
        raise NothingToPause(f"Run {run_id} is paused already, by {run.held_by}.", hint=hint)
    tell(core, run_id, Hold(by))


@audited(Action.RUNS_OPERATE, "runs.resume", run="run_id", keeps=("step",))
def resume(
    core: Core, run_id: str, by: str, *, step: str = "", inputs: Mapping[str, object] | None = None
) -> list[Step]:
    """Let a run that is paused go on, or a pause of it; gives the pauses that were let go.

    Without a step: the run when somebody paused it, else the one pause that it waits at. Inputs are typed as the pause
    declares them. Raises UnknownRun, NotResumable, InvalidInput.
    """
    loaded = load(core, run_id)
    run = loaded.run
    if run.held_by and not step:
        if inputs:
            raise NotResumable(f"Run {run_id} was paused by {run.held_by}, and takes no inputs.")
        tell(core, run_id, Resume(by))
        return []
    pauses = [one for one in core.store.read(lambda tx: steps.open_steps(tx, run_id)) if _waits(one)]
    waiting = [one for one in pauses if not step or one.key == step]
    if len(waiting) != 1:
        raise _not_one(run, step, pauses)
    paused = waiting[0]
    node = loaded.plan.node(paused.node)
    assert isinstance(node, Pause)
    _may_resume(node, by)
    asking = replace(loaded.plan.flow, inputs=node.inputs)
    calls = calls_in(core, asking.namespace, set())
    typed = typed_inputs(asking, inputs or {}, calls, strict=True, of=f'"{paused.key}"')
    tell(core, run_id, Resume(by, paused.key, paused.attempt, sealed(core, asking, typed)))
    return [paused]


@audited(Action.RUNS_OPERATE, "runs.mark", run="run_id", keeps=("status", "step", "reason"))
def mark(core: Core, run_id: str, by: str, status: StepStatus, *, step: str = "", reason: str = "") -> None:
    """Say how a step ended, or how an ended run did; the run goes on from the step. Raises UnknownRun, UnknownStep,
    NothingToMark.
    """
    loaded = load(core, run_id)
    run = loaded.run
    if status not in MARKS:
        raise NothingToMark(f'Nothing can be marked as "{status}": use one of {", ".join(MARKS)}.')
    if run.status is RunStatus.RETRIED:
        raise NothingToMark(f"Run {run_id} was retried as {run.successor}, which stands in its place.")
    if not step:
        if not run.status.ended or status is StepStatus.SKIPPED:
            why = "a run cannot be skipped" if run.status.ended else "it has not ended; `runs kill` ends it"
            raise NothingToMark(f"Run {run_id} cannot be marked as {status}: {why}.")
    else:
        _check_step(core, loaded, step, status)
    tell(core, run_id, Mark(by, status, step, reason))


@audited(Action.RUNS_OPERATE, "runs.skip", run="run_id", keeps=("step",))
def skip(core: Core, run_id: str, by: str, step: str) -> None:
    """Skip a step: now when it is under way or failed, or when its turn comes. Raises as `mark` does."""
    mark(core, run_id, by, StepStatus.SKIPPED, step=step)


@audited(Action.RUNS_OPERATE, "runs.restart_parts", run="run_id", keeps=("parts",))
def restart_parts(core: Core, run_id: str, by: str, parts: list[str]) -> None:
    """Do steps again that an attempt of an ended run had reported (keys such as `dbt#orders`), and nothing else.

    Raises UnknownRun, UnknownStep, NothingToRestart.
    """
    run = load(core, run_id).run
    known = {step.key for step in core.store.read(lambda tx: steps.every(tx, run_id))}
    for part in parts:
        if part not in known or not ids.part_of(part):
            hint = nearest(part, [key for key in known if "#" in key])
            raise UnknownStep(f'No attempt of run {run_id} has reported a step "{part}".', hint=hint)
    if not run.status.ended or run.open:
        raise NothingToRestart(f"Run {run_id} is {run.status}, or steps of it still run: it can be restarted later.")
    tell(core, run_id, Restart(by, tuple(parts)))


def _waits(step: Step) -> bool:
    return step.status is StepStatus.PAUSED


def _not_one(run: Run, step: str, pauses: list[Step]) -> NotResumable:
    named = ", ".join(f'"{one.key}"' for one in pauses)
    if step:
        hint = nearest(step, [one.key for one in pauses]) or (f"It waits at {named}." if named else "")
        return NotResumable(f'"{step}" of run {run.id} is not paused.', hint=hint)
    if pauses:
        return NotResumable(f"Run {run.id} waits at {len(pauses)} pauses: {named}.", hint="Name one of them.")
    if run.status.ended:
        return NotResumable(
            f"Run {run.id} has ended, as {run.status}.", hint="`penstock runs restart` goes on with it."
        )
    return NotResumable(f"Run {run.id} is {run.status}, and nothing in it waits.")


def _may_resume(node: Pause, by: str) -> None:
    if node.resumers and by not in node.resumers and by.partition("@")[0] not in node.resumers:
        raise NotResumable(f'"{node.id}" may be resumed by {", ".join(node.resumers)}, not by {by}.')


def _check_step(core: Core, loaded: Loaded, key: str, status: StepStatus) -> None:
    """Refuse what the engine would leave as it is, and say why. Raises UnknownStep, NothingToMark."""
    run = loaded.run
    known = loaded.plan.seats
    if "#" in key or ids.node_of(key) not in known:
        path, slash, last = key.rpartition("/")
        hint = nearest(last, known).replace('"', f'"{path}{slash}', 1) or "`penstock runs show` names its steps."
        raise UnknownStep(f'The flow has no step "{key}".', hint=hint)
    step = on_one_version(core, run.id, lambda newest: with_parts(core, newest, lambda: newest.step(key)))
    begun = step is not None and step.status is not StepStatus.WAITING
    if not begun and (run.status.ended or status is not StepStatus.SKIPPED):
        others = core.store.read(lambda tx: [each.key for each in steps.every(tx, run.id)])
        alike = [each for each in others if each != key and ids.node_of(each) == ids.node_of(key)]
        why = (
            f"in run {run.id}, which is {run.status}" if run.status.ended else "yet: until then it can only be skipped"
        )
        hint = f'There is "{alike[0]}".' if alike else ""
        raise NothingToMark(f'"{key}" has not begun {why}.', hint=hint)
    if step is not None and step.status.ended and (not run.status.ended or run.open):
        raise NothingToMark(f'"{key}" is {step.status}, and its run still goes: mark it once the run has ended.')
