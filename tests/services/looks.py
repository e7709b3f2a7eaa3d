"""How do tests of triggers have somebody look? A desk: an office whose scheduler starts looks and takes their ends."""

from __future__ import annotations

from typing import Any

from penstock.model.access import EVERYWHERE
from penstock.model.flow import Flow
from penstock.model.inputs import Input
from penstock.model.node import Sequence, Task
from penstock.model.run import Run
from penstock.model.status import Outcome
from penstock.model.trigger import Polling
from penstock.services import flows
from penstock.services.scheduler import polling
from penstock.services.scheduler.lead import Lead
from penstock.store import runs
from penstock.store import triggers as table
from penstock.store.triggers import State
from tests.services.office import Office

SECOND = 1_000_000
MINUTE = 60 * SECOND
FOUND = {"files": ["a.csv"]}


class Desk:
    """An office whose scheduler has workers look for triggers."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.lead = Lead(office.core, "one")

    def push(self, trigger: Any, **given: Any) -> None:
        """Store a flow with a trigger."""
        body = Sequence(id="", nodes=(Task(id="say", type="log", properties={"message": "hello"}),))
        inputs = (Input(id="what", type="JSON", required=False),)
        fields: dict[str, Any] = {"id": "load", "namespace": "shop", "body": body, "inputs": inputs}
        written = Flow(**(fields | {"triggers": (trigger,)} | given))
        flows.push(self.office.core, written, str(written), str(written))

    def fire(self, lead: Lead | None = None) -> None:
        """What the scheduler does when it wakes."""
        who = lead or self.lead
        if who.seek():
            while polling.fire(self.office.core, who):
                pass

    def look(self, does: object = Outcome.SKIPPED) -> list[str]:
        """Have a look begin, and end; gives the steps that were done."""
        self.fire()
        done = self.office.work({"look": does})
        self.fire()
        return done

    def after(self, seconds: float, does: object = Outcome.SKIPPED) -> list[str]:
        """The same some time later."""
        self.office.clock.advance(round(seconds * SECOND))
        return self.look(does)

    def started(self) -> list[Run]:
        """The runs that people see."""
        return sorted(
            self.office.store.read(lambda tx: runs.list_runs(tx, runs.Filter(), 1_000)), key=lambda run: run.id
        )

    def every(self) -> list[Run]:
        """All runs, the looks too."""
        return self.office.store.read(lambda tx: runs.list_runs(tx, runs.Filter(every=True), 1_000))

    def state(self) -> State:
        """What is known of the trigger."""
        (state,) = self.office.store.read(lambda tx: table.list_states(tx, EVERYWHERE))
        return state


def polls(**given: Any) -> Polling:
    fields: dict[str, Any] = {"id": "new", "type": "log", "interval": MINUTE, "properties": {"message": "look"}}
    return Polling(**(fields | given))
