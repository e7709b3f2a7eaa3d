"""Who starts the runs of a bench, so that its worker need not? A process of its own, told how many by a line."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.plain import Plain
from penstock.app import open_app
from penstock.services import runs
from penstock.services.flows import newest_plan
from penstock.settings.read import Project


class Starter:
    """A process that starts runs of the flow `bench.two`, or the floor's; opened by `starter`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.hear()

    def start(self, count: int) -> None:
        """Let it begin to start so many runs, as fast as it can; `hear` waits until it has."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()

    def hear(self) -> None:
        """Wait for its word that it is ready, or done."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", "the starter died"


@contextlib.contextmanager
def starter(kind: str, root: Path, store: str) -> Iterator[Starter]:
    """Run a starter; `kind` is `ours` or `plain`."""
    command = [sys.executable, "-m", "bench.starter", kind, str(root), store]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield Starter(process)
        assert process.stdin is not None
        process.stdin.close()


def main() -> None:
    """Start as many runs as each line says."""
    kind, root, store = sys.argv[1:]
    with contextlib.ExitStack() as stack:
        if kind == "plain":
            start = stack.enter_context(contextlib.closing(Plain(store, make=False))).start
        else:
            app = stack.enter_context(open_app(Project(root=Path(root)), os.environ, store=store))
            plan = newest_plan(app.core, "bench", "two", None)

            def start(count: int) -> None:
                for _ in range(count):
                    runs.start(app.core, plan, runs.Start())

        print("ready", flush=True)
        for line in sys.stdin:
            start(int(line))
            print("ready", flush=True)


if __name__ == "__main__":
    main()
