"""Does work go on, and time with it, where a pooler stands before PostgreSQL and nobody can be woken?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from penstock.model.node import Parallel
from penstock.model.policy import SECOND
from penstock.model.status import RunStatus
from penstock.services import runs as verbs
from penstock.store.postgres.store import open_postgres
from tests.poolers import Pooler, pooler
from tests.servers import database15, postgres15
from tests.worker.lingering import alive, linger, pids
from tests.worker.workshop import Workshop, python, shell

__all__ = ["database15", "pooler", "postgres15"]


@pytest.fixture
def pooled(tmp_path: Path, pooler: Pooler, database15: str) -> Iterator[Workshop]:
    """A workshop in a schema of its own behind a pooler."""
    store = open_postgres(f"{pooler.before(database15)}?schema=team", migrate=True)
    with closing(Workshop(tmp_path, store=store)) as one:
        yield one


def test_a_flow_is_done_with_its_logs_and_outputs(pooled: Workshop) -> None:
    both = Parallel(id="both", nodes=tuple(shell(f"t{n}", f"echo {n}") for n in range(8)))

    run_id = pooled.run(shell("first", "echo one"), both, python("last", "print('end')"))

    assert pooled.of(run_id).status is RunStatus.SUCCESS
    assert pooled.log(run_id, "t7") == "7\n"
    assert pooled.log(run_id, "last") == "end\n"


def test_a_sleeping_worker_finds_a_start_and_a_kill_by_itself(pooled: Workshop) -> None:
    worker = pooled.worker()
    worker.start()
    started: list[str] = []
    thread = threading.Thread(target=lambda: started.append(pooled.start(python("slow", linger(pooled.folder)))))

    began = pooled.core.clock.steady()
    thread.start()
    pooled.until(worker, lambda: len(pids(pooled.folder)) == 2)
    found = pooled.core.clock.steady() - began
    thread.join()
    verbs.kill(pooled.core, started[0], "me")
    run = pooled.finish(started[0])

    assert run.status is RunStatus.KILLED
    assert not any(alive(pid) for pid in pids(pooled.folder))
    assert found < 5 * SECOND
