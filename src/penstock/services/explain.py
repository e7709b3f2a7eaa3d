"""Why did a run go as it went? Its story: what happened, what was decided by which rule, what it then waited for.

Nothing of this is stored: the events are folded again, and each decision tells its rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import msgspec
from msgspec.structs import replace

from penstock.engine.rule import sentence
from penstock.errors import nearest
from penstock.errors.run import UnknownRun, UnknownStep
from penstock.model.event import Ended, about, kind
from penstock.model.plan import ROOT, Plan
from penstock.model.run import Step
from penstock.model.status import RunStatus, StepStatus
from penstock.services.core import Core
from penstock.services.happened import happened
from penstock.services.reading import load, plan_of
from penstock.services.refold import Folded, Refold
from penstock.store import runs
from penstock.store.port import Tx


class Decided(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an event made of a step (of the run: the empty key), and because of which rules.

    `old` is empty for a step that is born, `new` for one of which only something was noted; `attempt` is its newest.
    """

    step: str
    old: str = ""
    new: str = ""
    attempt: int = 0
    because: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


class Waited(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a step (the run: the empty key) waited for from then on, and for how many microseconds (None: still)."""

    step: str
    what: str
    micros: int | None = None


class Chapter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event: at which instant (microseconds), which, who said it, whether it was accepted, what followed.

    `worked` is how long the attempt that ended had worked, `told_after` how long after that its worker said so,
    `folded_after` how long at least it waited until it was decided upon; each in microseconds, where known.
    """

    event: int
    at: int
    kind: str
    step: str
    attempt: int
    happened: str
    accepted: bool
    worker: str = ""
    worked: int | None = None
    told_after: int | None = None
    folded_after: int | None = None
    decided: tuple[Decided, ...] = ()
    waited: tuple[Waited, ...] = ()


class Story(msgspec.Struct, frozen=True):
    """A run's story, whole or that of one step with the groups around it and what lies in it."""

    run: str
    namespace: str
    flow: str
    revision: int
    status: str
    step: str
    chapters: tuple[Chapter, ...]
    step_status: str = ""


def explain(core: Core, run_id: str, step: str = "") -> Story:
    """Tell a run's story. Raises UnknownRun, UnknownStep, NewerEvent, and EngineFault where it cannot be retold."""
    plan = plan_of(core, load(core, run_id).run)
    return core.store.read(partial(_explain, core, plan, run_id, step))


def _explain(core: Core, plan: Plan, run_id: str, step: str, tx: Tx) -> Story:
    run = runs.load(tx, run_id)
    if run is None:
        raise UnknownRun(f"There is no run {run_id}.")
    again = Refold(core, tx, plan, run)
    waits = Waits()
    chapters: list[Chapter] = []
    latest, became = 0, ""
    for folded in again.all():
        waits.take(len(chapters), folded)
        chapters.append(_chapter(folded, latest))
        if folded.told.accepted:
            latest = max(latest, folded.told.at)
    chapters = [replace(one, waited=waits.of(number)) for number, one in enumerate(chapters)]
    if step:
        if step not in again.loaded.steps:
            hint = nearest(step, list(again.steps)) or "`penstock runs show` names them."
            raise UnknownStep(f'The run has no step "{step}".', hint=hint)
        chapters = _about(plan, step, chapters)
        row = again.steps.get(step)
        became = row.status.value if row else ""
    return Story(run.id, run.namespace, run.flow, run.revision, run.status.value, step, tuple(chapters), became)


def _chapter(folded: Folded, latest: int) -> Chapter:
    told = folded.told
    step, attempt = about(told.event)
    chapter = Chapter(
        event=told.id,
        at=told.at,
        kind=kind(told.event),
        step=step,
        attempt=attempt,
        happened=happened(told.event),
        accepted=told.accepted,
        worker=told.worker,
        folded_after=latest - told.at if told.accepted and latest > told.at else None,
        decided=tuple(_decided(folded)),
    )
    event = told.event
    if isinstance(event, Ended) and event.started_at is not None and event.ended_at is not None:
        worked, late = event.ended_at - event.started_at, told.at - event.ended_at
        chapter = replace(chapter, worked=worked, told_after=late if late > 0 else None)
    return chapter


def _decided(folded: Folded) -> Iterable[Decided]:
    """Each step of which something was decided or noted, in the order in which that was; the run comes last."""
    decision = folded.decision
    if decision is None:
        return []
    found: dict[str, Decided] = {}
    for noted in decision.rules:
        key, rule, _ = noted
        known = found.get(key, Decided(key))
        if rule.name.lower() not in known.rules[-1:]:
            because = (*known.because, sentence(noted))
            found[key] = replace(known, because=because, rules=(*known.rules, rule.name.lower()))
    for step, was in zip(decision.steps, folded.before, strict=True):
        old = was.status.value if was else ""
        if was is None or old != step.status or was.attempt != step.attempt:
            known = found.get(step.key, Decided(step.key))
            found[step.key] = replace(known, old=old, new=step.status.value, attempt=step.attempt)
    if decision.run.status is not folded.was.status:
        known = found.get(ROOT, Decided(ROOT))
        found[ROOT] = replace(known, old=folded.was.status.value, new=decision.run.status.value)
    last = [found.pop(ROOT)] if ROOT in found else []
    return [*found.values(), *last]


class Waits:
    """Who waits for what since when; opens empty, takes each event, and gives by chapter what was waited for."""

    def __init__(self) -> None:
        self._told: dict[int, list[Waited]] = {}
        self._open: dict[str, tuple[int, int, int]] = {}
        self._last: dict[str, tuple[int, int, int]] = {}

    def take(self, number: int, folded: Folded) -> None:
        """Close the waits that an event ended, and open those that it began."""
        decision, told = folded.decision, folded.told
        if decision is None:
            return
        event = told.event
        if isinstance(event, Ended) and event.started_at is not None and event.step in self._last:
            self._shorten(*self._last[event.step], event.started_at)
        for step, was in zip(decision.steps, folded.before, strict=True):
            what = _waits_for(step)
            if was is not None and what == _waits_for(was) and step.attempt == was.attempt:
                continue
            began = event.started_at if isinstance(event, Ended) and event.step == step.key else None
            self._close(step.key, told.at if began is None else began)
            if what:
                self._begin(number, step.key, what, told.at)
        if decision.run.reason != folded.was.reason:
            self._close(ROOT, told.at)
            if decision.run.status is RunStatus.QUEUED and decision.run.reason:
                self._begin(number, ROOT, decision.run.reason.removeprefix("waits for "), told.at)

    def of(self, number: int) -> tuple[Waited, ...]:
        """What was waited for since a chapter."""
        return tuple(self._told.get(number, ()))

    def _begin(self, number: int, key: str, what: str, at: int) -> None:
        waits = self._told.setdefault(number, [])
        self._open[key] = (number, len(waits), at)
        waits.append(Waited(key, what))

    def _close(self, key: str, at: int) -> None:
        if key in self._open:
            self._last[key] = number, place, since = self._open.pop(key)
            waits = self._told[number]
            waits[place] = replace(waits[place], micros=max(0, at - since))

    def _shorten(self, number: int, place: int, since: int, began: int) -> None:
        """A wait for a worker was over when its attempt began, which is told only once that has ended, maybe long after
        its step was marked or killed.
        """
        waits = self._told[number]
        wait = waits[place]
        if wait.what == "a worker" and wait.micros is not None and since <= began < since + wait.micros:
            waits[place] = replace(wait, micros=began - since)


def _waits_for(step: Step) -> str:
    """What a step waits for as it stands; nothing for one that is over, and for a group that is gone through."""
    if step.held:
        return "the run to go on"
    if step.waits_for:
        return f"room in {', '.join(step.waits_for)}"
    match step.status:
        case StepStatus.RETRYING:
            return "its next try"
        case StepStatus.SNOOZED:
            return "its next look" if step.group is None else "its next iteration"
        case StepStatus.PAUSED:
            return "somebody, or its time"
        case StepStatus.QUEUED | StepStatus.RUNNING if step.evaluating:
            return "a worker to evaluate its expressions"
        case StepStatus.QUEUED:
            return "a worker"
        case StepStatus.RUNNING if step.child:
            return f"the run {step.child}"
        case _:
            return ""


def _about(plan: Plan, step: str, chapters: Iterable[Chapter]) -> list[Chapter]:
    """The part of a story that is one step's: it, the groups around it, and what lies in it."""

    def mine(key: str) -> bool:
        return key in around or step in (key, *(plan.ancestors(key) if key else ()))

    around = {step, *plan.ancestors(step)}
    found = []
    for chapter in chapters:
        decided = tuple(one for one in chapter.decided if mine(one.step))
        if any(one.step != ROOT or one.new for one in decided) or (chapter.step and mine(chapter.step)):
            waited = tuple(one for one in chapter.waited if mine(one.step))
            found.append(replace(chapter, decided=decided, waited=waited))
    return found
