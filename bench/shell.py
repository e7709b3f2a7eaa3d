"""How long does a person wait for a command? Whole processes, as a shell starts them."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figure import Figure, figure, paired

TIMES = 15
HELLO = "id: hello\nnamespace: bench\ntasks:\n  - id: say\n    type: log\n    message: Hello\n"
FRESH = "id: fresh\nnamespace: bench\ntasks:\n  - id: say\n    type: python.script\n    script: print('Hello')\n"


def help_() -> list[Figure]:
    """`penstock --help`, ms."""
    seen, low = paired(lambda: _spent(["-m", "penstock", "--help"]), lambda: _spent(["-c", "pass"]), TIMES)
    return [figure("help", "ms", seen, floor=low, bar=150)]


def import_() -> list[Figure]:
    """`import penstock`, ms, python's own start included."""
    seen, low = paired(lambda: _spent(["-c", "import penstock"]), lambda: _spent(["-c", "pass"]), TIMES)
    return [figure("import", "ms", seen, floor=low, bar=80)]


def run_one() -> list[Figure]:
    """`penstock run hello.yml` in a folder where nothing is yet, and in one with a history; ms."""
    found = []
    for text, note in ((HELLO, "a log task"), (FRESH, "a python task, a process of its own")):
        with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
            Path(folder, "hello.yml").write_text(text)
            run = functools.partial(_spent, ["-m", "penstock", "run", "hello.yml"], folder)
            seen, low = paired(run, lambda: _spent(["-c", "import sqlite3, json, socket"]), TIMES)
        found.append(figure("run_one", "ms", seen, floor=low, bar=300, note=note))
    return found


def _spent(arguments: list[str], folder: str | None = None) -> float:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environ, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1e3
