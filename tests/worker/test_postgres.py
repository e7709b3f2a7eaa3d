"""Does a worker do on PostgreSQL what it does on SQLite: work, wake, stop, hand back?"""

from __future__ import annotations

import threading

from penstock.model.node import Parallel
from penstock.model.policy import SECOND
from penstock.model.status import Outcome, RunStatus
from penstock.services import runs as verbs
from penstock.store import queue
from tests.servers import Postgres
from tests.worker.lingering import alive, linger, pids
from tests.worker.workshop import Workshop, python, shell


def test_a_flow_is_done_with_its_logs_and_outputs(workshop_on_postgres: Workshop) -> None:
    workshop = workshop_on_postgres
    both = Parallel(id="both", nodes=tuple(shell(f"t{n}", f"echo {n}") for n in range(8)))

    run_id = workshop.run(shell("first", "echo one"), both, python("last", "print('end')"))

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert workshop.log(run_id, "both") == ""
    assert workshop.log(run_id, "t7") == "7\n"
    assert workshop.log(run_id, "last") == "end\n"


def test_a_sleeping_worker_is_woken_by_a_start(workshop_on_postgres: Workshop) -> None:
    workshop = workshop_on_postgres
    worker = workshop.worker()
    worker.start()
    started: list[str] = []
    thread = threading.Thread(target=lambda: started.append(workshop.start(shell("quick", "echo hi"))))

    began = workshop.core.clock.steady()
    thread.start()
    workshop.until(worker, lambda: bool(started) and workshop.of(started[0]).status.ended)
    thread.join()

    assert workshop.core.clock.steady() - began < 2 * SECOND


def test_a_kill_ends_the_tree(workshop_on_postgres: Workshop) -> None:
    workshop = workshop_on_postgres
    worker = workshop.worker()
    run_id = workshop.start(python("slow", linger(workshop.folder)))
    workshop.until(worker, lambda: len(pids(workshop.folder)) == 2)

    verbs.kill(workshop.core, run_id, "me")
    run = workshop.finish(run_id)

    assert run.status is RunStatus.KILLED
    assert not any(alive(pid) for pid in pids(workshop.folder))


def test_a_drain_hands_back_and_another_goes_on(workshop_on_postgres: Workshop) -> None:
    workshop = workshop_on_postgres
    first = workshop.worker(drain_grace=0)
    folder = workshop.folder
    script = f"touch {folder}/begun; while [ ! -e {folder}/go ]; do sleep 0.02; done; echo done"
    run_id = workshop.start(shell("slow", script))
    workshop.until(first, lambda: (folder / "begun").exists())

    first.drain()
    first.run()
    waiting = workshop.store.read(lambda tx: queue.ready_of(tx, run_id))
    (folder / "go").touch()
    workshop.until(workshop.worker("two"), lambda: workshop.of(run_id).status.ended)

    assert len(waiting) == 1
    assert [(attempt.outcome, attempt.worker) for attempt in workshop.attempts(run_id)] == [(Outcome.DONE, "two")]


def test_work_goes_on_when_the_server_was_killed_and_is_back(
    workshop_on_postgres: Workshop, postgres: Postgres
) -> None:
    workshop = workshop_on_postgres
    worker = workshop.worker()
    folder = workshop.folder
    script = f"echo run >> {folder}/begun; while [ ! -e {folder}/go ]; do sleep 0.02; done; echo done"
    run_id = workshop.start(shell("slow", script), shell("after", "echo after"))
    workshop.until(worker, lambda: (folder / "begun").exists())

    postgres.restart()
    (folder / "go").touch()
    workshop.until(worker, lambda: workshop.of(run_id).status.ended)
    again = workshop.start(shell("next", "echo next"))
    workshop.finish(again)

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert (folder / "begun").read_text() == "run\n"
    assert workshop.log(run_id) == "done\nafter\n"
    assert workshop.of(again).status is RunStatus.SUCCESS
