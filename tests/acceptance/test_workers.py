"""Do real workers, killed, stopped and frozen, leave nothing behind and nothing undone?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.model.policy import SECOND
from penstock.model.status import Outcome, RunStatus
from penstock.store import queue
from tests.worker.lingering import alive, linger, pids
from tests.worker.workshop import Workshop, python, shell

pytestmark = pytest.mark.acceptance

WORKER = """
import sys
from pathlib import Path
from tests.worker.workshop import Workshop
workshop = Workshop(Path(sys.argv[1]))
worker = workshop.worker("first")
print("up", flush=True)
worker.run()
workshop.close()
"""


def standing(folder: Path) -> subprocess.Popen[bytes]:
    """A worker in a process of its own."""
    made = subprocess.Popen([sys.executable, "-c", WORKER, str(folder)], stdout=subprocess.PIPE, env=os.environ.copy())
    assert made.stdout is not None
    assert made.stdout.readline() == b"up\n"
    return made


def test_after_a_kill_by_force_the_tree_is_gone_and_another_worker_goes_on_at_once(workshop: Workshop) -> None:
    folder = workshop.folder
    script = f"echo run >> {folder}/before"
    wait = f'if [ -e {folder}/go ]; then echo again; else python -c "$SOURCE"; fi'
    run_id = workshop.start(shell("before", script), shell("slow", wait, env={"SOURCE": linger(folder)}))
    process = standing(folder)
    watch = workshop.worker("watch")
    with process:
        poll_until(lambda: len(pids(folder)) == 2)
        (folder / "go").touch()
        killed = workshop.core.clock.steady()

        process.kill()
        workshop.until(watch, lambda: workshop.of(run_id).status.ended)

    assert workshop.core.clock.steady() - killed < 3 * SECOND
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
    process = standing(workshop.folder)
    with process:
        poll_until(lambda: len(pids(workshop.folder)) == 2)

        for number in signals:
            process.send_signal(number)
        code = process.wait(20)

    assert code == 0
    assert not any(alive(pid) for pid in pids(workshop.folder))
    assert len(workshop.store.read(lambda tx: queue.ready_of(tx, run_id))) == 1


def poll_until(so: Callable[[], bool]) -> None:
    """Wait for something that another process does; half a minute at most."""
    for _ in range(3000):
        if so():
            return
        time.sleep(0.01)
    raise AssertionError("it took too long")
