"""Which filters work on numbers? Magnitude, reading from text, written forms."""

from __future__ import annotations

import decimal
import math
import re

from penstock.errors.expr import ExprFailed
from penstock.expr.printing import Single, float_text
from penstock.expr.registry import filter

LONGEST = 1_000
_WHOLE = re.compile(r"[+-]?\d+[lL]?", re.ASCII)
_BROKEN = re.compile(r"[+-]?(?:\d+\.?(\d*)|\.(\d+))(?:[eE][+-]?\d{1,6})?([fFdD]?)", re.ASCII)
_HEX = re.compile(r"[+-]?(?:0[xX]|#)[0-9a-fA-F]+", re.ASCII)
_TYPES = ("INT", "LONG", "FLOAT", "DOUBLE", "BIGDECIMAL", "BIGINTEGER")
# From here on a number does not fit into 32 bits.
TOO_WIDE = 3.4028235677973366e38
_BITS = {"INT": 31, "LONG": 63, "BIGINTEGER": 4096}


@filter("abs", null="taken")
def absolute(value: float) -> float:
    """The number without its sign."""
    return abs(value)


@filter("round")
def round_(value: float, digits: int = 0) -> float:
    """The number rounded half up; a whole number when no digits are asked for."""
    if not -300 <= digits <= 300:
        raise ExprFailed("`round` keeps between -300 and 300 digits.")
    if not math.isfinite(value):
        raise ExprFailed("`round` works on finite numbers only.")
    exact = decimal.Decimal(repr(value))
    with decimal.localcontext(prec=700):
        rounded = exact.quantize(decimal.Decimal(1).scaleb(-digits), rounding=decimal.ROUND_HALF_UP)
    return float(rounded) if digits > 0 else int(rounded)


@filter("number")
def number(value: str, type: str | None = None) -> float:
    """The number that the text is; types: INT, LONG, FLOAT, DOUBLE, BIGDECIMAL, BIGINTEGER, else the smallest."""
    if len(value) > LONGEST:
        raise ExprFailed(f"A number has {LONGEST:,} digits at most.")
    try:
        if type in _BITS:
            return _whole(value, type)
        if type in _TYPES:
            return _typed(value, type)
        return _smallest(value)
    except (ValueError, OverflowError, decimal.DecimalException):
        kind = f" of type {type}" if type in _TYPES else ""
        raise ExprFailed(f"'{value[:60]}' is not a number{kind}.") from None


@filter("numberFormat", "numberformat")
def number_format(value: float, format: str = "#,##0.###") -> str:
    """The number in a pattern of `0`, `#`, `,`, `.`, `%`, `E0` and text around them: `#,##0.00`."""
    positive, _, negative = format.partition(";")
    prefix, body, suffix = _affixes(positive)
    if len(format) > 100:
        raise ExprFailed("A pattern for numbers has 100 characters at most.")
    if not math.isfinite(value):
        raise ExprFailed("`numberFormat` writes finite numbers only.")
    with decimal.localcontext(prec=700):
        exact = decimal.Decimal(value if isinstance(value, int) else float_text(value))
        exact *= 100 if "%" in suffix + prefix else 1000 if "‰" in suffix + prefix else 1
        pattern, power, least = body.partition("E")
        shown, zero = _scientific(abs(exact), pattern, len(least)) if power else _plain(abs(exact), pattern)
    sign = "-" if exact < 0 and not zero else ""
    if sign and negative:
        sign, (prefix, _, suffix) = "", _affixes(negative)
    return f"{sign}{prefix}{shown}{suffix}"


def _plain(value: decimal.Decimal, pattern: str) -> tuple[str, bool]:
    """Write digits as a pattern says; tell too whether nothing but zeros is left."""
    whole, _, fraction = pattern.partition(".")
    grouping = len(whole) - whole.rindex(",") - 1 if "," in whole else 0
    most, least = len(fraction), fraction.count("0")
    rounded = value.quantize(decimal.Decimal(1).scaleb(-most), rounding=decimal.ROUND_HALF_EVEN)
    digits, _, decimals = f"{rounded:f}".partition(".")
    while len(decimals) > least and decimals.endswith("0"):
        decimals = decimals[:-1]
    digits = digits.lstrip("0").rjust(whole.count("0") or (0 if "0" in pattern else 1), "0")
    if pattern == ANY and decimals and not digits.strip("0"):
        digits = ""
    if not digits and not decimals:
        digits = "0"
    if grouping:
        digits = _grouped(digits, grouping)
    return f"{digits}{'.' + decimals if decimals else ''}", rounded == 0


def _scientific(value: decimal.Decimal, pattern: str, least_power: int) -> tuple[str, bool]:
    """Write a number with a power of ten; of several digits before the point the power is a multiple of their count."""
    whole, _, fraction = pattern.partition(".")
    least = whole.count("0")
    power = value.adjusted() if value else 0
    step = len(whole)
    power = power // step * step if step > max(1, least) else power - least + 1
    most = len(fraction) + (step if step > least else least) - (value.adjusted() - power + 1 if value else 1)
    rounded = value.scaleb(-power).quantize(decimal.Decimal(1).scaleb(-max(0, most)), rounding=decimal.ROUND_HALF_EVEN)
    digits, _, decimals = f"{rounded:f}".partition(".")
    while len(decimals) > fraction.count("0") and decimals.endswith("0"):
        decimals = decimals[:-1]
    sign = "-" if power < 0 else ""
    return f"{digits}{'.' + decimals if decimals else ''}E{sign}{abs(power):0{least_power}d}", rounded == 0


def _whole(text: str, type: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        raise ValueError
    value = int(text)
    bits = _BITS[type]
    if not -(1 << bits) <= value < 1 << bits:
        raise ExprFailed(f"{text[:40]} does not fit into {type}.")
    return value


def _typed(text: str, type: str) -> float:
    if not (found := _BROKEN.fullmatch(text)) or (type == "BIGDECIMAL" and found[3]):
        raise ValueError
    plain = text.rstrip("fFdD")
    if type == "BIGDECIMAL":
        exact = decimal.Decimal(plain)
        return int(exact) if exact == exact.to_integral_value() and exact.adjusted() <= LONGEST else float(exact)
    value = float(plain)
    return Single(value) if type == "FLOAT" and abs(value) < TOO_WIDE else value


def _smallest(text: str) -> float:
    """Give the smallest kind of number that holds the text: what has few decimals fits into 32 bits."""
    if _HEX.fullmatch(text):
        return int(text.replace("#", "0x"), 16)
    if _WHOLE.fullmatch(text):
        plain = text.rstrip("lL")
        digits = plain.lstrip("+-")
        return int(plain, 8) if len(digits) > 1 and digits.startswith("0") else int(plain)
    found = _BROKEN.fullmatch(text)
    if found is None:
        raise ValueError
    plain, kind = (text[:-1], found[3].lower()) if found[3] else (text, "")
    value = float(plain)
    if math.isinf(value):
        return _typed(plain, "BIGDECIMAL")
    if kind == "d":
        return value
    if kind == "f" or (abs(value) < TOO_WIDE and float_text(Single(value)) == float_text(value)):
        return Single(value)
    return value


ANY = "#,###." + "#" * 340


def _affixes(pattern: str) -> tuple[str, str, str]:
    """Split a pattern into what stands before its digits, the digits, and what stands behind them."""
    if not pattern:
        return "", ANY, ""
    found = re.search(r"[0#][0#,.]*(?:E0+)?|\.[0#]+", pattern)
    if found is None:
        if set(pattern) & set("0#,."):
            raise ExprFailed(f"`{pattern[:40]}` is no pattern for numbers.", hint="A pattern is `#,##0.00`, say.")
        return pattern.replace("'", ""), "#", ""
    body, rest = found.group(), pattern[found.end() :]
    if (
        body.count(".") > 1
        or re.search(r"[0#.,]", re.sub(r"'[^']*'", "", rest))
        or re.search(r"0[#,]*#", body.partition(".")[0])
    ):
        raise ExprFailed(f"`{pattern[:40]}` is no pattern for numbers.", hint="A pattern is `#,##0.00`, say.")
    return pattern[: found.start()].replace("'", ""), body, rest.replace("'", "")


def _grouped(digits: str, size: int) -> str:
    if size < 1:
        return digits
    head = len(digits) % size
    groups = [digits[:head]] if head else []
    groups += [digits[index : index + size] for index in range(head, len(digits), size)]
    return ",".join(groups)
