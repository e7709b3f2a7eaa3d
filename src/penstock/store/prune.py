"""What is no longer kept? Runs ended before an instant, with all that is theirs; the caller deletes their blobs."""

from __future__ import annotations

from typing import Final

import msgspec

from penstock.model.policy import SECOND
from penstock.store import cached, kv, limits, stats
from penstock.store.port import Store, Tx

BATCH: Final = 100
FEED_LIFE: Final = 2 * 86_400 * SECOND
# Runs go last: if we die on the way, they are found again.
THEIRS: Final = ("steps", "loop_values", "due", "inbox", "events", "attempts", "outputs", "metrics", "cached", "runs")


class Pruned(msgspec.Struct, frozen=True):
    """What was removed, and the addresses of blobs that nothing names any more."""

    runs: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()
    log_chunks: int = 0


def prune(store: Store, before: int, now: int, *, feed_before: int | None = None) -> Pruned:
    """Remove runs that ended before an instant, expired values, old rows of the feed; others go on between batches."""
    runs: list[str] = []
    blobs: list[str] = []
    chunks = 0
    while True:
        gone = store.write(lambda tx: prune_runs(tx, before))
        if not gone.runs:
            break
        chunks += store.logs.forget(gone.runs)
        runs += gone.runs
        blobs += gone.blobs
    store.write(lambda tx: kv.expire(tx, now))
    store.write(lambda tx: limits.tidy(tx, store.lease_now()))
    store.write(lambda tx: cached.expire(tx, now))
    store.forget_feed(max(before, now - FEED_LIFE) if feed_before is None else feed_before)
    store.tend()
    return Pruned(tuple(runs), tuple(blobs), chunks)


def prune_runs(tx: Tx, before: int, limit: int = BATCH) -> Pruned:
    """Remove one batch of runs with all their rows but the logs; on PostgreSQL history goes day by day in `tend`."""
    gone = [str(run) for (run,) in tx.all("prune.ended", before=before, limit=limit)]
    if gone:
        stats.removing(tx, before)
    return remove(tx, gone)


def remove(tx: Tx, runs: list[str]) -> Pruned:
    """Remove these runs, which have ended, with all their rows but the logs."""
    if not runs:
        return Pruned()
    blobs = [str(uri) for (uri,) in tx.all("prune.blobs", runs=runs)]
    for table in THEIRS:
        tx.many(f"prune.{table}", [{"runs": runs}])
    return Pruned(tuple(runs), tuple(blobs))


def forget_metrics(tx: Tx, runs: list[str]) -> int:
    """Remove the numbers that these runs recorded; gives how many."""
    return tx.run("prune.metrics", runs=runs)
