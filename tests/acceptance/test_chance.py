"""What becomes of runs when kill -9 comes again and again, at moments that nobody chose?"""

from __future__ import annotations

import random
import time
from functools import partial

from penstock.model.status import Outcome
from tests.acceptance.checks import check_not_again, check_settled, lost
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project

KILLS = 10
LENGTH = 25


def test_many_kills_at_random_moments_lose_nothing_and_double_nothing(project: Project) -> None:
    """Each worker lives until every run has moved, so that no step is lost three times in a row."""
    chance = random.Random(20_160_102)
    runs = [project.start(chain(project, name)) for name in ("a", "b", "c")]

    for number in range(KILLS):
        before = {run: done(project, run) for run in runs if not project.of(run).status.ended}
        worker = project.worker(f"worker-{number}")
        eventually(partial(all_moved, project, before), "every run moves")
        time.sleep(chance.uniform(0, 0.12))
        worker.kill()
    last = project.worker("last")

    check_settled(project, runs, last)
    for run in runs:
        assert project.of(run).status == "success"
        check_not_again(project, run)
    assert sum(len(lost(project, run)) for run in runs) >= KILLS, "the kills came while work was done"
    assert len({line.split()[1] for line in project.lines("end")}) == 3 * LENGTH


def chain(project: Project, name: str) -> str:
    """A chain of shell tasks with tasks of the worker's own thread between them."""
    tasks = []
    for number in range(LENGTH):
        tasks.append(project.step(f"{name}{number}", script="sleep 0.05"))
        tasks.append(f"  - id: {name}{number}-log\n    type: log\n    message: after {number}\n")
    return project.flow(f"chain-{name}", *tasks)


def done(project: Project, run: str) -> int:
    """How many steps of a run are done."""
    return sum(end.outcome is Outcome.DONE for end in project.ends(run))


def all_moved(project: Project, before: dict[str, int]) -> bool:
    """Whether every run has ended, or is further than it was."""
    return all(project.of(run).status.ended or done(project, run) > count for run, count in before.items())
