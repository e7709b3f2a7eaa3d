"""Does all of it hold behind a pooler, too: runs, schedules, who leads, and PostgreSQL that is killed behind it?"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from projects.servers import PostgresServer
from tests.chaos.round import Round, Wanted
from tests.poolers import Pooler, pooler
from tests.servers import database15, postgres15

__all__ = ["database15", "pooler", "postgres15"]

SECONDS = 40.0
LEAST = 50


@pytest.mark.long
@pytest.mark.timeout(300)
def test_behind_a_pooler_every_run_ends_as_planned_whoever_is_killed(
    folder: Path, postgres15: PostgresServer, pooler: Pooler, database15: str, seed: int
) -> None:
    through = pooler.before(database15)
    wanted = Wanted(database="postgres", seconds=SECONDS, seed=seed, address=through)

    with contextlib.closing(Round(wanted, folder, postgres15)) as made:
        tally = made.go()

    assert tally.runs >= LEAST
