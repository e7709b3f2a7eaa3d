"""How does a test drive Penstock as users do? A project's folder, the command line in processes, and its store."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psycopg

import penstock
from penstock.app.databases import open_store
from penstock.clock import SystemClock
from penstock.model.event import Ended
from penstock.model.run import Run
from penstock.services.core import Core
from penstock.services.plans import Plans
from penstock.services.secrets.local import of_machine
from penstock.services.stored import Stored
from penstock.store import events, runs, workers
from penstock.store.blobs.local import open_folder
from penstock.store.events import Told
from penstock.store.port import Tx
from tests.acceptance.observe import Seen, eventually, processes_of
from tests.verified import check_verified

PENSTOCK = (sys.executable, "-m", "penstock")
SOURCES = str(Path(penstock.__file__).parents[1])


class Said(msgspec.Struct, frozen=True):
    """What a command left: its exit code, its data, and what it told besides."""

    code: int
    out: str
    err: str


class Running:
    """A command that runs; `kill` ends it as a power cut would."""

    def __init__(self, process: subprocess.Popen[bytes], heard: Path) -> None:
        self.process = process
        self._heard = heard

    @property
    def said(self) -> str:
        """What it has written so far, to stdout and stderr."""
        return self._heard.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command itself."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def ended(self, seconds: float = 20.0) -> int:
        """Wait for its end and give its exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it has not ended within {seconds:g} s, and said:\n{self.said}") from None


class Project:
    """A folder with flows, and a store of its own; closes by ending whatever was started in it.

    Tasks tell what they do by lines of the file `trace`, and wait for files of the folder `gates`.
    """

    def __init__(self, folder: Path, address: str = "") -> None:
        self.folder = folder
        self.address = address or str(folder / ".penstock" / "penstock.db")
        self.trace = folder / "trace"
        self.gates = folder / "gates"
        self.gates.mkdir()
        (folder / "flows").mkdir()
        self.trace.touch()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK")}
        self.environment |= {"HOME": str(folder), "PENSTOCK_STORE": self.address, "PYTHONPATH": SOURCES}
        self._running: list[Running] = []
        self._numbers = itertools.count()
        self.settings()
        self.store = open_store(self.address, SystemClock(), migrate=True)

    @property
    def on_postgres(self) -> bool:
        """Whether the store is a server."""
        return self.address.startswith("postgresql://")

    def settings(self, **limits: object) -> None:
        """Write penstock.yaml with these limits."""
        lines = "".join(f"  {name}: {value}\n" for name, value in ({"grace": "PT2S"} | limits).items())
        (self.folder / "penstock.yaml").write_text(f"namespace: acc\nlimits:\n{lines}")

    def flow(self, name: str, *tasks: str, more: str = "") -> str:
        """Write a flow of these tasks, and give its name."""
        text = f"id: {name}\nnamespace: acc\n{more}tasks:\n" + "".join(tasks)
        (self.folder / "flows" / f"{name}.yml").write_text(text)
        return name

    def step(self, name: str, *, gate: str = "", script: str = "", more: str = "") -> str:
        """A shell task that tells its beginning and its end, and waits between them for a gate where one is named.

        The script stands before both.
        """
        lines = [*script.splitlines(), f'echo "begin {name} $PENSTOCK_ATTEMPT" >> {self.trace}']
        if gate:
            lines.append(f"while [ ! -e {self.gates / gate} ]; do sleep 0.02; done")
        lines.append(f'echo "end {name} $PENSTOCK_ATTEMPT" >> {self.trace}')
        body = "".join(f"      {line}\n" for line in lines)
        return f"  - id: {name}\n    type: shell.script\n{indented(more, 4)}    script: |\n{body}"

    def open(self, gate: str) -> None:
        """Let the tasks go on that wait for a gate."""
        (self.gates / gate).touch()

    def lines(self, beginning: str = "") -> list[str]:
        """What tasks have told, as far as it begins so."""
        return [line for line in self.trace.read_text().splitlines() if line.startswith(beginning)]

    def told(self, line: str, seconds: float = 20.0) -> None:
        """Wait until a task has told a line that begins so."""
        eventually(lambda: self.lines(line), f'a task tells "{line}"', seconds)

    def call(self, *words: str) -> Said:
        """Call penstock and wait for it."""
        done = subprocess.run(
            [*PENSTOCK, *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def begin(self, *words: str, prefix: Sequence[str] = (), environment: dict[str, str] | None = None) -> Running:
        """Call penstock without waiting for it."""
        heard = self.folder / f"said-{next(self._numbers)}"
        with heard.open("wb") as out:
            process = subprocess.Popen(
                [*prefix, *PENSTOCK, *words],
                cwd=self.folder,
                env=self.environment | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(Running(process, heard))
        return self._running[-1]

    def start(self, flow: str) -> str:
        """Start a run for whichever worker comes, and give its id."""
        said = self.call("run", flow, "--no-wait")
        assert said.code == 0, said.err
        return said.out.strip()

    def worker(self, name: str, *words: str, prefix: Sequence[str] = ()) -> Running:
        """Start a worker, and wait until it is known."""
        started = self.begin("worker", "--name", name, *words, prefix=prefix)

        def known() -> bool:
            assert started.process.poll() is None, started.said
            return any(one.id == name for one in self.store.read(workers.list_workers))

        eventually(known, f"worker {name} is known")
        return started

    def run(self, flow: str, *words: str) -> tuple[Running, str]:
        """Run a flow by `penstock run` without waiting for its end; the command and the run's id."""
        before = {run.id for run in self.runs()}
        started = self.begin("run", flow, *words)

        def made() -> set[str]:
            found = {run.id for run in self.runs()} - before
            assert found or started.process.poll() is None, started.said
            return found

        return started, eventually(made, f"{flow} runs").pop()

    def runs(self) -> list[Run]:
        """Every run."""
        return self.store.read(lambda tx: runs.list_runs(tx, runs.Filter(), 1000))

    def of(self, run_id: str) -> Run:
        """One run."""
        found = self.store.read(lambda tx: runs.load(tx, run_id))
        assert found is not None
        return found

    def document(self, run_id: str) -> dict[str, Any]:
        """A run as `penstock runs show` tells it."""
        said = self.call("runs", "show", run_id, "--json")
        assert said.code == 0, said.err
        document: dict[str, Any] = msgspec.json.decode(said.out)
        return document

    def finished(self, run_id: str, seconds: float = 30.0) -> Run:
        """Wait until a run has ended."""
        try:
            eventually(lambda: self.of(run_id).status.ended, f"run {run_id} ends", seconds)
        except AssertionError as late:
            heard = "\n".join(f"--- {running.process.args!r}\n{running.said}" for running in self._running)
            raise AssertionError(f"{late}\n{self.of(run_id)}\n{heard}") from None
        return self.of(run_id)

    def story(self, run_id: str) -> list[Told]:
        """All that happened to a run, refused reports included."""
        return self.store.read(lambda tx: events.every(tx, run_id))

    def ends(self, run_id: str) -> list[Ended]:
        """The ends of attempts that were accepted."""
        return [told.event for told in self.story(run_id) if told.accepted and isinstance(told.event, Ended)]

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Look into the database beside Penstock."""
        if self.on_postgres:
            with psycopg.connect(self.address) as session:
                return session.execute(query.encode()).fetchall()
        with contextlib.closing(sqlite3.connect(self.address)) as light:
            return light.execute(query).fetchall()

    @contextlib.contextmanager
    def unwritable(self) -> Iterator[None]:
        """Hold what a report must write, so that none is committed meanwhile."""
        if self.on_postgres:
            with psycopg.connect(self.address) as session:
                session.execute("LOCK TABLE claimed_attempts IN EXCLUSIVE MODE")
                yield
                session.rollback()
            return
        inside, leave = threading.Event(), threading.Event()

        def hold(_tx: Tx) -> bool:
            inside.set()
            return leave.wait()

        holder = threading.Thread(target=self.store.write, args=(hold,))
        holder.start()
        inside.wait()
        try:
            yield
        finally:
            leave.set()
            holder.join()

    def alive(self, *spared: Running) -> list[Seen]:
        """What is alive of all that was started here; the spared ones and their zygotes apart."""
        pids = {running.process.pid for running in spared}
        seen = [one for one in processes_of(self.folder) if one.pid not in pids]
        return [one for one in seen if not (spared and one.is_zygote)]

    def zygote(self) -> Seen:
        """The one process that forks attempts."""
        (found,) = [one for one in processes_of(self.folder) if one.is_zygote]
        return found

    def close(self) -> None:
        """End everything that was started here, and see that every run is what its events make it."""
        for running in self._running:
            if running.process.poll() is None:
                running.kill()
        eventually(lambda: not self._left(), "nothing is left of the test")
        try:
            check_verified(self._core())
        finally:
            self.store.close()

    def _core(self) -> Core:
        """The services of this process, on the store that the commands used."""
        files = Stored(open_folder(self.folder / ".penstock" / "blobs"))
        return Core(self.store, files, SystemClock(), Plans(), of_machine({}))

    def _left(self) -> list[Seen]:
        left = processes_of(self.folder)
        for one in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
        return left


def indented(text: str, by: int) -> str:
    """Lines with blanks before them."""
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())
