"""How does the filter `format` fill `%s`, `%05d`, `%.2f` and their like in?"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal

from penstock.errors.expr import ExprFailed
from penstock.expr.calls import fits
from penstock.expr.printing import float_text, joined_text, kind_of
from penstock.expr.registry import filter

_PLACE = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(<]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])")
WIDEST = 10_000


@filter("format")
def format_(value: str, *args: object) -> str:
    """The text with `%s`, `%d`, `%.2f`… filled in, in order or as `%1$s` says."""
    pieces: list[str] = []
    end = size = following = last = 0
    for found in _PLACE.finditer(value):
        if "%" in value[end : found.start()]:
            break
        number, flags, width, precision, letter = found.groups()
        if int(width or 0) > WIDEST or int(precision or 0) > WIDEST:
            raise ExprFailed(f"`{found.group()[:20]}` is wider than {WIDEST:,} characters.")
        if letter in "%n":
            filled = "%" if letter == "%" else "\n"
        else:
            if number is None and "<" not in flags:
                following += 1
            last = int(number) if number else last if "<" in flags else following
            if not 0 < last <= len(args):
                raise ExprFailed(f"There is no value for `{found.group()}`.")
            filled = _filled(args[last - 1], letter, flags, None if precision is None else int(precision))
            filled = filled.upper() if letter.isupper() else filled
        pieces += [value[end : found.start()], _wide(filled, int(width or 0), flags)]
        size += len(pieces[-1])
        fits(size)
        end = found.end()
    if "%" in value[end:]:
        raise ExprFailed(f"`{value[value.index('%', end) :][:10]}` is no place that can be filled in.")
    return "".join(pieces) + value[end:]


def _filled(value: object, letter: str, flags: str, precision: int | None) -> str:
    match letter.lower(), value:
        case "s", _:
            return joined_text(value)[:precision]
        case "b", _:
            return "true" if value not in (None, False) else "false"
        case "h", str():
            return f"{_hash(value):x}"
        case _, None:
            return "null"[:precision]
        case "c", int() if not isinstance(value, bool) and 0 <= value < 0x110000:
            return chr(value)
        case (("d" | "x" | "o"), int()) if not isinstance(value, bool) and precision is None:
            return _whole(value, letter.lower(), flags)
        case (("f" | "e" | "g"), float()):
            return _broken(value, letter.lower(), flags, 6 if precision is None else precision)
    raise ExprFailed(f"`%{letter}` cannot print {kind_of(value)}.")


def _whole(value: int, letter: str, flags: str) -> str:
    if letter == "d":
        return _signed(f"{abs(value):,d}" if "," in flags else f"{abs(value):d}", value < 0, flags)
    if value < 0:
        value += 1 << 64
    prefix = ("0x" if letter == "x" else "0") if "#" in flags else ""
    return prefix + format(value, letter)


def _broken(value: float, letter: str, flags: str, precision: int) -> str:
    if not math.isfinite(value):
        return float_text(value)
    negative = math.copysign(1, value) < 0
    exact = abs(Decimal(repr(float(value))))
    if letter == "g":
        precision = max(1, precision)
        letter = "f" if exact == 0 or Decimal("0.0001") <= exact < Decimal(10) ** precision else "e"
        precision = max(0, precision - 1 - (exact.adjusted() if letter == "f" and exact else 0))
    if letter == "e":
        power = exact.adjusted() if exact else 0
        digits = (exact.scaleb(-power)).quantize(Decimal(1).scaleb(-precision), rounding=ROUND_HALF_UP)
        if digits >= 10:
            digits, power = (digits / 10).quantize(Decimal(1).scaleb(-precision)), power + 1
        return _signed(f"{digits:f}e{power:+03d}", negative, flags)
    rounded = exact.quantize(Decimal(1).scaleb(-precision), rounding=ROUND_HALF_UP)
    return _signed(f"{rounded:,f}" if "," in flags else f"{rounded:f}", negative, flags)


def _signed(digits: str, negative: bool, flags: str) -> str:
    if negative:
        return f"({digits})" if "(" in flags else "-" + digits
    return "+" + digits if "+" in flags else " " + digits if " " in flags else digits


def _wide(text: str, width: int, flags: str) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and text[:1].strip("+-( ") != text[:1]:
        return text[:1] + text[1:].rjust(width - 1, "0")
    return text.rjust(width, "0" if "0" in flags else " ")


def _hash(text: str) -> int:
    """Give the hash of a text as the engine has it."""
    found = 0
    for unit in text.encode("utf-16-be", "surrogatepass")[1::2] if text.isascii() else map(ord, text):
        found = (31 * found + unit) & 0xFFFFFFFF
    return found
