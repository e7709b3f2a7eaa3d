"""What becomes of everything when the process of a standing worker is killed, or told to stop?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.model.policy import SECOND
from penstock.model.status import Outcome, RunStatus
from penstock.store import queue
from tests.worker.lingering import alive, linger, pids
from tests.worker.workshop import Workshop, knobs, python, shell

# A worker in a process of its own, until it is told to stop.
WORKER = """
import sys
from pathlib import Path
from tests.worker.workshop import Workshop, knobs
workshop = Workshop(Path(sys.argv[1]), knobs(int(sys.argv[2])))
workshop.worker("first").run()
workshop.close()
"""


def standing(folder: Path, lease: int = 10 * SECOND) -> subprocess.Popen[bytes]:
    """A worker in a process of its own, once it has something to do that does not end."""
    command = [sys.executable, "-c", WORKER, str(folder), str(lease)]
    os.mkfifo(folder / "up")
    made = subprocess.Popen(command, env=os.environ.copy())
    with (folder / "up").open("rb", buffering=0) as up:
        assert up.read(1) + up.read(1) == b"xx"
    (folder / "up").unlink()
    return made


def test_after_a_kill_by_force_the_tree_is_gone_and_another_worker_goes_on_at_once(workshop: Workshop) -> None:
    folder = workshop.folder
    wait = f'if [ -e {folder}/go ]; then echo again; else python -c "$SOURCE"; fi'
    before = shell("before", f"echo run >> {folder}/before")
    run_id = workshop.start(before, shell("slow", wait, env={"SOURCE": linger(folder)}))
    with standing(folder) as first:
        second = workshop.worker("second")
        (folder / "go").touch()
        killed = workshop.core.clock.steady()

        first.kill()
        workshop.until(second, lambda: workshop.of(run_id).status.ended)

    assert workshop.core.clock.steady() - killed < 5 * SECOND
    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert not any(alive(pid) for pid in pids(folder))
    assert (folder / "before").read_text() == "run\n"
    assert [(attempt.step, attempt.outcome) for attempt in workshop.attempts(run_id)] == [
        ("before", Outcome.DONE),
        ("slow", Outcome.LOST),
        ("slow", Outcome.DONE),
    ]


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]])
def test_signals_end_a_standing_worker_and_leave_nothing(workshop: Workshop, signals: list[int]) -> None:
    run_id = workshop.start(python("slow", linger(workshop.folder)))
    with standing(workshop.folder) as process:
        for number in signals:
            process.send_signal(number)
        code = process.wait(20)

    assert code == 0
    assert not any(alive(pid) for pid in pids(workshop.folder))
    assert len(workshop.store.read(lambda tx: queue.ready_of(tx, run_id))) == 1


def test_a_worker_that_stands_still_loses_what_it_ran_and_its_late_report_changes_nothing(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, knobs(2 * SECOND))
    wait = f'if [ -e {tmp_path}/go ]; then echo again; else python -c "$SOURCE"; fi'
    run_id = workshop.start(shell("slow", wait, env={"SOURCE": linger(tmp_path)}))
    with standing(tmp_path, 2 * SECOND) as first:
        second = workshop.worker("second")
        (tmp_path / "go").touch()

        first.send_signal(signal.SIGSTOP)
        workshop.until(second, lambda: workshop.of(run_id).status.ended)
        left = [pid for pid in pids(tmp_path) if alive(pid)]
        first.send_signal(signal.SIGCONT)
        first.send_signal(signal.SIGTERM)
        first.wait(20)

    assert left == [], "they ended with the lease, while their worker stood still"
    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert [(attempt.outcome, attempt.worker) for attempt in workshop.attempts(run_id)] == [
        (Outcome.LOST, "first"),
        (Outcome.DONE, "second"),
    ]
    workshop.close()
