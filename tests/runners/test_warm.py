"""Does a task that shares its process with those before it see nothing of them, and is a worn process let go?"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.runners.process.kept import MEGABYTE, SECOND, Wear
from tests.runners.nest import TELL, Nest
from tests.runners.test_endings import alive, gone


@pytest.fixture
def nest(tmp_path: Path) -> Iterator[Nest]:
    """A nest in a folder of its own."""
    one = Nest(tmp_path)
    yield one
    one.close()


def nest_with(folder: Path, **wear: int) -> Nest:
    """A nest whose processes wear out so."""
    return Nest(folder, wear=Wear(**wear))


def test_one_process_does_task_after_task(nest: Nest) -> None:
    seen = [nest.do(TELL) for _ in range(5)]

    assert len({done.pid for done in seen}) == 1
    assert all(done.exit is None for done in seen)


def test_a_process_that_has_imported_more_than_a_task_needs_does_it_and_none_that_lacks_something(nest: Nest) -> None:
    look = TELL + "import sys\nmade['there'] = 'colorsys' in sys.modules\n"
    plain = nest.do(look)
    more = nest.end(nest.begin(look, library="colorsys"))
    busy = nest.begin(look)  # by the one that was used last
    beside = nest.do(look)

    again = nest.end(busy)

    assert (plain.made["there"], more.made["there"]) == (False, True)
    assert (again.pid, beside.pid) == (more.pid, plain.pid)


def test_tasks_at_the_same_time_have_a_process_each(nest: Nest) -> None:
    begun = [nest.begin(TELL) for _ in range(3)]

    seen = [nest.end(one) for one in begun]

    assert len({done.pid for done in seen}) == 3


def test_a_task_sees_nothing_of_the_one_before(nest: Nest, tmp_path: Path) -> None:
    spoil = """
import os, random, sys
os.environ["LEFT"] = "x"
del os.environ["LANG"]
os.chdir("/")
os.umask(0)
random.seed(1)
sys.stdout = sys.stderr
sys.stderr = None
"""
    own = tmp_path / "own"
    own.mkdir()
    first = nest.do(TELL, env={"PENSTOCK_RUN": "one", "SECRET": "s3cret"})
    nest.do(spoil, env={"PENSTOCK_RUN": "two"})

    second = nest.do(TELL + "print('still here')", env={"PENSTOCK_RUN": "three"}, cwd=own)

    left, found = first.made["env"], second.made["env"]
    assert isinstance(left, dict)
    assert isinstance(found, dict)
    assert second.pid == first.pid
    assert found == {name: value for name, value in left.items() if name != "SECRET"} | {"PENSTOCK_RUN": "three"}
    assert (second.made["cwd"], second.made["umask"]) == (str(own), 0o022)
    assert second.out == b"still here\n"


def test_random_numbers_are_not_those_that_a_seed_before_would_give(nest: Nest) -> None:
    nest.do("import random\nrandom.seed(1)")

    told = [nest.do(TELL).made["random"] for _ in range(3)]

    assert random.Random(1).random() not in told
    assert len(set(told)) == 3


def test_what_a_task_prints_is_its_own_by_whichever_way(nest: Nest) -> None:
    talk = "import os, sys\nsys.stdout.write('{0} out')\nos.write(1, b'{0} raw')\nsys.stderr.write('{0} err')"

    first, second = (nest.do(talk.format(name)) for name in ("one", "two"))

    assert sorted((first.out[:7], first.out[7:])) == [b"one out", b"one raw"]
    assert first.err == b"one err"
    assert b"one" not in second.out + second.err
    assert second.err == b"two err"


def test_a_lot_of_text_is_all_there_when_the_process_is_free(nest: Nest) -> None:
    seen = nest.do("print('x' * 3_000_000)")

    assert len(seen.out) == 3_000_001


def test_a_payload_of_any_size_is_taken_and_stands_nowhere_else(nest: Nest) -> None:
    look = "made['seen'] = open('/proc/self/environ').read() + open('/proc/self/cmdline').read()"

    seen = nest.do(look + f"\nword = '{'s3cret' * 500_000}'\nmade['size'] = len(word)", env={"TOKEN": "t0ken"})

    assert seen.made["size"] == 3_000_000
    assert "s3cret" not in str(seen.made["seen"])
    assert "t0ken" not in str(seen.made["seen"])


@pytest.mark.parametrize("failing", ["raise ValueError('no good')", "import sys\nsys.exit(3)", "raise MemoryError"])
def test_a_task_that_fails_leaves_its_process_to_others(nest: Nest, failing: str) -> None:
    before = nest.do(TELL)

    failed = nest.do(failing)
    after = nest.do(TELL)

    assert failed.frames[-1]["outcome"] == "failed"
    assert failed.exit is None
    assert after.pid == before.pid


@pytest.mark.parametrize(
    "leaving",
    [
        "import subprocess\nleft = subprocess.Popen(['/bin/sleep', '600'])",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
        "import sys\nsys.modules['left'] = open('/dev/null')",
        "import os\nos.dup2(2, 1)",
        "import os\nos.close(1)",
        "import sys\nsys.stdout.close()",
        "context._transport._asked += 1",
    ],
    ids=["process", "thread", "descriptor", "stream", "no stream", "closed stream", "question"],
)
def test_what_a_task_leaves_behind_ends_its_process_with_it(nest: Nest, leaving: str) -> None:
    done = nest.do(TELL + leaving)
    after = nest.do(TELL)

    assert done.exit is not None
    assert done.exit.code == 0
    assert done.frames[-1]["outcome"] == "done"
    assert after.pid != done.pid


def test_a_process_that_a_task_leaves_running_is_dead_before_the_end_is_told(nest: Nest) -> None:
    done = nest.do(TELL + "import subprocess\nmade['left'] = subprocess.Popen(['/bin/sleep', '600']).pid")

    assert not alive(int(str(done.made["left"])))


def test_a_thread_that_has_something_to_say_is_waited_for(nest: Nest) -> None:
    late = "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.1), print('late'))).start()"

    assert nest.do(late).out == b"late\n"


def test_a_process_below_that_has_ended_does_no_harm(nest: Nest) -> None:
    over = "import os, subprocess\nleft = subprocess.Popen(['/bin/true'])\nos.waitid(os.P_PID, left.pid, 0x1000004)"

    done = nest.do(TELL + over)

    assert nest.do(TELL).pid == done.pid


def test_a_process_is_let_go_after_so_many_tasks(tmp_path: Path) -> None:
    nest = nest_with(tmp_path, attempts=2)

    pids = [nest.do(TELL).pid for _ in range(5)]
    nest.close()

    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


def test_a_process_is_let_go_at_an_age(tmp_path: Path) -> None:
    nest = nest_with(tmp_path, age=100, idle=SECOND)
    first = nest.do(TELL).pid
    nest.now = 99
    second = nest.do(TELL).pid
    nest.now = 100
    nest.launcher.stop_idle(nest.now)
    third = nest.do(TELL).pid
    nest.now = 250
    fourth, fifth = nest.do(TELL).pid, nest.do(TELL).pid
    nest.close()

    assert first == second != third
    assert third == fourth != fifth, "a task begun late is done, and is the last"


@pytest.mark.parametrize("wear", [{"growth": 50 * MEGABYTE}, {"memory": 90 * MEGABYTE}])
def test_a_process_is_let_go_when_its_memory_has_grown(tmp_path: Path, wear: dict[str, int]) -> None:
    nest = nest_with(tmp_path, **wear)
    grow = TELL + "import sys\nsys.modules['kept'] = bytearray(b'x') * 100_000_000"

    pids = [nest.do(TELL).pid, nest.do(grow).pid, nest.do(TELL).pid]
    nest.close()

    assert pids[0] == pids[1] != pids[2]


def test_a_process_that_nobody_needs_ends_and_its_zygote_after_it(nest: Nest) -> None:
    done = nest.do(TELL)
    handle = os.pidfd_open(int(str(done.pid)))

    nest.launcher.stop_idle(60 * SECOND)
    nest.until(lambda: nest.launcher.running() == 0)
    nest.launcher.stop_idle(0)
    nest.launcher.stop_idle(10**12)

    assert gone(handle)
    assert not alive(done.warm.child.zygote.pid)
    assert nest.do(TELL).pid != done.pid


def test_no_more_wait_than_are_wanted(tmp_path: Path) -> None:
    nest = Nest(tmp_path, most=1)
    begun = [nest.begin(TELL) for _ in range(3)]

    seen = [nest.end(one) for one in begun]
    nest.until(lambda: nest.launcher.running() == 1)
    last = nest.do(TELL).pid
    nest.close()

    assert last == seen[-1].pid


def test_a_kill_in_the_middle_ends_all_of_it_and_another_takes_its_place(nest: Nest) -> None:
    before = nest.do(TELL)
    begun = nest.begin(
        TELL + "import subprocess, time\nsubprocess.Popen(['/bin/sleep', '600'])\nprint('up')\ntime.sleep(600)"
    )
    nest.until(lambda: begun.out == b"up\n")

    begun.warm.child.kill()
    nest.end(begun)
    after = nest.do(TELL)

    assert begun.exit is not None
    assert begun.exit.signal == signal.SIGKILL
    assert after.pid != before.pid


def test_a_request_to_end_is_heeded_at_once(nest: Nest) -> None:
    nest.do(TELL)
    begun = nest.begin("import time\nprint('up')\ntime.sleep(600)")
    nest.until(lambda: begun.out == b"up\n")

    begun.warm.child.terminate()
    nest.end(begun)

    assert begun.exit is not None
    assert begun.exit.signal == signal.SIGTERM


def test_one_that_died_while_it_waited_is_not_given_out(nest: Nest) -> None:
    done = nest.do(TELL)
    handle = os.pidfd_open(int(str(done.pid)))
    os.kill(int(str(done.pid)), signal.SIGKILL)
    assert gone(handle)

    after = nest.do(TELL)

    assert after.pid != done.pid
    assert after.exit is None


def test_those_that_wait_end_with_the_launcher_and_when_nobody_confirms_that_they_may_live(nest: Nest) -> None:
    first = nest.do(TELL)
    nest.launcher.allow(1)
    nest.until(lambda: nest.launcher.running() == 0)
    nest.launcher.allow(60 * SECOND)
    second = nest.do(TELL)

    nest.launcher.close()

    assert not alive(int(str(first.pid)))
    assert not alive(int(str(second.pid)))
