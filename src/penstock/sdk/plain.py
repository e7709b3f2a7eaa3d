"""How does a value of Python become what JSON can say? Outputs pass here before they leave a task."""

from __future__ import annotations

import datetime
import decimal
import enum
from collections.abc import Mapping
from typing import Final

import msgspec

# Beyond 64 bits few readers of JSON keep a number exact.
LEAST: Final = -(2**63)
MOST: Final = 2**63 - 1


def plain(value: object) -> object:
    """Turn a value into what JSON can say: decimals exactly or as text, instants in ISO-8601, bytes as text."""
    match value:
        case None | bool():
            return value
        case enum.Enum():
            return plain(value.value)
        case int():
            return int(value) if LEAST <= value <= MOST else str(value)
        case str():
            return str(value)
        case float():
            return value if value - value == 0 else None
        case decimal.Decimal():
            return _number(value)
        case Mapping():
            return {str(name): plain(item) for name, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return bytes(value).decode("utf-8", "backslashreplace")
        case msgspec.Struct():
            return plain(msgspec.to_builtins(value, enc_hook=plain))
        case _:
            return str(value)


def _number(value: decimal.Decimal) -> object:
    if not value.is_finite():
        return None
    if value == value.to_integral_value() and value.as_tuple().exponent == 0:
        return plain(int(value))
    near = float(value)
    return near if decimal.Decimal(repr(near)) == value else str(value)
