"""Which time zone does a name mean? Regions such as Europe/Paris, and offsets such as +05:30."""

from __future__ import annotations

import functools
import re
from datetime import UTC, timedelta, timezone, tzinfo

from penstock.errors.expr import ExprFailed

_OFFSET = re.compile(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?")
_UTC = {"UTC", "Z", "UT", "Etc/UTC", "Zulu"}


@functools.lru_cache(maxsize=256)
def zone_of(name: str) -> tzinfo:
    """Give the time zone of a name; raises ExprFailed when there is none."""
    from zoneinfo import ZoneInfo

    if name in _UTC:
        return UTC
    if (found := _OFFSET.fullmatch(name)) is not None:
        sign, hours, minutes, seconds = found.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
        if offset <= timedelta(hours=18):
            return timezone(-offset if sign == "-" else offset)
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ExprFailed(
            f"There is no time zone `{name[:60]}`.", hint="A zone is `Europe/Paris`, `UTC` or `+02:00`."
        ) from None
