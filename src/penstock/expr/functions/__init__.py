"""Which functions are there? One page per family; importing this one registers them all."""

from __future__ import annotations

from penstock.expr.functions import again, dates, outside, values

__all__ = ["again", "dates", "outside", "values"]
