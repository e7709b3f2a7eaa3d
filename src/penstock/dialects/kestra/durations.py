"""How long is `PT1H30M`? Spans of time become whole microseconds."""

from __future__ import annotations

import re
from typing import Final

DURATION: Final = re.compile(
    r"([-+]?)P(?:([-+]?\d+)W)?(?:([-+]?\d+)D)?(?:T(?:([-+]?\d+)H)?(?:([-+]?\d+)M)?(?:([-+]?\d+)(?:[.,](\d{1,9}))?S)?)?",
    re.IGNORECASE,
)
UNITS: Final = (604_800, 86_400, 3_600, 60, 1)
MICROS: Final = 1_000_000
LONGEST: Final = 100 * 366 * 86_400 * MICROS


def parse_duration(text: str) -> int | None:
    """Microseconds of an ISO-8601 duration, None when the text is none or is longer than a hundred years."""
    if len(text) > 100:
        return None
    found = DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()[1:]) or text.strip()[-1] in "tT":
        return None
    total = sum(int(part) * unit * MICROS for part, unit in zip(found.groups()[1:6], UNITS, strict=True) if part)
    if found[7]:
        fraction = int(found[7].ljust(6, "0")[:6])
        total += -fraction if found[6].startswith("-") else fraction
    total = -total if found[1] == "-" else total
    return total if abs(total) <= LONGEST else None
