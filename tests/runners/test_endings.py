"""Is nothing of an attempt alive after its end, however it ends, and is the end told as what it was?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from penstock.errors.work import NoInterpreter
from penstock.runners.process import strays
from tests.runners.attempts import ENV, Bench, Seen

# A grandchild that leaves session, group and parent behind: only the tree of processes still knows it.
DAEMON = """
import os, sys, time
said, say = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("daemon", os.getpid(), flush=True)
        os.write(say, b".")
        time.sleep(600)
    os._exit(0)
os.wait()
os.read(said, 1)
"""


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def daemon_of(bench: Bench, seen: Seen) -> int:
    """The pid that DAEMON printed."""
    bench.until(lambda: seen.out.endswith(b"\n"))
    return int(seen.out.split()[1])


def test_a_kill_takes_grandchildren_that_left_session_and_parent(bench: Bench) -> None:
    seen = bench.start("python", source=DAEMON + "time.sleep(600)")
    pid = daemon_of(bench, seen)

    seen.child.kill()
    bench.until(lambda: seen.exit is not None)

    assert not alive(pid)
    assert seen.exit is not None
    assert seen.exit.signal == signal.SIGKILL


def test_what_a_task_leaves_running_ends_with_it(bench: Bench) -> None:
    seen = bench.run("python", source=DAEMON)

    assert not alive(int(seen.out.split()[1]))
    assert seen.exit is not None
    assert seen.exit.code == 0


def test_leftovers_of_one_task_end_while_others_go_on(bench: Bench) -> None:
    other = bench.start("python", source=DAEMON + "time.sleep(600)")
    others_daemon = daemon_of(bench, other)

    seen = bench.run("python", source=DAEMON)

    assert not alive(int(seen.out.split()[1]))
    assert alive(others_daemon)
    assert other.exit is None


def test_a_term_reaches_the_whole_group_and_is_a_request(bench: Bench) -> None:
    script = 'trap "echo bye; exit 5" TERM; sh -c \'trap "echo inner" TERM; echo up; sleep 600 & wait\' & wait'
    seen = bench.start("exec", argv=["/bin/sh", "-c", script])
    bench.until(lambda: b"up" in seen.out)

    seen.child.terminate()
    bench.until(lambda: seen.ended)

    assert b"bye" in seen.out
    assert b"inner" in seen.out
    assert seen.exit is not None
    assert seen.exit.code == 5


def test_a_term_sent_at_once_is_not_lost(bench: Bench) -> None:
    seen = bench.start("exec", argv=["/bin/sleep", "600"])

    seen.child.terminate()
    bench.until(lambda: seen.ended)

    assert seen.exit is not None
    assert seen.exit.signal == signal.SIGTERM


def test_closing_the_launcher_ends_every_tree(bench: Bench) -> None:
    seen = bench.start("python", source=DAEMON + "time.sleep(600)")
    pid = daemon_of(bench, seen)

    bench.launcher.close()

    assert not alive(pid)
    assert seen.exit is not None
    assert seen.exit.trouble == "The worker stopped."


def test_a_worker_killed_by_force_takes_its_tree_with_it(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from tests.runners.attempts import Bench
bench = Bench(Path({str(tmp_path)!r}))
seen = bench.start("python", source={DAEMON + "time.sleep(600)"!r})
bench.until(lambda: seen.out.endswith(b"\\n"))
print(seen.out.decode(), flush=True)
bench.until(lambda: False)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=os.environ.copy()) as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline().split()[1])
        handle = os.pidfd_open(pid)

        worker.kill()

        assert gone(handle)


def gone(handle: int) -> bool:
    """Whether a process ends within ten seconds."""
    import select

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    try:
        return bool(poll.poll(10_000))
    finally:
        os.close(handle)


def test_a_zygote_that_is_killed_takes_its_tree_and_another_takes_its_place(bench: Bench) -> None:
    seen = bench.start("python", source=DAEMON + "time.sleep(600)")
    pid = daemon_of(bench, seen)

    os.kill(seen.child.zygote.pid, signal.SIGKILL)
    bench.until(lambda: seen.ended)
    again = bench.run("python", source="print('again')")

    assert not alive(pid)
    assert seen.exit is not None
    assert "ended" in seen.exit.trouble
    assert again.out == b"again\n"


def test_strays_are_found_by_their_marker_alone(bench: Bench) -> None:
    with (
        subprocess.Popen(["/bin/sleep", "600"], env={strays.MARKER: "store/dead/1"}) as stray,
        subprocess.Popen(["/bin/sleep", "600"], env={strays.MARKER: "store/alive/1"}) as other,
    ):
        found = strays.kill(lambda marker: marker == "store/dead/1")

        assert found == 1
        assert stray.wait() == -signal.SIGKILL
        assert other.poll() is None
        other.kill()


def test_a_python_task_over_its_memory_is_told_as_memory(bench: Bench) -> None:
    seen = bench.run("python", source="x = bytearray(600_000_000)", limits={"memory": 200_000_000})

    assert seen.exit is not None
    assert seen.exit.code == 1
    assert seen.frames[0]["failure"] == {"kind": "memory", "message": "MemoryError"}


def test_cpu_seconds_end_in_their_signal(bench: Bench) -> None:
    seen = bench.run("exec", argv=["/bin/sh", "-c", "while :; do :; done"], limits={"cpu": 1})

    assert seen.exit is not None
    assert seen.exit.signal == signal.SIGXCPU
    assert seen.exit.cpu_seconds > 0.5


def test_open_files_are_limited(bench: Bench) -> None:
    seen = bench.run("exec", argv=["/bin/sh", "-c", "ulimit -n"], limits={"files": 32})

    assert seen.out == b"32\n"


def test_a_python_that_is_not_there_is_an_error_with_its_name(bench: Bench) -> None:
    with pytest.raises(NoInterpreter, match="/no/python"):
        bench.start("python", source="", interpreter="/no/python")


def test_a_zygote_nobody_needs_ends_and_returns_when_needed(bench: Bench) -> None:
    seen = bench.run("python", source="print(1)")

    bench.launcher.stop_idle(0)
    bench.launcher.stop_idle(10**12)
    again = bench.run("python", source="print(2)")

    assert not alive(seen.child.zygote.pid)
    assert again.out == b"2\n"


def test_many_at_once_all_end_and_none_is_mixed_up(bench: Bench) -> None:
    many = [
        bench.start("exec", argv=["/bin/sh", "-c", f"echo {number}; exit {number}"], env=ENV) for number in range(40)
    ]

    bench.until(lambda: all(seen.ended for seen in many))

    assert [seen.out for seen in many] == [b"%d\n" % number for number in range(40)]
    assert [seen.exit.code for seen in many if seen.exit] == list(range(40))


def test_children_end_when_nobody_confirms_that_they_may_live_and_none_begins_until_somebody_does(
    bench: Bench,
) -> None:
    seen = bench.start("python", source=DAEMON + "time.sleep(600)")
    pid = daemon_of(bench, seen)

    bench.launcher.allow(1)
    bench.until(lambda: seen.ended)
    late = bench.run("python", source="print('late')")
    bench.launcher.allow(60_000_000)
    again = bench.run("python", source="print('again')")

    assert not alive(pid)
    for ended in (seen.exit, late.exit):
        assert ended is not None
        assert "lease" in ended.trouble, "it was lost, and did not fail by itself"
        assert ended.begun
    assert late.out == b""
    assert again.out == b"again\n"


def test_what_a_dead_worker_had_asked_for_does_not_begin_when_its_zygote_goes_on(bench: Bench, tmp_path: Path) -> None:
    began = tmp_path / "began"
    zygote = bench.start("python", source="import time\ntime.sleep(600)").child.zygote
    os.kill(zygote.pid, signal.SIGSTOP)
    bench.start("exec", argv=["/usr/bin/touch", str(began)], env=ENV)

    threading.Timer(0.2, os.kill, (zygote.pid, signal.SIGCONT)).start()
    zygote.close()

    assert not alive(zygote.pid)
    assert not began.exists()


def test_a_python_that_is_killed_at_its_start_has_lost_what_it_was_to_do(bench: Bench, tmp_path: Path) -> None:
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    seen = bench.start("python", source="print(1)", interpreter=str(slow))

    os.kill(seen.child.zygote.pid, signal.SIGKILL)
    bench.until(lambda: seen.ended)

    assert seen.exit is not None
    assert seen.exit.begun, "it is done again, and not failed as by a Python that does not work"


def test_a_python_that_breaks_at_its_start_is_told_with_what_it_said(bench: Bench, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 3\n")
    broken.chmod(0o755)

    seen = bench.run("python", source="print(1)", interpreter=str(broken))

    assert seen.exit is not None
    assert not seen.exit.begun
    assert "no such library" in seen.exit.trouble
