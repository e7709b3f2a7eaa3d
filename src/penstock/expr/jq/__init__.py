"""How does the filter `jq` work? The language jq 1.6 over data, within the fuel of the expression that asks."""

from __future__ import annotations

from penstock.expr.jq.running import results
from penstock.expr.jq.values import taken_in

__all__ = ["results", "taken_in"]
