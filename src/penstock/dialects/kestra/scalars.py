"""What does an unquoted word of YAML mean: text, a number, true, false or nothing?

As Kestra reads it: YAML 1.1 without its traps. `yes` and `on` are true, `1_000` is a number; dates, times and
`10:30` (a number to base 60 in YAML 1.1) stay text, and so do numbers that JSON cannot say.
"""

from __future__ import annotations

import re
from typing import Final

from penstock.dialects.kestra.tree import Plain

WORDS: Final[dict[str, Plain]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
NUMERIC: Final = frozenset("0123456789+-.")
WHOLE: Final = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
BASED: Final = re.compile(r"([-+]?)0(?:x([0-9a-fA-F_]+)|b([01_]+)|([0-7_]+))")
BROKEN: Final = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?)"
)
LONGEST: Final = 400


def resolve(text: str) -> Plain:
    """The value of a plain scalar."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in NUMERIC or len(text) > LONGEST:
        return text
    if WHOLE.fullmatch(text):
        return _sayable(int(text.replace("_", "")), text)
    if found := BASED.fullmatch(text):
        return _based(found, text)
    if BROKEN.fullmatch(text):
        number = float(text.replace("_", ""))
        return number if number - number == 0 else text
    return text


def _sayable(number: int, text: str) -> Plain:
    """Whole numbers beyond 64 bits would come back from JSON as something else."""
    return number if -(2**63) <= number < 2**63 else text


def _based(found: re.Match[str], text: str) -> Plain:
    sign = -1 if found[1] == "-" else 1
    for digits, base in ((found[2], 16), (found[3], 2), (found[4], 8)):
        if digits and digits.strip("_"):
            return _sayable(sign * int(digits.replace("_", ""), base), text)
    return text
