"""What can be asked about data? What a run, or flows, have read and written."""

from __future__ import annotations

from penstock.api.route import Call
from penstock.api.shapes.lineage import LineageAsked
from penstock.model.lineage import DataGraph
from penstock.services.lineage import told


def get_run_lineage(call: Call[None, None]) -> DataGraph:
    """What a run read and wrote."""
    return told.of_run(call.core, call.run)


def get_lineage(call: Call[LineageAsked, None]) -> DataGraph:
    """What flows read and write."""
    return told.of_flows(call.core, call.query.filter(), call.scope)
