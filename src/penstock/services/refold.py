"""What does a run come to when its events are folded again, from nothing? Decided as at first, one after the other.

A run is a function of its revision and its events: each decision sees the run as the events before it made it, the
outputs of those attempts whose end was told, and the event's own instant; nothing else. What decisions can see that
stands in no event are the outputs that attempts handed on, and, in a replay, the loop values copied from the old run:
these are read from the store as they were handed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from penstock.engine import Decision, Loaded, NotLoaded, advance
from penstock.errors.run import EngineFault
from penstock.model.effect import Forget, Produce
from penstock.model.event import ChildEnded, Ended, Fault, Replayed, kind
from penstock.model.plan import Plan
from penstock.model.run import Run, Step
from penstock.model.status import RunStatus
from penstock.services.core import Core
from penstock.services.reading import absorb, unstow
from penstock.store import events, outputs
from penstock.store.events import Told
from penstock.store.port import Tx

T = TypeVar("T")
PAGE: Final = 2_000
MOST_OUTPUTS: Final = 1_000
# What a run is given with its row, before anything has happened to it; all else follows from its events.
BORN_WITH: Final = (
    "id", "namespace", "flow", "revision", "created_at", "inputs", "labels", "trigger", "priority", "logical_date",
    "interval_start", "interval_end", "parent", "depth", "origin", "number", "first_at", "owner", "started_by",
    "lane", "trace",
)  # fmt: skip


class Folded(msgspec.Struct, frozen=True):
    """An event and what was decided upon it; `was` and `before` are the run and the changed steps as they stood.

    Of a refused event, and of one that could not be decided when it happened (a fault follows it), there is none.
    """

    told: Told
    was: Run
    before: tuple[Step | None, ...] = ()
    decision: Decision | None = None


class Refold:
    """A run on its way through its events; opens as it was born, and `steps` and `run` are where it stands."""

    def __init__(self, core: Core, tx: Tx, plan: Plan, stored: Run) -> None:
        self._core = core
        self._tx = tx
        self._id = stored.id
        self.loaded = Loaded(plan, born(plan, stored), every=True)
        self.made: dict[str, dict[int, dict[str, object]]] = {}
        self.kept: dict[str, int] = {}
        self._ended: dict[str, set[int]] = {}

    @property
    def run(self) -> Run:
        """The run as the events so far made it."""
        return self.loaded.run

    @property
    def steps(self) -> dict[str, Step]:
        """Every step as the events so far made it, by key."""
        return {key: step for key, step in self.loaded.steps.items() if step is not None}

    def all(self) -> Iterator[Folded]:
        """Fold every event of the story. Raises NewerEvent, and EngineFault for one that cannot be decided again."""
        for told, faulted in with_faults(_story(self._tx, self._id)):
            yield self.fold(told, faulted=faulted)

    def fold(self, told: Told, *, faulted: bool = False) -> Folded:
        """Take the next event. Raises EngineFault."""
        if not told.accepted:
            return Folded(told, self.run)
        self._hear(told)
        if faulted:
            return Folded(told, self.run)
        was = self.run
        decision = self._with_parts(lambda: self._decide(told))
        before = tuple(self.loaded.steps.get(step.key) for step in decision.steps)
        absorb(self.loaded, decision)
        for effect in decision.effects:
            match effect:
                case Produce(step, attempt, made):
                    self.made.setdefault(step, {})[attempt] = made
                    self.loaded.outputs[step] = made
                case Forget(iteration):
                    self._forget(iteration)
                case _:
                    pass
        if len(self.loaded.outputs) > MOST_OUTPUTS:
            self.loaded.outputs.clear()
        return Folded(told, was, before, decision)

    def shows(self, step: str, attempt: int) -> bool:
        """May decisions see what this attempt handed on: has its end been told, or was it kept of an older run?"""
        return attempt in self._ended.get(step, ()) or attempt <= self.kept.get(step, -1)

    def _hear(self, told: Told) -> None:
        match told.event:
            case Ended(step=step, attempt=attempt) | ChildEnded(step=step, attempt=attempt):
                self._ended.setdefault(step, set()).add(attempt)
                self.loaded.outputs.pop(step, None)
            case Replayed(steps=steps):
                self.kept = {step.key: step.attempt for step in steps}
            case _:
                pass

    def _decide(self, told: Told) -> Decision:
        try:
            return advance(self.loaded, told.event, told.at)
        except NotLoaded:
            raise
        except Exception as error:  # whatever it is, it is what is to be told
            sentence = f'Event {told.id} "{kind(told.event)}" cannot be decided again: {type(error).__name__}: {error}'
            raise EngineFault(sentence) from error

    def _with_parts(self, ask: Callable[[], T]) -> T:
        while True:
            try:
                return ask()
            except NotLoaded as need:
                for key in need.outputs:
                    self.loaded.outputs[key] = self._output(key)
                if need.values is not None:
                    self.loaded.values[need.values] = outputs.values_chunk(self._tx, self._id, *need.values)

    def _output(self, key: str) -> dict[str, object] | None:
        """What the newest attempt handed on of those that may be seen."""
        made = self.made.get(key, {})
        seen = {row.attempt: row for row in outputs.of_step(self._tx, self._id, key) if self.shows(key, row.attempt)}
        newest = max((*seen, *made), default=None)
        if newest is None:
            return None
        return made[newest] if newest in made else unstow(self._core, seen[newest])

    def _forget(self, iteration: str) -> None:
        inside = f"{iteration}/"
        for key in [key for key in self.loaded.steps if key == iteration or key.startswith(inside)]:
            del self.loaded.steps[key]


def born(plan: Plan, stored: Run) -> Run:
    """A run as it was before anything had happened to it; labels that missed service levels gave it are taken off."""
    given = {name for level in plan.flow.sla if level.id in stored.breached for name in level.labels}
    fresh = Run(status=RunStatus.QUEUED, **{name: getattr(stored, name) for name in BORN_WITH})
    return replace(fresh, labels={name: value for name, value in stored.labels.items() if name not in given})


def with_faults(story: Iterable[Told]) -> Iterator[tuple[Told, bool]]:
    """Each event in order, and whether the next accepted one says that it could not be decided."""
    waiting: list[Told] = []
    for told in story:
        if waiting and told.accepted:
            yield waiting[0], isinstance(told.event, Fault)
            yield from ((refused, False) for refused in waiting[1:])
            waiting.clear()
        if waiting or told.accepted:
            waiting.append(told)
        else:
            yield told, False
    yield from ((left, False) for left in waiting)


def _story(tx: Tx, run_id: str) -> Iterator[Told]:
    last = -1
    while page := events.page(tx, run_id, last, PAGE):
        yield from page
        last = page[-1].id
