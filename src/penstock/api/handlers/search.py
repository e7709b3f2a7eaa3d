"""What is there of this name? Flows and runs, in one answer."""

from __future__ import annotations

from penstock.api.handlers.flows import flow_row
from penstock.api.route import Call
from penstock.api.shapes.runs import row
from penstock.api.shapes.search import Found, SearchAsked
from penstock.model.access import Action
from penstock.services.access.rights import scope
from penstock.store import flows, runs
from penstock.store.port import Tx


def search(call: Call[SearchAsked, None]) -> Found:
    """What a word is found in, of what who asks may see."""
    asked = call.query
    of_flows, of_runs = scope(call.actor, Action.FLOWS_VIEW), scope(call.actor, Action.RUNS_VIEW)

    def look(tx: Tx) -> Found:
        named = flows.page(tx, of_flows, asked.limit, text=asked.text)
        ran = runs.page(tx, of_runs, runs.Filter(text=asked.text), asked.limit)
        return Found(flows=[flow_row(each) for each in named], runs=[row(each) for each in ran])

    return call.core.store.read(look)
