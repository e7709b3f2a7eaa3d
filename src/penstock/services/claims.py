"""Which attempts may this worker do now? Claimed rows are running; neither runs nor steps are touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from penstock.model.policy import SECOND
from penstock.services.core import Core
from penstock.store import feed, queue, runs
from penstock.store.port import Tx
from penstock.store.queue import DEFAULT_QUEUE, Claim, Cursor
from penstock.telemetry import Level


class Taken(NamedTuple):
    """What was claimed, and for runs that this process did not know what was seen of the run and the claim's step."""

    claims: Sequence[Claim] = ()
    seen: Sequence[tuple[str, runs.Seen]] = ()


def claim(
    core: Core, worker: str, room: int, cursor: Cursor | None = None, queues: Sequence[str] = (DEFAULT_QUEUE,)
) -> list[Claim]:
    """Take up to `room` ready attempts of some queues; each comes with a fence that its report must show."""
    return [*take(core, worker, room, cursor, queues).claims]


def take(
    core: Core, worker: str, room: int, cursor: Cursor | None = None, queues: Sequence[str] = (DEFAULT_QUEUE,)
) -> Taken:
    """Take them, and look behind COMMIT at the runs that are to be begun.

    `cursor` is what `queue.advance` gave after the claim before: it spares PostgreSQL the rows that were just claimed.
    """
    now = core.clock.now()

    def work(tx: Tx) -> Taken:
        taken = queue.claim(tx, worker, room, now, cursor, queues)
        if taken:
            feed.append(tx, [("claim", f"{held.run}/{held.step}", held.fence) for held in taken], now)
        strange = {held.run: held.step for held in taken if not core.cache.holds(held.run)}
        return Taken(taken, [(step, runs.with_step_behind(tx, run, step)) for run, step in strange.items()])

    began = core.clock.steady()
    taken = core.store.write(work)
    if taken.claims:
        seconds = (core.clock.steady() - began) / SECOND
        core.notices.say(
            "attempts.claimed", now, Level.DEBUG, worker=worker, attempts=len(taken.claims), seconds=seconds
        )
    for held in taken.claims:
        core.fronts[held.queue, held.owner, held.priority] = held.place
    return taken


def still_held(core: Core, worker: str) -> list[Claim]:
    """What the store says this worker holds: what settles a claim whose COMMIT got no answer."""
    return core.store.read(lambda tx: queue.held(tx, worker))
