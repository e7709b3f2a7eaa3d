"""Do runs end as planned when the way to PostgreSQL is cut at COMMIT, slow, or silent without being closed?"""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from tests.chaos.proxy import CUT_AFTER, CUT_BEFORE, Faults, Proxy
from tests.chaos.round import Round, Wanted

SECONDS = 26.0


@pytest.mark.timeout(300)
def test_every_run_ends_as_planned_though_connections_are_cut_at_commit(folder: Path, database: str, seed: int) -> None:
    proxy = Proxy(database, Faults(), random.Random(seed))
    proxy.start()
    # A lease as long as it is by default: a claim whose COMMIT had no answer must be found, not run out.
    wanted = Wanted(
        database="proxy", seconds=SECONDS, seed=seed, address=database, pause=4.0, lease="PT10S", proxy=proxy
    )

    with contextlib.closing(proxy), contextlib.closing(Round(wanted, folder)) as made:
        tally = made.go()

    assert tally.runs
    for what in (CUT_BEFORE, CUT_AFTER):
        assert proxy.counts[what], f"{what}: {proxy.counts}"
