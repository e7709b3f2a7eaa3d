"""How are dates read, written and moved? Patterns as java.time has them, named formats, time zones."""

from __future__ import annotations

from penstock.expr.dates.moving import moved
from penstock.expr.dates.reading import read_date
from penstock.expr.dates.writing import written
from penstock.expr.dates.zones import zone_of

__all__ = ["moved", "read_date", "written", "zone_of"]
