"""What can be asked of a server about triggers and backfills, and done with them?"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from penstock.client.paging import Everything, Page, paged, whole
from penstock.client.shapes.times import BackfillRow, BackfillRunRow, BackfillStarted, DateRow, Retried, TriggerRow
from penstock.client.wire import Ask, Wire, path
from penstock.model.backfill import ItemStatus


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"begin": "from", "end": "to"}):
    """What a backfill fills in: the dates of a span, those of a trigger of the flow or `every`, or sets of inputs.

    Inputs and labels may be templates: `{{ date }}`.
    """

    begin: datetime.datetime | str | None = None
    end: datetime.datetime | str | None = None
    trigger: str = ""
    every: str = ""
    timezone: str = ""
    sets: Sequence[Mapping[str, object]] = ()
    inputs: Mapping[str, object] = {}
    labels: Mapping[str, str] = {}
    newest_first: bool = False
    only_missing: bool = False


@dataclass(frozen=True, slots=True)
class Triggers:
    """What starts the flows of a server by itself."""

    wire: Wire

    def switch(self, namespace: str, flow: str, trigger: str, *, on: bool) -> TriggerRow:
        """Switch a trigger on or off; switched on it counts from now. Raises UnknownTrigger."""
        place = path("triggers", namespace, flow, trigger, "on")
        return self.wire.ask(Ask(method="PUT", path=place, body={"on": on}, safe=True), TriggerRow)

    def dates(
        self,
        namespace: str,
        flow: str,
        trigger: str,
        *,
        after: datetime.datetime | str = "",
        skipped: bool = False,
        limit: int = 20,
    ) -> tuple[DateRow, ...]:
        """The next dates of a schedule, and what its runs will be given; those too that are skipped, if wanted."""
        query = {"after": after, "skipped": skipped, "limit": limit}
        return whole(self.wire, path("triggers", namespace, flow, trigger, "dates"), query, Everything[DateRow])

    def list(self, *, namespace: str = "") -> Iterator[TriggerRow]:
        """Triggers of the flows' newest revisions, of a namespace and those below it."""
        return paged(self.wire, path("triggers"), {"namespace": namespace, "limit": 500}, Page[TriggerRow])


@dataclass(frozen=True, slots=True)
class Backfills:
    """The backfills of a server."""

    wire: Wire

    def start(
        self, namespace: str, flow: str, span: Span, *, at_once: int = 4, dry_run: bool = False
    ) -> BackfillStarted:
        """Begin a backfill; dry, only tell what would run. Raises UnknownFlow, NothingToBackfill."""
        about = {"namespace": namespace, "flow": flow, "at_once": at_once, "dry_run": dry_run}
        body = msgspec.to_builtins(span) | about
        return self.wire.ask(Ask(method="POST", path=path("backfills"), body=body, safe=dry_run), BackfillStarted)

    def get(self, backfill: str) -> BackfillRow:
        """One backfill, and how far it is. Raises UnknownBackfill."""
        return self.wire.ask(Ask(method="GET", path=path("backfills", backfill), safe=True), BackfillRow)

    def runs(self, backfill: str, *, status: Sequence[ItemStatus | str] = ()) -> Iterator[BackfillRunRow]:
        """Its runs in their order."""
        query = {"status": [str(each) for each in status], "limit": 500}
        return paged(self.wire, path("backfills", backfill, "runs"), query, Page[BackfillRunRow])

    def pause(self, backfill: str) -> BackfillRow:
        """Start no further runs for now; those that go may end."""
        return self._do(backfill, "pause")

    def resume(self, backfill: str, at_once: int | None = None) -> BackfillRow:
        """Go on starting runs, at most so many at once from now on."""
        return self._do(backfill, "resume", {"at_once": at_once})

    def cancel(self, backfill: str, *, kill: bool = False) -> BackfillRow:
        """Start no more of its runs, and end those that go, if wanted."""
        return self._do(backfill, "cancel", {"kill": kill})

    def retry(self, backfill: str) -> int:
        """Start anew what failed, or was left; gives how many runs those are."""
        return self.wire.ask(Ask(method="POST", path=path("backfills", backfill, "retry")), Retried).runs

    def list(self, *, namespace: str = "", flow: str = "") -> Iterator[BackfillRow]:
        """Backfills, newest first."""
        query = {"namespace": namespace, "flow": flow, "limit": 200}
        return paged(self.wire, path("backfills"), query, Page[BackfillRow])

    def _do(self, backfill: str, verb: str, body: object = None) -> BackfillRow:
        return self.wire.ask(Ask(method="POST", path=path("backfills", backfill, verb), body=body), BackfillRow)
