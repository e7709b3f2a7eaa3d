"""Is every run of a store what its events make it, and counted as it ended? Asked at the close of tests with runs."""

from __future__ import annotations

from penstock.model.access import EVERYWHERE
from penstock.services.core import Core
from penstock.services.verify import verify_all
from penstock.store import stats
from penstock.store.port import Tx
from penstock.store.stats import Ends, Place, Span

LATE = 10_000_000


def check_verified(core: Core) -> None:
    """Fold every run again from nothing, count them all, and fail with each difference to what is stored."""
    check_counted(core)
    wrong = [f"{one.run}: {sentence}" for one in verify_all(core) for sentence in one.differences]
    assert not wrong, "\n".join(["A run is not what its events make it:", *wrong])


def check_counted(core: Core) -> None:
    """Fail where runs are not counted, each once, as they ended; what is not summed up yet is among it."""
    told, counted = core.store.read(_both)
    assert told == counted, "runs are counted otherwise than they ended"


def _both(tx: Tx) -> tuple[list[Ends], list[Ends]]:
    first = stats.first_whole(tx)
    told, _ = stats.page(tx, EVERYWHERE, Span(since=first, until=LATE), Place(), 1_000_000)
    return [each for each in told if each.runs], stats.counted(tx, first)
