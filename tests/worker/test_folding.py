"""Is an event folded once, however many processes see it waiting?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from penstock.clock import SystemClock
from penstock.model.event import Ended
from penstock.model.status import Outcome
from penstock.services.cache import RunCache
from penstock.services.fold import fold
from penstock.store import events, inbox, queue
from tests.worker.workshop import Workshop, shell


class Interrupted(SystemClock):
    """The real clock, with something that happens elsewhere just before it is read for the first time."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self._meanwhile: list[Callable[[], object]] = [meanwhile]

    def now(self) -> int:
        """The wall clock."""
        while self._meanwhile:
            self._meanwhile.pop()()
        return super().now()


def test_an_event_that_another_process_folds_between_two_reads_is_told_once(workshop: Workshop) -> None:
    run_id = workshop.start(shell("one", "true"))
    (held,) = workshop.store.write(lambda tx: queue.claim(tx, "elsewhere", 1, 0))
    ended = Ended(step="one", attempt=1, outcome=Outcome.DONE, worker="elsewhere", fence=held.fence)
    workshop.store.write(
        lambda tx: (
            queue.give_back(tx, run_id, "one", 1, held.fence),
            inbox.put(tx, run_id, ended, workshop.core.clock.now()),
        )
    )
    clock = Interrupted(lambda: fold(workshop.core, run_id))
    beside = dataclasses.replace(workshop.core, clock=clock, cache=RunCache())

    fold(beside, run_id)

    told = workshop.store.read(lambda tx: events.every(tx, run_id))
    assert sum(isinstance(one.event, Ended) for one in told) == 1
    assert workshop.of(run_id).status == "success"
