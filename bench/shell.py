"""How long does a person wait for a command? Whole processes, as a shell starts them."""

from __future__ import annotations

import functools
import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

from bench.figure import Figure, figure, paired
from bench.house import DATABASES, folder_on

TIMES = 15
HELLO = "id: hello\nnamespace: bench\ntasks:\n  - id: say\n    type: log\n    message: Hello\n"
FRESH = "id: fresh\nnamespace: bench\ntasks:\n  - id: say\n    type: python.script\n    script: print('Hello')\n"


FLOWS = ((HELLO, "a log task"), (FRESH, "a python task, a process of its own"))


def help_() -> list[Figure]:
    """`penstock --help`, ms."""
    seen, low = paired(lambda: spent(["-m", "penstock", "--help"]), lambda: spent(["-c", "pass"]), TIMES)
    return [figure("help", "ms", seen, floor=low, bar=150)]


def import_() -> list[Figure]:
    """`import penstock`, ms, python's own start included."""
    seen, low = paired(lambda: spent(["-c", "import penstock"]), lambda: spent(["-c", "pass"]), TIMES)
    return [figure("import", "ms", seen, floor=low, bar=80)]


def run_one() -> list[Figure]:
    """`penstock run hello.yml` in a folder where nothing is yet, and in one with a history; ms."""
    found = []
    for database, (text, note) in itertools.product(DATABASES, FLOWS):
        with folder_on(database) as (folder, store):
            (folder / "hello.yml").write_text(text)
            run = functools.partial(spent, ["-m", "penstock", "run", "hello.yml", *store], folder)
            seen, low = paired(run, lambda: spent(["-c", "import sqlite3, json, socket"]), TIMES)
        bar = 300 if database == "sqlite" else None
        found.append(figure("run_one", "ms", seen, floor=low, database=database, bar=bar, note=note))
    return found


def spent(arguments: list[str], folder: Path | None = None) -> float:
    """Milliseconds that a command of our Python takes."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environ, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1e3
