"""Is what was committed there after kill -9, and is the file whole?"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from penstock.store import queue, runs
from penstock.store.sqlite.store import open_sqlite
from tests.store.makers import NOW

WRITER = """
import sys
from pathlib import Path
from penstock.store import runs
from penstock.store.sqlite.store import open_sqlite
from tests.store.makers import a_run, ready

store = open_sqlite(Path(sys.argv[1]))
while True:
    run = a_run(inputs={"text": "x" * 5000})
    store.write(lambda tx: (runs.insert(tx, run), ready(tx, run.id, "a")))
    print(run.id, flush=True)
"""


def test_what_a_killed_writer_had_committed_is_there_and_nothing_half(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True, env=environment
    ) as it:
        assert it.stdout
        told = [it.stdout.readline().strip() for _ in range(30)]
        it.send_signal(signal.SIGKILL)
        told += it.stdout.read().split("\n")[:-1]

    with closing(open_sqlite(path)) as store:
        kept = {run.id for run in store.read(lambda tx: runs.list_runs(tx, runs.Filter(), 100_000))}
        claims = {one.run for one in store.write(lambda tx: queue.claim(tx, "w", 100_000, NOW))}

    assert it.returncode == -signal.SIGKILL
    assert set(told) <= kept
    assert len(kept) <= len(set(told)) + 1
    assert claims == kept
    with closing(sqlite3.connect(path)) as session:
        assert session.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_killed_writer_leaves_no_ticket_behind(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    code = "import sys, signal, os\nfrom pathlib import Path\nfrom penstock.store.sqlite.store import open_sqlite\n"
    code += "store = open_sqlite(Path(sys.argv[1]))\nstore.write(lambda tx: os.kill(os.getpid(), signal.SIGKILL))\n"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}

    died = subprocess.run([sys.executable, "-c", code, path], env=environment, check=False)

    assert died.returncode == -signal.SIGKILL
    with closing(open_sqlite(path)) as store:
        assert store.write(runs.counts) == {}
