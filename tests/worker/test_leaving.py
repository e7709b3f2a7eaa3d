"""What becomes of a run that belongs to a process which leaves before the run has ended?"""

from __future__ import annotations

from penstock.model.status import RunStatus
from penstock.services import runs as verbs
from penstock.store import workers
from tests.worker.workshop import Workshop, shell


def test_what_belonged_to_a_process_that_left_is_everybodys(workshop: Workshop) -> None:
    owner = workshop.worker("owner")
    owner.start()
    first = workshop.run(shell("one", "true"))
    plan = workshop.core.plan("tests", "flow", workshop.of(first).revision)
    run_id = verbs.start(workshop.core, plan, verbs.Start(owner="owner"))

    owner.close()
    workshop.until(workshop.worker("another"), lambda: workshop.of(run_id).status.ended)

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert [attempt.worker for attempt in workshop.attempts(run_id)] == ["another"]


def test_what_waits_for_a_process_that_nobody_knows_is_everybodys(workshop: Workshop) -> None:
    owner = workshop.worker("owner")
    owner.start()
    first = workshop.run(shell("one", "true"))
    plan = workshop.core.plan("tests", "flow", workshop.of(first).revision)
    run_id = verbs.start(workshop.core, plan, verbs.Start(owner="owner"))

    # as where its row goes between a fold's look at it and that fold's commit
    workshop.store.write(lambda tx: workers.leave(tx, "owner"))
    workshop.until(workshop.worker("another"), lambda: workshop.of(run_id).status.ended)

    assert [attempt.worker for attempt in workshop.attempts(run_id)] == ["another"]
