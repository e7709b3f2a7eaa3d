"""Does everything go on when PostgreSQL's machine is lost and its replica takes over, and what is lost with it?"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from penstock.model.run import Run
from penstock.model.status import RunStatus
from projects.servers import debian_binaries
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project
from tests.acceptance.test_serving import EVERY_SECOND, address, check_ticks, dates
from tests.chaos.replicas import Pair
from tests.chaos.round import Round, Wanted
from tests.servers import DEMANDED

SECONDS = 40.0
LEAST = 50
STEPS = """  - {id: first, type: shell.script, script: "true"}
  - {id: then, type: shell.script, script: "true"}
"""


@contextlib.contextmanager
def pair(folder: Path, *, synchronous: bool) -> Iterator[Pair]:
    """Two servers of PostgreSQL 15 as Debian packages it."""
    binaries = debian_binaries(15)
    if binaries is None:
        (pytest.fail if DEMANDED else pytest.skip)("Debian's postgresql-15 is not here")
    with closing(Pair(folder, binaries, synchronous=synchronous)) as made:
        yield made


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_synchronous_replica_takes_over_and_nothing_is_lost(folder: Path, server_folder: Path, seed: int) -> None:
    with pair(server_folder / "synchronous", synchronous=True) as both:
        wanted = Wanted(database="postgres", seconds=SECONDS, seed=seed, address=both.address)
        with closing(Round(wanted, folder)) as made:
            losing = threading.Timer(SECONDS / 3, both.fail_over)
            losing.start()
            tally = made.go()
            losing.join()

        assert both.failed_over
    assert tally.runs >= LEAST


@pytest.mark.long
@pytest.mark.timeout(300)
def test_after_an_asynchronous_one_took_over_the_store_is_whole_and_everybody_works_on(
    folder: Path, server_folder: Path
) -> None:
    with (
        pair(server_folder / "asynchronous", synchronous=False) as both,
        closing(Project(folder, both.address)) as project,
    ):
        project.flow("ticking", STEPS, more=EVERY_SECOND)
        project.flow("asked", STEPS)
        assert project.call("flows", "push", "flows").code == 0
        servers = [project.begin("serve", "--port", "0") for _ in range(2)]
        for server in servers:
            address(server)
        workers = [project.worker(name) for name in ("one", "two")]
        eventually(lambda: len(dates(project)) > 2, "it ticks")

        both.cut_off()
        count = len(dates(project))
        lost = project.call("run", "asked", "--no-wait", "--key", "monday").out.strip()
        eventually(lambda: len(dates(project)) > count + 2, "it goes on without its replica")
        before = known(project)
        both.primary.crash()
        both.promote()
        eventually(lambda: len(set(dates(project))) > count + 6, "it ticks on the replica", 60)
        again = project.call("run", "asked", "--no-wait", "--key", "monday").out.strip()
        once_more = project.call("run", "asked", "--no-wait", "--key", "monday").out.strip()
        project.finished(again)

        gone = before.keys() - known(project).keys()
        assert lost in gone, "what the replica had not heard of is gone"
        assert again == once_more
        for running in (*servers, *workers):
            assert running.process.poll() is None, running.said
            running.send(signal.SIGTERM)
            assert running.ended(30) == 0, running.said
        project.call("worker", "--until-idle")
        assert {run.status for run in project.runs()} == {RunStatus.SUCCESS}
        check_ticks(project)


def known(project: Project) -> dict[str, Run]:
    """All runs by id."""
    return {run.id: run for run in project.runs()}
