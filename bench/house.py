"""How does a bench run flows? In a project of its own in a fresh folder, on SQLite or on a PostgreSQL of its own."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from penstock.app import App, open_app
from penstock.model.plan import Plan
from penstock.model.run import Run
from penstock.services import runs
from penstock.services.flows import push
from penstock.services.project import Manner, read_file
from penstock.services.worker.loop import Options, Worker
from penstock.settings.read import Project
from penstock.store import runs as table
from projects.servers.postgres import postgres_server

DATABASES = ("sqlite", "postgres")


class Bed:
    """A project opened for measuring, with a worker in this process."""

    def __init__(self, app: App, root: Path, slots: int) -> None:
        self.app = app
        self.root = root
        self.core = app.core
        self.worker = Worker(app.core, Options(id="bench", slots=slots))

    def flow(self, text: str) -> Plan:
        """Push a flow written in the kestra dialect."""
        path = self.root / "flow.yml"
        path.write_text(text)
        reading = read_file(path, Manner(namespace="bench"))
        assert reading.flow is not None, reading.problems
        return push(self.core, reading.flow, reading.source, reading.digest)

    def run(self, plan: Plan) -> float:
        """Run a flow once in this process, and give the seconds from start to its end."""
        began = time.perf_counter()
        run_id = runs.start(self.core, plan, runs.Start(owner="bench"))
        found: list[Run] = []

        def ended() -> bool:
            run = self.core.store.read(lambda tx: table.load(tx, run_id))
            assert run is not None
            found[:] = [run]
            return run.status.ended

        self.worker.run_until(ended)
        spent = time.perf_counter() - began
        assert found[0].status == "success", f"{found[0].status}: {found[0].failure}"
        return spent


@contextlib.contextmanager
def folder_on(database: str) -> Iterator[tuple[Path, list[str]]]:
    """A folder of its own, and the words by which a command keeps its runs in the database; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder, contextlib.ExitStack() as stack:
        words: list[str] = []
        if database == "postgres":
            server = stack.enter_context(postgres_server(Path(folder, "postgres")))
            words = ["--store", server.create_database("bench")]
        yield Path(folder), words


@contextlib.contextmanager
def bed(database: str, *, slots: int = 0) -> Iterator[Bed]:
    """A project in a folder of its own, gone afterwards; `database` is `sqlite`, `postgres`, or a store's address."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder, contextlib.ExitStack() as stack:
        root = Path(folder)
        store = database if "://" in database else ""
        if database == "postgres":
            server = stack.enter_context(postgres_server(root / "postgres"))
            store = server.create_database("bench")
        app = stack.enter_context(open_app(Project(root=root), os.environ, store=store))
        made = Bed(app, root, slots or os.cpu_count() or 2)
        stack.callback(made.worker.close)
        made.worker.start()
        yield made
