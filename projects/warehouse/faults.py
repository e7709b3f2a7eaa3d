"""What can be wrong with a line of an export? Each known fault, made from a good line."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from projects.warehouse.features import COLUMNS

Fault = Callable[[list[str]], bytes]


def text(cells: list[str]) -> bytes:
    """Write cells as a line of CSV, quoted where they must be."""
    quoted = ['"' + cell.replace('"', '""') + '"' if "," in cell or '"' in cell else cell for cell in cells]
    return ",".join(quoted).encode()


def put(column: int, cell: str) -> Fault:
    """Replace one cell."""
    return lambda cells: text([*cells[:column], cell, *cells[column + 1 :]])


def _latin(cells: list[str]) -> bytes:
    return text([*cells[:1], "café", *cells[2:]]).replace("é".encode(), b"\xe9")


_EVERYWHERE: tuple[Fault, ...] = (
    put(0, ""),  # a key is missing
    text,  # the line once more
    lambda cells: text([*cells, "extra"]),
    lambda cells: text(cells[:-1]),
    _latin,
    lambda cells: text(cells[:1]) + b',"not closed,' + text(cells[2:]),
    lambda cells: text(cells).replace(b",", b"\0,", 1),
)

FAULTS: dict[str, tuple[Fault, ...]] = {
    "tenants": (*_EVERYWHERE, put(1, ""), put(4, "2016-13-45")),
    "users": (*_EVERYWHERE, put(1, ""), put(2, ""), put(1, "T99999"), put(4, "02/01/2016")),
    "feature_usage": (
        *_EVERYWHERE,
        put(1, ""),
        put(2, ""),
        put(4, ""),
        put(1, "T99999"),
        put(2, "U9999999"),
        put(3, "editor.fly"),
        put(5, "-17"),
        put(4, "2016-02-30 10:00:00"),
        put(4, "yesterday"),
        put(5, "12.5ms"),
    ),
}


def header(table: str) -> bytes:
    """Write the first line of an export's parts."""
    return ",".join(COLUMNS[table]).encode()


def spoil(table: str, number: int, cells: list[str]) -> bytes:
    """Make the `number`th bad line of a day: the faults take turns, so that a day of any size has them all."""
    faults = FAULTS[table]
    return faults[number % len(faults)](cells)


def month_around(day: datetime.date) -> list[datetime.date]:
    """Give the 31 days from 15 before to 15 after."""
    return [day + datetime.timedelta(days=offset) for offset in range(-15, 16)]
