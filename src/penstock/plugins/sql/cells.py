"""How does a database's cell become a value of JSON? Instants get their zone, arrays become lists, bytes base64."""

from __future__ import annotations

import base64
import datetime
import decimal
import enum
import uuid
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from penstock.sdk.plain import plain


def row(names: Sequence[str], cells: Sequence[object], zone: ZoneInfo | None) -> dict[str, object]:
    """One row by column name."""
    return {name: cell(value, zone) for name, value in zip(names, cells, strict=True)}


def cell(value: object, zone: ZoneInfo | None) -> object:
    """One cell: decimals kept, integers beyond 64 bits and UUIDs as text, instants in the zone, JSON as it is."""
    match value:
        case None | bool() | str() | float() | decimal.Decimal() | enum.Enum() | int():
            return plain(value)
        case datetime.datetime():
            return _instant(value, zone).isoformat()
        case datetime.timedelta():
            return span(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case uuid.UUID():
            return str(value)
        case Mapping():
            return {str(name): cell(item, zone) for name, item in value.items()}
        case list() | tuple() | set():
            return [cell(item, zone) for item in value]
        case _:
            return plain(value)


def span(value: datetime.timedelta) -> str:
    """A span of time in ISO-8601."""
    micros = value // datetime.timedelta(microseconds=1)
    sign, micros = ("-" if micros < 0 else ""), abs(micros)
    days, micros = divmod(micros, 86_400_000_000)
    seconds = f"{micros // 1_000_000}.{micros % 1_000_000:06d}".rstrip("0").rstrip(".")
    time = f"T{seconds}S" if seconds != "0" or not days else ""
    return f"{sign}P{f'{days}D' if days else ''}{time}"


def _instant(value: datetime.datetime, zone: ZoneInfo | None) -> datetime.datetime:
    if zone is None:
        return value
    return value.replace(tzinfo=zone) if value.tzinfo is None else value.astimezone(zone)
