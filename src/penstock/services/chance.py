"""Which values of expressions come from chance or the clock? Ids of every form, random numbers, a free port."""

from __future__ import annotations

import datetime
import secrets
import socket
import string
import uuid
from collections.abc import Callable
from typing import Final

from penstock.engine.evaluate import EPOCH
from penstock.errors.expr import ExprFailed
from penstock.services.core import Core

DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
NANO: Final = DIGITS + "-_"
# Ids that sort by time count their seconds from May 2014.
KSUID_EPOCH: Final = 1_400_000_000
LONGEST: Final = 1_000


def functions(core: Core) -> dict[str, Callable[..., object]]:
    """The functions of expressions that nobody can foretell."""
    return {
        "uuid": lambda: str(_uuid(core)),
        "id": lambda: _spelled(_uuid(core).int),
        "ksuid": lambda: _ksuid(core),
        "nanoId": _nano_id,
        "randomInt": _random_int,
        "randomPort": _random_port,
    }


def instant(micros: int) -> str:
    """A moment as ISO-8601 text in UTC, to the millisecond."""
    moment = EPOCH + datetime.timedelta(microseconds=micros)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day_of(value: object) -> datetime.date:
    """The day that a date, or a text in ISO form, names. Raises ExprFailed."""
    match value:
        case datetime.datetime():
            return value.date()
        case datetime.date():
            return value
        case str():
            try:
                return datetime.date.fromisoformat(value[:10])
            except ValueError:
                pass
        case _:
            pass
    raise ExprFailed(f"This is no date: {str(value)[:60]}.")


def _uuid(core: Core) -> uuid.UUID:
    return uuid.UUID(bytes=(core.entropy() + core.entropy())[:16], version=4)


def _ksuid(core: Core) -> str:
    seconds = core.clock.now() // 1_000_000 - KSUID_EPOCH
    payload = (core.entropy() + core.entropy())[:16]
    return _spelled(int.from_bytes(max(0, seconds).to_bytes(4, "big") + payload, "big")).rjust(27, "0")


def _spelled(number: int) -> str:
    """A number in letters and digits."""
    pieces = []
    while number:
        number, rest = divmod(number, len(DIGITS))
        pieces.append(DIGITS[rest])
    return "".join(reversed(pieces)) or "0"


def _nano_id(length: int = 21, alphabet: str | None = None) -> str:
    if not 0 < length < LONGEST:
        raise ExprFailed(f"The length of `nanoId` lies between 1 and {LONGEST - 1}.")
    letters = NANO if alphabet is None else alphabet
    if not 0 < len(letters) <= 256:
        raise ExprFailed("The alphabet of `nanoId` has 1 to 256 characters.")
    return "".join(secrets.choice(letters) for _ in range(length))


def _random_int(lower: object, upper: object) -> int:
    if not isinstance(lower, int) or not isinstance(upper, int) or isinstance(lower, bool) or isinstance(upper, bool):
        raise ExprFailed("The bounds of `randomInt` are whole numbers.")
    if upper < lower:
        raise ExprFailed(f"The upper bound of `randomInt`, {upper}, is less than the lower, {lower}.")
    return lower + (secrets.randbelow(upper - lower) if upper > lower else 0)


def _random_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
    return port
