"""What must hold whatever was killed? Nothing accepted twice, nothing done again that had reported, nothing left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from penstock.model.event import about
from penstock.model.status import Outcome
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project, Running

# What stands in these tables is still to be done, or held, or counted against a limit.
OPEN_TABLES = ("ready_attempts", "claimed_attempts", "blocked_attempts", "admitted", "due", "inbox")


def check_settled(project: Project, run_ids: Sequence[str], *spared: Running, anew: Collection[str] = ()) -> None:
    """All runs end, nothing was accepted twice, and neither rows nor processes are left; the spared ones may live.

    `anew` are the steps of a working directory that was lost: what they made was gone with its folder.
    """
    for run_id in run_ids:
        project.finished(run_id)
        ends = project.ends(run_id)
        per_attempt = Counter((end.step, end.attempt) for end in ends)
        twice = {what for what, count in per_attempt.items() if count > 1}
        assert not twice, [told for told in project.story(run_id) if about(told.event) in twice]
        done = Counter(end.step for end in ends if end.outcome is Outcome.DONE and end.step not in anew)
        assert not {step: count for step, count in done.items() if count > 1}, "a step was accepted twice"
    eventually(lambda: not project.alive(*spared), f"no process is left: {project.alive(*spared)}", 5)
    eventually(lambda: not left_open(project), f"nothing is left open: {left_open(project)}", 5)


def check_not_again(project: Project, run_id: str) -> None:
    """No attempt of a step began after the one that was accepted as done, and that one began once."""
    begun = Counter(tuple(line.split()[1:3]) for line in project.lines("begin"))
    for end in project.ends(run_id):
        if end.outcome is Outcome.DONE:
            mine = {int(number): count for (step, number), count in begun.items() if step == end.step}
            assert not mine or (max(mine) == end.attempt and mine[end.attempt] == 1), (end.step, mine)


def lost(project: Project, run_id: str) -> list[tuple[str, int]]:
    """The attempts that were given up with their workers."""
    return [(end.step, end.attempt) for end in project.ends(run_id) if end.outcome is Outcome.LOST]


def left_open(project: Project) -> dict[str, int]:
    """The tables that still hold something, with how much."""
    return {table: count for table in OPEN_TABLES if (count := project.count(table))}
