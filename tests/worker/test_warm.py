"""Does a worker use one process for many tasks of our own types, and end it where a task is to be ended?"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.node import Parallel, Task
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind
from penstock.model.status import Outcome, RunStatus
from penstock.plugins.core.flow import Sleep
from penstock.plugins.scripts.python import PythonScript
from penstock.runners.process import strays
from penstock.sdk.values import Duration
from penstock.services import runs as verbs
from penstock.services.core import Knobs
from penstock.services.worker.places import place_of
from penstock.services.worker.shop import Surroundings
from penstock.services.worker.slot import is_warm
from penstock.store import queue, workers
from penstock.store.chunks import Stream
from tests.runners.test_endings import gone
from tests.worker.lingering import alive
from tests.worker.test_standing import WORKER
from tests.worker.workshop import Workshop, knobs, shell


class Asked:
    """A server that takes a connection and never answers: who asks it has begun, and lives while it is connected."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self.uri = f"http://127.0.0.1:{self._server.getsockname()[1]}/"
        self._askers: list[socket.socket] = []

    def begun(self, wait: float = 0) -> bool:
        """Whether somebody asks."""
        if not self._askers and select.select([self._server], [], [], wait)[0]:
            self._askers.append(self._server.accept()[0])
        return bool(self._askers)

    def gone(self) -> bool:
        """Whether who asked has ended, within ten seconds."""
        asker = self._askers.pop()
        with asker:
            asker.settimeout(10)
            while asker.recv(65536):
                pass
        return True

    def close(self) -> None:
        """Stop listening."""
        for asker in self._askers:
            asker.close()
        self._server.close()


@pytest.fixture
def asked() -> Iterator[Asked]:
    """A server that never answers."""
    one = Asked()
    yield one
    one.close()


def wait(name: str, seconds: float = 0, timeout: str = "") -> Task:
    """A task of ours that waits."""
    return Task(id=name, type="sleep", properties={"duration": f"PT{seconds}S"}, timeout=timeout)


def ask(name: str, asked: Asked, timeout: str = "") -> Task:
    """A task of ours that asks a server."""
    properties: dict[str, object] = {"uri": asked.uri, "options": {"readTimeout": "PT10M"}}
    return Task(id=name, type="http.request", properties=properties, timeout=timeout)


def kept(workshop: Workshop) -> set[int]:
    """The processes of a worker, but for zygotes."""
    place = f"{place_of(workshop.core)}/{workshop.workers[0].id}/"
    ours = [pid for pid, marker in strays.marked() if marker.startswith(place) and alive(pid)]
    return {pid for pid in ours if parent_of(pid) != os.getpid()}


def parent_of(pid: int) -> int:
    """The process that started another."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_tasks_of_ours_share_a_process_and_those_of_people_have_their_own(workshop: Workshop) -> None:
    run_id = workshop.run(
        wait("first"),
        Task(id="set", type="kv.set", properties={"key": "day", "value": "monday"}),
        Task(id="get", type="kv.get", properties={"key": "day"}),
        shell("people", "echo $PPID"),
        Task(id="write", type="files.write", properties={"content": "hello"}),
        Task(id="size", type="files.size", properties={"uri": "{{ outputs.write.uri }}"}),
    )

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert workshop.outputs(run_id)["get"] == {"value": "monday"}
    assert workshop.outputs(run_id)["size"] == {"size": 5}
    assert workshop.log(run_id, "first") == "Waiting for 0 s\n"
    assert len(kept(workshop)) == 1


def test_tasks_at_the_same_time_have_a_process_each_and_no_more_are_kept_than_slots(workshop: Workshop) -> None:
    workshop.worker(slots=2)

    run_id = workshop.run(Parallel(id="all", nodes=tuple(wait(f"t{number}", 0.05) for number in range(8))))

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert len(kept(workshop)) == 2


def test_only_types_of_ours_may_share_a_process() -> None:
    task = Sleep(duration=Duration(0))

    assert is_warm("sleep", task)
    assert is_warm("io.kestra.plugin.core.flow.Sleep", task)
    assert not is_warm("acme.sleep", task), "whatever another package says of itself"
    assert not is_warm("python.script", PythonScript(script="1"))


def test_what_a_process_prints_goes_into_the_log_of_the_task_that_it_does(workshop: Workshop) -> None:
    workshop.worker(surroundings=Surroundings(environment={"PYTHONPROFILEIMPORTTIME": "1"}))
    small: dict[str, object] = {"from": "{{ outputs.write.uri }}", "compression": "GZIP"}

    run_id = workshop.run(
        Task(id="write", type="files.write", properties={"content": "hello"}),
        *(Task(id=name, type="files.compress", properties=small) for name in ("first", "second")),
    )

    assert "tarfile" in workshop.log(run_id, "first", Stream.ERR)
    assert workshop.log(run_id, "second", Stream.ERR) == ""


def test_a_kill_ends_the_process_and_another_does_the_next_task(workshop: Workshop, asked: Asked) -> None:
    worker = workshop.worker()
    run_id = workshop.start(wait("before"), ask("slow", asked))
    workshop.until(worker, asked.begun)
    before = kept(workshop)

    verbs.kill(workshop.core, run_id, "me")
    run = workshop.finish(run_id)
    after = workshop.run(wait("next"))

    assert asked.gone()
    assert run.status is RunStatus.KILLED
    assert workshop.of(after).status is RunStatus.SUCCESS
    assert not before & kept(workshop)


def test_a_timeout_is_told_as_a_timeout_and_a_failure_as_what_it_is(workshop: Workshop, asked: Asked) -> None:
    slow = workshop.run(ask("slow", asked, timeout="PT0.3S"))
    missing = workshop.run(Task(id="bad", type="kv.get", properties={"key": "none", "errorOnMissing": True}))
    before = kept(workshop)
    after = workshop.run(wait("next"))

    failures = [workshop.attempts(run_id)[0].failure for run_id in (slow, missing)]
    assert [failure.kind for failure in failures if failure] == [ErrorKind.TIMEOUT, ErrorKind.TASK]
    assert workshop.of(after).status is RunStatus.SUCCESS
    assert len(before) == 1
    assert kept(workshop) == before, "a failure leaves its process to others"


def test_a_timeout_that_was_not_needed_does_no_harm_to_the_next_task(workshop: Workshop) -> None:
    run_id = workshop.run(wait("before"), wait("quick", timeout="PT2S"), wait("longer", 2.5))

    assert workshop.of(run_id).status is RunStatus.SUCCESS


def test_a_drain_hands_back_what_a_kept_process_does(workshop: Workshop, asked: Asked) -> None:
    worker = workshop.worker(drain_grace=0)
    run_id = workshop.start(ask("slow", asked))
    workshop.until(worker, asked.begun)

    worker.drain()
    worker.run()

    assert asked.gone()
    assert workshop.attempts(run_id) == []
    assert [step for step, _, _ in workshop.store.read(lambda tx: queue.ready_of(tx, run_id))] == ["slow"]


def test_a_lease_that_was_given_up_ends_what_a_kept_process_does(tmp_path: Path, asked: Asked) -> None:
    policy = Knobs(environ=dict(os.environ), beat=SECOND // 10, lease=10 * SECOND, grace=SECOND)
    workshop = Workshop(tmp_path, policy)
    worker = workshop.worker()
    run_id = workshop.start(ask("slow", asked))
    workshop.until(worker, asked.begun)

    workshop.store.write(lambda tx: workers.leave(tx, "one"))
    workshop.until(worker, lambda: bool(workshop.attempts(run_id)))

    assert asked.gone()
    assert workshop.attempts(run_id)[0].outcome is Outcome.LOST
    workshop.close()


@pytest.mark.parametrize(("lease", "how"), [(10 * SECOND, signal.SIGKILL), (2 * SECOND, signal.SIGSTOP)])
def test_a_worker_that_dies_or_stands_still_takes_what_it_kept_with_it(
    tmp_path: Path, asked: Asked, lease: int, how: int
) -> None:
    workshop = Workshop(tmp_path, knobs(lease))
    workshop.start(Parallel(id="all", nodes=(wait("idle"), ask("slow", asked))))
    with subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path), str(lease)], env=os.environ.copy()) as worker:
        assert asked.begun(30)
        handles = [
            os.pidfd_open(pid) for pid, marker in strays.marked() if marker.startswith(f"{place_of(workshop.core)}/")
        ]

        worker.send_signal(how)
        asked.gone()

        assert len(handles) == 3, "a zygote, one that waits and one that asks"
        assert all(gone(handle) for handle in handles[1:])
        worker.kill()
        assert gone(handles[0])
    workshop.close()
