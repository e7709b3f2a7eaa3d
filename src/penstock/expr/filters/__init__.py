"""Which filters are there? One page per family; importing this one registers them all."""

from __future__ import annotations

from penstock.expr.filters import collection, dates, encoding, number, patterns, printf, structured, text

__all__ = ["collection", "dates", "encoding", "number", "patterns", "printf", "structured", "text"]
