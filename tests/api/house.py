"""How does a test call the API? A house: a store with flows and runs in it, the application, and a client for each who
asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.testclient import TestClient

from penstock.api.serve import Served
from penstock.app import App, open_app
from penstock.cli.drive import worker_options
from penstock.model.access import Actor, Grant
from penstock.model.plan import Plan
from penstock.services import flows
from penstock.services.project import Manner, read_text
from penstock.services.runs import Start, start
from penstock.services.worker.loop import Worker
from penstock.settings.read import Project
from penstock.store import runs

WHO = "X-Test-Who"
OWNER = Actor(name="ann", grants=(Grant("owner"),))
ACTORS = {
    "ann": OWNER,
    "viewer": Actor(name="viewer", grants=(Grant("viewer", "shop"),)),
    "operator": Actor(name="operator", grants=(Grant("operator", "shop"),)),
    "editor": Actor(name="editor", grants=(Grant("editor", "shop"),)),
    "admin": Actor(name="admin", grants=(Grant("admin"),)),
    "other": Actor(name="other", grants=(Grant("owner", "other"),)),
    "nobody": Actor(name="nobody"),
}
HELLO = """
id: hello
namespace: shop
inputs:
  - id: who
    type: STRING
    defaults: you
tasks:
  - id: say
    type: log
    message: "hello {{ inputs.who }}"
  - id: give
    type: return
    format: "{{ inputs.who }}"
"""
WAITS = """
id: waits
namespace: shop
tasks:
  - id: ask
    type: pause
  - id: after
    type: log
    message: it went on
"""


def who(request: Request) -> Actor | None:
    """Who a test says that it is."""
    return ACTORS.get(request.headers.get(WHO, ""))


class House:
    """A store, the application on it, and clients; opens with a folder and an address, closes all of it."""

    def __init__(self, folder: Path, store: str) -> None:
        self.app: App = open_app(Project(root=folder), {}, store=store)
        self.core = self.app.core
        self.served = Served(self.app, who)
        self.client = self.as_("ann")
        self.run = self.backfill = ""

    def as_(self, name: str) -> TestClient:
        """A client of somebody; the empty name is a stranger."""
        return TestClient(self.served.asgi, headers={WHO: name} if name else {}, raise_server_exceptions=False)

    def push(self, text: str = HELLO) -> Plan:
        """Put a flow into the store."""
        reading = read_text(text, Manner())
        assert reading.flow is not None, reading.problems
        return flows.push(self.core, reading.flow, reading.source, reading.digest, "ann")

    def start(self, plan: Plan, inputs: Mapping[str, object] | None = None, **asked: Any) -> str:
        """Start a run."""
        return start(self.core, plan, Start(inputs=dict(inputs or {}), by="ann", **asked))

    def work(self) -> None:
        """Do what there is to do, until every run has ended or waits for somebody."""
        worker = Worker(self.core, worker_options(self.app, "bee", slots=2))
        try:
            worker.run_until(self._idle)
        finally:
            worker.close()

    def ran(self, text: str = HELLO, inputs: Mapping[str, object] | None = None) -> str:
        """Run a flow to its end, and give the run."""
        run_id = self.start(self.push(text), inputs)
        self.work()
        return run_id

    def close(self) -> None:
        """Close all of it."""
        self.served.close()
        self.app.close()

    def _idle(self) -> bool:
        going = self.core.store.read(lambda tx: runs.counts(tx))
        return all(status.ended or status == "paused" for status in going)
