"""What is large and does not break? A thousand runs at once, ten million lines, a gigabyte, five thousand tasks."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from pathlib import Path

import pytest

from penstock.services.project import Manner, read_file
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project, Running

RUNS = 1_000
STEPS = 100
LINES = 10_000_000
LINE = len("00000000 of a log, with some text in it\n")
GIGA = 1024**3
MEGA = 1024**2
TOP = """  - id: each
    type: foreach
    concurrencyLimit: 0
    values: "{{ range(1, %d) }}"
    tasks:
      - id: start
        type: subflow
        namespace: acc
        flowId: hundred
        wait: false
"""
PRINTER = f"""  - id: print
    type: python.script
    script: |
      import sys
      for start in range(0, {LINES}, 1000):
          lines = [f"{{n:08d}} of a log, with some text in it\\n" for n in range(start, start + 1000)]
          sys.stdout.write("".join(lines))
"""
MAKER = f"""  - id: make
    type: python.script
    outputFiles: [big.bin]
    script: |
      import hashlib, os
      told = hashlib.sha256()
      with open("big.bin", "wb") as file:
          for number in range({GIGA // MEGA}):
              block = os.urandom(65536) * 16
              told.update(block)
              file.write(block)
      print("made", told.hexdigest())
"""
TAKER = """  - id: take
    type: python.script
    inputFiles:
      big.bin: "{{ outputs.make.outputFiles['big.bin'] }}"
    script: |
      import hashlib
      with open("big.bin", "rb") as file:
          print("took", hashlib.file_digest(file, "sha256").hexdigest())
"""


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_thousand_runs_of_a_hundred_steps_at_once_all_end_and_nothing_is_doubled(project: Project) -> None:
    tasks = (f"  - id: t{number}\n    type: return\n    format: value {number}\n" for number in range(STEPS))
    project.flow("hundred", *tasks)
    pushed = project.call("flows", "push", "flows")
    assert pushed.code == 0, pushed.err
    for name in ("one", "two"):
        project.worker(name)
    began = time.monotonic()

    project.start(project.flow("top", TOP % RUNS))

    done = "SELECT count(*) FROM runs WHERE flow = 'hundred' AND status = 'success'"
    eventually(lambda: project.rows(done)[0][0] == RUNS, "all runs end", 1500)
    print(f"{RUNS} runs of {STEPS} steps: {time.monotonic() - began:.1f} s")
    attempts = "SELECT count(*), min(number), max(number) FROM attempts WHERE step LIKE 't%'"
    assert project.rows(attempts) == [(RUNS * STEPS, 1, 1)]
    ends = "SELECT count(*) FROM events WHERE kind = 'ended' AND accepted = 1 AND step LIKE 't%'"
    assert project.rows(ends) == [(RUNS * STEPS,)]
    assert project.rows("SELECT count(*) FROM runs WHERE status <> 'success'") == [(0,)]
    assert not project.count("ready_attempts") + project.count("claimed_attempts") + project.count("inbox")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_log_of_ten_million_lines_is_kept_and_read_back_in_little_memory(project: Project) -> None:
    project.settings(log="1GiB")
    running, run_id = project.run(project.flow("lines", PRINTER))

    most = watched(running, 600)

    assert running.process.returncode == 0, running.said
    print(f"the command that ran it needed {most / MEGA:.0f} MB")
    assert most < 250 * MEGA
    size = project.store.logs.size(run_id)
    assert size == LINES * LINE
    last = project.call("runs", "logs", run_id, "--raw", "--tail", "3")
    assert last.out.splitlines() == [f"{LINES - n:08d} of a log, with some text in it" for n in (3, 2, 1)]
    at = LINES // 2 * LINE
    page = list(project.store.logs.read(run_id, start=at, end=at + 100 * LINE))
    assert len(page) <= 2
    assert page[0].offset <= at < page[0].offset + page[0].length
    reading = project.begin("runs", "logs", run_id, "--raw")
    most = watched(reading, 300)
    print(f"the command that read all of it needed {most / MEGA:.0f} MB")
    assert most < 250 * MEGA
    assert reading.said.count("\n") == LINES


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_gigabyte_is_handed_on_as_a_file_in_little_memory(light: Project) -> None:
    running, run_id = light.run(light.flow("giga", MAKER, TAKER))

    most = watched(running, 600)

    assert running.process.returncode == 0, running.said
    print(f"the command needed {most / MEGA:.0f} MB")
    assert most < 200 * MEGA
    told = light.call("runs", "logs", run_id, "--raw").out
    made, took = (re.search(rf"{word} ([0-9a-f]{{64}})", told) for word in ("made", "took"))
    assert made is not None
    assert took is not None
    assert made[1] == took[1]
    (kept,) = (one for one in light.folder.rglob("*") if one.is_file() and one.stat().st_size == GIGA)
    with kept.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == made[1]


def test_reading_a_flow_of_five_thousand_tasks_grows_with_its_length_alone(folder: Path) -> None:
    spent = {tasks: min(reading(folder, tasks, turn) for turn in range(3)) for tasks in (500, 5_000)}

    print(f"500 tasks: {spent[500]:.2f} s, 5,000 tasks: {spent[5_000]:.2f} s of processor time")
    assert spent[5_000] < 25 * spent[500]
    assert spent[5_000] < 2, "twice what the bench allows: this machine may be busy"


def reading(folder: Path, tasks: int, turn: int) -> float:
    """The processor's seconds that reading and checking a flow of so many tasks takes."""
    flow = folder / "wide.yml"
    text = "".join(
        f"  - id: t{n}\n    type: log\n    message: '{{{{ flow.id }}}} {turn} {n} {{{{ outputs.v{n}.value ?? 1 }}}}'\n"
        f"  - id: v{n}\n    type: return\n    format: '{n}'\n"
        for n in range(tasks // 2)
    )
    flow.write_text(f"id: wide\nnamespace: acc\ntasks:\n{text}")
    began = time.process_time()
    found = read_file(flow, Manner())
    spent = time.process_time() - began
    assert found.flow is not None, found.problems[:3]
    return spent


def watched(running: Running, seconds: float) -> int:
    """Wait for the end of a command; the most bytes of memory that it had."""
    place, most = Path(f"/proc/{running.process.pid}/status"), 0

    def over() -> bool:
        nonlocal most
        with contextlib.suppress(OSError):
            if found := re.search(r"VmHWM:\s+(\d+) kB", place.read_text()):
                most = max(most, int(found[1]) * 1024)
        return running.process.poll() is not None

    eventually(over, "the command ends", seconds)
    return most
