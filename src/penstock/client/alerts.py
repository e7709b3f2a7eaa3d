"""What can be asked of a server about alerts, and done with them?"""

from __future__ import annotations

from dataclasses import dataclass

from penstock.client.paging import Everything, whole
from penstock.client.shapes.alerts import AlertRow, AlertTested
from penstock.client.wire import Ask, Wire, path


@dataclass(frozen=True, slots=True)
class Alerts:
    """What people want to be told of."""

    wire: Wire

    def put(
        self, name: str, watches: str, *, namespace: str = "", after: float = 0, tells: str = "", url: str = ""
    ) -> AlertRow:
        """Be told of something in a namespace and below it: by a run of a flow (`namespace.flow`), a call, or both."""
        teller, _, flow = tells.rpartition(".")
        body = {
            "watches": watches,
            "namespace": namespace,
            "after": after,
            "tells_namespace": teller,
            "tells": flow,
            "url": url,
        }
        return self.wire.ask(Ask(method="PUT", path=path("alerts", name), body=body, safe=True), AlertRow)

    def test(self, name: str) -> str:
        """Have it tell of something that did not happen; gives the run that tells, where one does."""
        return self.wire.ask(Ask(method="POST", path=path("alerts", name, "test")), AlertTested).run

    def delete(self, name: str) -> None:
        """Be told no more."""
        self.wire.ask(Ask(method="DELETE", path=path("alerts", name)), type(None))

    def list(self) -> tuple[AlertRow, ...]:
        """Alerts by name, with what was told and is not over."""
        return whole(self.wire, path("alerts"), {}, Everything[AlertRow])
