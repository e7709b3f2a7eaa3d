"""What can be asked about flows, and done with them?"""

from __future__ import annotations

from penstock.api import cursors
from penstock.api.route import Call
from penstock.api.shapes.flows import FlowRow, FlowsAsked
from penstock.api.shapes.lists import Page
from penstock.services.document import instant
from penstock.store import flows


def list_flows(call: Call[FlowsAsked, None]) -> Page[FlowRow]:
    """Flows by name."""
    asked = call.query
    after = cursors.read(asked.cursor, tuple[str, str]) or ("", "")
    found = call.core.store.read(
        lambda tx: flows.page(tx, call.scope, asked.limit + 1, after, namespace=asked.namespace, text=asked.text)
    )
    shown = found[: asked.limit]
    rows = [
        FlowRow(
            namespace=each.namespace,
            id=each.id,
            revision=each.revision,
            changed=instant(each.changed_at) or "",
            changed_by=each.changed_by,
        )
        for each in shown
    ]
    return Page(rows, cursors.written((shown[-1].namespace, shown[-1].id)) if len(found) > len(shown) else "")
