"""What can be asked about runs? Lists, one of them, how it went, what it waits for."""

from __future__ import annotations

from penstock.api import cursors
from penstock.api.route import Call
from penstock.api.shapes.lists import Page
from penstock.api.shapes.runs import RunOrder, RunRow, RunsAsked, row
from penstock.store import runs


def list_runs(call: Call[RunsAsked, None]) -> Page[RunRow]:
    """Runs that fit, newest first or oldest first."""
    asked, wanted = call.query, call.query.filter()
    cursor = cursors.read(asked.cursor, str) or ""
    oldest = asked.sort is RunOrder.OLDEST
    found = call.core.store.read(
        lambda tx: runs.page(tx, call.scope, wanted, asked.limit + 1, cursor, oldest_first=oldest)
    )
    shown = found[: asked.limit]
    return Page([row(each) for each in shown], cursors.written(shown[-1].id) if len(found) > len(shown) else "")
