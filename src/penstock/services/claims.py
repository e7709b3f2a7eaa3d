"""Which attempts may this worker do now? Claimed rows are running; neither runs nor steps are touched."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.services.core import Core
from penstock.store import feed, queue
from penstock.store.port import Tx
from penstock.store.queue import DEFAULT_QUEUE, Claim, Cursor


def claim(
    core: Core, worker: str, room: int, cursor: Cursor | None = None, queues: Sequence[str] = (DEFAULT_QUEUE,)
) -> list[Claim]:
    """Take up to `room` ready attempts of some queues; each comes with a fence that its report must show.

    `cursor` is what `queue.advance` gave after the claim before: it spares PostgreSQL the rows that were just claimed.
    """
    now = core.clock.now()

    def work(tx: Tx) -> list[Claim]:
        taken = queue.claim(tx, worker, room, now, cursor, queues)
        if taken:
            feed.append(tx, [("claim", f"{held.run}/{held.step}", held.fence) for held in taken], now)
        return taken

    taken = core.store.write(work)
    for held in taken:
        core.fronts[held.queue, held.owner, held.priority] = held.place
    return taken


def still_held(core: Core, worker: str) -> list[Claim]:
    """What the store says this worker holds: what settles a claim whose COMMIT got no answer."""
    return core.store.read(lambda tx: queue.held(tx, worker))
