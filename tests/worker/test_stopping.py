"""Does nothing outlive its worker's will: kills, drains, lost leases, workers that die?"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.errors.work import WorkerTwice
from penstock.model.node import Parallel
from penstock.model.policy import SECOND
from penstock.model.status import Outcome, RunStatus
from penstock.services import runs as verbs
from penstock.services import sweep
from penstock.services.core import Knobs
from penstock.store import queue, workers
from tests.worker.lingering import alive, linger, pids
from tests.worker.workshop import Workshop, python, shell


class StandsStill(dict[str, str]):
    """Secrets; whoever asks for the first one stands still meanwhile."""

    meanwhile: Callable[[], None] | None = None

    def get(self, name: str, default: Any = None) -> Any:
        """The secret's text, after what happens meanwhile."""
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        return super().get(name, default)


def give_up(workshop: Workshop, name: str) -> None:
    """Give up a worker as others do whose lease ran out, and wait until it has noticed and has another."""
    sweep.succeed(workshop.core, name)
    while not workshop.store.read(workers.list_workers):
        pass


def test_a_kill_ends_the_process_its_grandchildren_and_the_run(workshop: Workshop) -> None:
    worker = workshop.worker()
    run_id = workshop.start(python("slow", linger(workshop.folder)), shell("never", "echo no"))
    workshop.until(worker, lambda: len(pids(workshop.folder)) == 2)

    verbs.kill(workshop.core, run_id, "me")
    run = workshop.finish(run_id)

    assert run.status is RunStatus.KILLED
    assert not any(alive(pid) for pid in pids(workshop.folder))
    assert [attempt.outcome for attempt in workshop.attempts(run_id)] == [Outcome.KILLED]


def test_a_kill_by_force_does_not_ask(workshop: Workshop) -> None:
    worker = workshop.worker()
    source = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + linger(workshop.folder)
    run_id = workshop.start(python("deaf", source))
    workshop.until(worker, lambda: len(pids(workshop.folder)) == 2)

    verbs.kill(workshop.core, run_id, "me", force=True)
    run = workshop.finish(run_id)

    assert run.status is RunStatus.KILLED
    assert not any(alive(pid) for pid in pids(workshop.folder))


def test_a_drain_takes_no_new_work_and_lets_what_runs_end(workshop: Workshop) -> None:
    worker = workshop.worker(drain_grace=30 * SECOND)
    folder = workshop.folder
    wait = f"touch {folder}/begun; while [ ! -e {folder}/go ]; do sleep 0.02; done; echo done"
    run_id = workshop.start(shell("runs", wait), shell("waits", "echo no"))
    workshop.until(worker, lambda: (folder / "begun").exists())

    worker.drain()
    (folder / "go").touch()
    worker.run()

    assert workshop.log(run_id, "runs") == "done\n"
    assert [attempt.outcome for attempt in workshop.attempts(run_id)] == [Outcome.DONE]
    assert workshop.of(run_id).status is RunStatus.RUNNING
    assert workshop.store.read(lambda tx: queue.ready_of(tx, run_id))[0][0] == "waits"
    assert workshop.store.read(workers.list_workers) == []


def test_what_outlasts_the_grace_of_a_drain_is_handed_back_once_it_is_dead(workshop: Workshop) -> None:
    worker = workshop.worker(drain_grace=SECOND // 5)
    run_id = workshop.start(python("slow", linger(workshop.folder)))
    workshop.until(worker, lambda: len(pids(workshop.folder)) == 2)

    worker.drain()
    worker.run()

    assert not any(alive(pid) for pid in pids(workshop.folder))
    assert workshop.attempts(run_id) == []
    assert [(step, attempt) for step, attempt, _ in workshop.store.read(lambda tx: queue.ready_of(tx, run_id))] == [
        ("slow", 1)
    ]


def test_another_worker_does_what_was_handed_back_and_the_log_goes_on(workshop: Workshop) -> None:
    first = workshop.worker(drain_grace=0)
    folder = workshop.folder
    script = f"echo begun; touch {folder}/begun; while [ ! -e {folder}/go ]; do sleep 0.02; done"
    run_id = workshop.start(shell("slow", script))
    workshop.until(first, lambda: (folder / "begun").exists())
    first.drain()
    first.run()
    (folder / "go").touch()
    second = workshop.worker("two")

    workshop.until(second, lambda: workshop.of(run_id).status.ended)

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert workshop.log(run_id).splitlines()[::2] == ["begun", "begun"]
    assert "handed back" in workshop.log(run_id)
    assert [attempt.worker for attempt in workshop.attempts(run_id)] == ["two"]


def test_a_worker_whose_lease_was_given_up_ends_what_it_held(tmp_path: Path) -> None:
    policy = Knobs(environ=dict(os.environ), beat=SECOND // 10, lease=10 * SECOND, grace=SECOND)
    workshop = Workshop(tmp_path, policy)
    worker = workshop.worker()
    run_id = workshop.start(python("slow", linger(tmp_path)))
    workshop.until(worker, lambda: len(pids(tmp_path)) == 2)
    first = pids(tmp_path)

    workshop.store.write(lambda tx: workers.leave(tx, "one"))
    workshop.until(worker, lambda: bool(workshop.attempts(run_id)))

    assert not any(alive(pid) for pid in first)
    assert workshop.attempts(run_id)[0].outcome is Outcome.LOST
    assert [known.id for known in workshop.store.read(workers.list_workers)] == ["one"]
    workshop.close()


def test_what_was_given_up_between_claim_and_launch_is_not_launched(tmp_path: Path) -> None:
    policy = Knobs(environ=dict(os.environ), beat=SECOND // 10, lease=10 * SECOND, grace=SECOND)
    secrets = StandsStill(WORD="a word")
    workshop = Workshop(tmp_path, policy, secrets)
    secrets.meanwhile = lambda: give_up(workshop, "one")
    worker = workshop.worker()

    run_id = workshop.start(shell("a", f": {{{{ secret('WORD') }}}}; echo $PENSTOCK_ATTEMPT >> {tmp_path}/begun"))
    workshop.until(worker, lambda: workshop.of(run_id).status.ended)

    assert workshop.attempts(run_id)[0].outcome is Outcome.LOST
    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert "1" not in (tmp_path / "begun").read_text().split(), "it was another's by then"
    workshop.close()


def test_a_worker_says_when_it_starts_drains_and_stops(workshop: Workshop) -> None:
    heard: list[str] = []
    workshop.core.notices.subscribe(lambda notice: heard.append(notice.name))
    worker = workshop.worker()

    worker.start()
    worker.drain()
    worker.run()

    assert heard == ["worker.started", "worker.draining", "worker.stopped"]


def test_two_workers_of_one_name_are_one_too_many(workshop: Workshop) -> None:
    workshop.worker("one").start()

    second = workshop.worker("one")
    with pytest.raises(WorkerTwice):
        second.start()
    second.close()

    assert [known.id for known in workshop.store.read(workers.list_workers)] == ["one"]


def test_starting_and_closing_twice_is_once(workshop: Workshop) -> None:
    worker = workshop.worker()

    worker.start()
    worker.start()
    worker.close()
    worker.close()

    assert worker.started.is_set()
    assert workshop.store.read(workers.list_workers) == []
    assert not list((workshop.state / "workers").glob("*.lock"))


def test_a_worker_with_nothing_to_do_sleeps(workshop: Workshop) -> None:
    worker = workshop.worker()
    turns = 0

    def done() -> bool:
        nonlocal turns
        turns += 1
        return workshop.core.clock.steady() > began + 2 * SECOND

    worker.start()
    began = workshop.core.clock.steady()
    worker.run_until(done)

    assert turns < 12


def test_many_at_once_share_the_slots(workshop: Workshop) -> None:
    worker = workshop.worker(slots=4)
    now = workshop.folder / "now"
    script = f"mkdir -p {now}; touch {now}/$$; ls {now} | wc -l; sleep 0.05; rm {now}/$$"
    run_id = workshop.start(Parallel(id="all", nodes=tuple(shell(f"t{n}", script) for n in range(12))))

    workshop.until(worker, lambda: workshop.of(run_id).status.ended)

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert max(int(line) for line in workshop.log(run_id).split()) <= 4
