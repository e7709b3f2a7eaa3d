"""Does a worker do a flow's tasks, and hand on what they print, make and ask for?"""

from __future__ import annotations

from penstock.model.status import RunStatus, StepStatus
from tests.worker.workshop import Workshop, python, shell


def test_tasks_are_done_one_after_the_other_in_processes_of_their_own(workshop: Workshop) -> None:
    run_id = workshop.run(shell("first", "echo one"), python("second", "print('two')"))

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert workshop.log(run_id, "first") == "one\n"
    assert workshop.log(run_id, "second") == "two\n"
    assert [attempt.worker for attempt in workshop.attempts(run_id)] == ["one", "one"]
    assert workshop.statuses(run_id) == {"first": StepStatus.SUCCESS, "second": StepStatus.SUCCESS}
