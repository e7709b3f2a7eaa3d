"""Is a run what its events make it? They are folded again from nothing, and every difference is a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Final

import msgspec

from penstock.errors.run import EngineFault, UnknownRun
from penstock.errors.store import NewerEvent
from penstock.model.effect import VALUES_CHUNK
from penstock.model.event import Ended, about, kind
from penstock.model.plan import Plan
from penstock.model.run import Attempt, Run, Step
from penstock.model.status import RunStatus
from penstock.services.batch import attempt_of
from penstock.services.core import Core
from penstock.services.owed import Owed
from penstock.services.reading import load, plan_of, unstow
from penstock.services.refold import Folded, Refold
from penstock.store import inbox, outputs, runs, standing
from penstock.store.port import Tx

MOST: Final = 100
# What changes beside the events, and why it may.
BESIDE: Final = {
    "version": "it grows with each commit, however many events that took",
    "owner": "the process a run belongs to may die, and another adopts it",
}


class Verified(msgspec.Struct, frozen=True):
    """What came of folding a run's events again; no difference means that it is what they make it."""

    run: str
    events: int
    differences: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Does the store hold what the events come to?"""
        return not self.differences


def verify(core: Core, run_id: str) -> Verified:
    """Fold a run's events again and compare, on one view of the store. Raises UnknownRun."""
    plan = plan_of(core, load(core, run_id).run)
    return core.store.read(partial(_verify, core, plan, run_id))


def verify_all(core: Core) -> Iterator[Verified]:
    """Verify every run, newest first."""
    last = ""
    while found := core.store.read(partial(_page, last)):
        for run in found:
            yield verify(core, run.id)
        last = found[-1].id


def _page(last: str, tx: Tx) -> list[Run]:
    return runs.list_runs(tx, runs.Filter(every=True), 200, last)


def _verify(core: Core, plan: Plan, run_id: str, tx: Tx) -> Verified:
    row = standing.run(tx, run_id)
    if row is None:
        raise UnknownRun(f"There is no run {run_id}.")
    again = Refold(core, tx, plan, row.run)
    owed, tried = Owed(), dict[tuple[str, int], Attempt | None]()
    count = 0
    try:
        for folded in again.all():
            count += 1
            owed.take(folded)
            _note_attempt(again, folded, tried)
    except (EngineFault, NewerEvent) as stopped:
        return Verified(run_id, count, (str(stopped),))
    found = islice(_differences(core, tx, again, owed, tried, row), MOST + 1)
    told = tuple(found)
    if len(told) > MOST:
        told = (*told[:MOST], "And more, which are not listed.")
    return Verified(run_id, count, told)


def _note_attempt(again: Refold, folded: Folded, tried: dict[tuple[str, int], Attempt | None]) -> None:
    event = folded.told.event
    if not folded.told.accepted or not isinstance(event, Ended):
        return
    if folded.decision is None:
        tried.setdefault((event.step, event.attempt), None)  # a fault: nobody can tell how far it had been looked at
        return
    changed = {step.key: was for step, was in zip(folded.decision.steps, folded.before, strict=True)}
    was = changed[event.step] if event.step in changed else again.loaded.steps.get(event.step)
    tried.setdefault((event.step, event.attempt), attempt_of(event, was))


def _differences(
    core: Core,
    tx: Tx,
    again: Refold,
    owed: Owed,
    tried: dict[tuple[str, int], Attempt | None],
    row: standing.RunRow,
) -> Iterator[str]:
    yield from _run(again.run, row)
    yield from _steps(tx, again)
    yield from _attempts(tx, again, tried)
    yield from _outputs(core, tx, again)
    yield from _values(tx, again, owed)
    yield from _world(tx, again, owed)


def _run(made: Run, row: standing.RunRow) -> Iterator[str]:
    """The run and its columns; what changes beside the events is left out by name."""
    yield from _fields("The run", row.run, made, frozenset(BESIDE))
    for name in ("version", "status", "started_at", "ended_at"):
        column, body = getattr(row, name), getattr(row.run, name)
        if column != body:
            yield f"The run's column {name} is {_said(column)}, the run in its row says {_said(body)}."


def _steps(tx: Tx, again: Refold) -> Iterator[str]:
    left = again.steps
    for row in standing.steps(tx, again.run.id):
        made = left.pop(row.key, None)
        if made is None:
            yield f'Step "{row.key}" is in the store, but no event makes it.'
            continue
        yield from _fields(f'Step "{row.key}"', row.step, made)
        for name in ("key", "node", "status", "attempt"):
            column, body = getattr(row, name), getattr(row.step, name)
            if column != body:
                yield f'The column {name} of step "{row.key}" is {_said(column)}, the step says {_said(body)}.'
    for key, step in left.items():
        yield f'Step "{key}" is {step.status} by the events, but is not in the store.'


def _attempts(tx: Tx, again: Refold, tried: dict[tuple[str, int], Attempt | None]) -> Iterator[str]:
    left = dict(tried)
    for row in standing.attempts(tx, again.run.id):
        name = f'Attempt {row.number} of step "{row.step}"'
        if (row.step, row.number) not in left:
            if row.number > again.kept.get(row.step, -1):
                yield f"{name} is in the store, but no event ended it."
            continue
        made = left.pop((row.step, row.number))
        if made is not None:
            yield from _fields(name, row.attempt, made)
        if row.outcome is not row.attempt.outcome:
            yield f"{name} has the outcome {row.outcome} as a column, and {row.attempt.outcome} in itself."
    for step, number in left:
        yield f'Attempt {number} of step "{step}" has ended by the events, but is not in the store.'


def _outputs(core: Core, tx: Tx, again: Refold) -> Iterator[str]:
    """What the engine made is compared; what attempts handed on must belong to one that ended."""
    run_id = again.run.id
    for key, by_attempt in again.made.items():
        stored = {row.attempt: row for row in outputs.of_step(tx, run_id, key)}
        for attempt, made in by_attempt.items():
            row = stored.get(attempt)
            if row is None:
                yield f'The outputs that the engine made of step "{key}" (attempt {attempt}) are not in the store.'
            elif not _same(unstow(core, row), made):
                yield (
                    f'The outputs that the engine made of step "{key}" (attempt {attempt}) are'
                    f" {_said(unstow(core, row))} in the store, {_said(made)} by the events."
                )
    waiting = {about(one.event) for one in inbox.every(tx, run_id)}
    for step, attempt in standing.outputs(tx, run_id):
        known = attempt in again.made.get(step, {}) or again.shows(step, attempt) or (step, attempt) in waiting
        if not known:
            yield f'Attempt {attempt} of step "{step}" has outputs in the store, but no event ended it.'


def _values(tx: Tx, again: Refold, owed: Owed) -> Iterator[str]:
    for key, count in owed.values.items():
        stored = standing.values(tx, again.run.id, key)
        for chunk in range(-(-count // VALUES_CHUNK)):
            if not _same(stored.get(chunk), again.loaded.values[key, chunk]):
                first = chunk * VALUES_CHUNK
                yield f'The values of loop "{key}" from number {first} on are not those that it was begun with.'


def _world(tx: Tx, again: Refold, owed: Owed) -> Iterator[str]:
    """What must be there so that the run goes on: work, timers, its own words, its children."""
    run = again.run
    waiting = [one.event for one in inbox.every(tx, run.id)]
    heard = {about(event) for event in waiting}
    words = {(kind(event), *about(event)) for event in waiting}
    work = standing.work(tx, run.id)
    for step, attempt in owed.work:
        if (step, attempt) not in work and (step, attempt) not in heard:
            yield f"{_name(step, attempt)} was made ready, and is neither ready nor held nor answered."
    for step, attempt in sorted(work - owed.work.keys() - owed.asked):
        yield f"{_name(step, attempt)} may be claimed or is held, but no event made it ready."
    for step, attempt in sorted(owed.asked - work - heard):
        if _waits(again, step, attempt):
            yield f"{_name(step, attempt)} waits for a limit, but is not among those that wait."
    timers = standing.timers(tx, run.id)
    for (step, attempt, timer), at in owed.timers.items():
        found = timers.get((step, attempt, timer))
        if found is None and ("due", step, attempt) not in words:
            yield f'{_name(step, attempt)}: its timer "{timer}" is not set.'
        elif found is not None and found != at:
            yield f'{_name(step, attempt)}: its timer "{timer}" rings at {found}, by the events at {at}.'
    if run.status.ended and timers:
        yield f"The run has ended, and {len(timers)} timers of it are still set."
    for missing in sorted(owed.words - words):
        yield f'The run told itself "{missing[0]}" of step "{missing[1]}", and it is not among what waits.'
    yield from _children(tx, again, heard)


def _waits(again: Refold, key: str, attempt: int) -> bool:
    if not key:
        return again.run.status is RunStatus.QUEUED
    step = again.loaded.steps.get(key)
    return step is not None and step.attempt == attempt and bool(step.waits_for)


def _children(tx: Tx, again: Refold, heard: set[tuple[str, int]]) -> Iterator[str]:
    for step in again.steps.values():
        waits = bool(step.child) and step.status.open and (step.key, step.attempt) not in heard
        if waits and runs.version(tx, step.child) is None:
            yield f'Step "{step.key}" waits for run {step.child}, which does not exist.'


def _fields(
    name: str, stored: Run | Step | Attempt, made: Run | Step | Attempt, without: frozenset[str] = frozenset()
) -> Iterator[str]:
    if stored == made:
        return
    for field in stored.__struct_fields__:
        theirs, ours = getattr(stored, field), getattr(made, field)
        if field not in without and theirs != ours and not _same(theirs, ours):
            yield f"{name}: {field} is {_said(theirs)} in the store, {_said(ours)} by its events."


def _name(step: str, attempt: int) -> str:
    if not step:
        return f"Evaluation {attempt} of the run's outputs" if attempt else "The run"
    return f'Attempt {attempt} of step "{step}"'


def _same(one: object, other: object) -> bool:
    """Are two values one as the store keeps them?"""
    return bool(_kept(one) == _kept(other))


def _kept(value: object) -> object:
    return msgspec.json.decode(msgspec.json.encode(value))


def _said(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 200 else f"{text[:197]}…"
