"""Which filters work on numbers? Magnitude, reading from text, written forms."""

from __future__ import annotations

from penstock.errors.expr import ExprFailed
from penstock.expr.registry import filter


@filter("abs")
def absolute(value: float) -> float:
    """The number without its sign."""
    return abs(value)


@filter("round")
def round_(value: float, digits: int = 0) -> float:
    """The number rounded half up; a whole number when no digits are asked for."""
    import decimal

    if not -300 <= digits <= 300:
        raise ExprFailed("`round` keeps between -300 and 300 digits.")
    exact = decimal.Decimal(repr(value))
    with decimal.localcontext(prec=700):
        rounded = exact.quantize(decimal.Decimal(1).scaleb(-digits), rounding=decimal.ROUND_HALF_UP)
    return float(rounded) if digits > 0 else int(rounded)


@filter("number")
def number(value: str, type: str | None = None) -> float:
    """The number that the text is; types: INT, LONG, FLOAT, DOUBLE, BIGDECIMAL, BIGINTEGER."""
    text = value.strip()
    if len(text) > 1000:
        raise ExprFailed("A number has 1,000 digits at most.")
    try:
        match type:
            case None if text[:2].lower() == "0x":
                return int(text, 16)
            case None:
                return int(text) if text.lstrip("+-").isdigit() and "_" not in text else _decimal(text)
            case "INT" | "LONG" | "BIGINTEGER":
                return _whole(text, type)
            case "FLOAT" | "DOUBLE" | "BIGDECIMAL":
                return _decimal(text)
    except ValueError:
        raise ExprFailed(f"'{text[:60]}' is not a number{' of type ' + type if type else ''}.") from None
    raise ExprFailed(
        f"There is no type of number `{type[:40]}`.", hint="INT, LONG, FLOAT, DOUBLE, BIGDECIMAL, BIGINTEGER."
    )


@filter("numberFormat", "numberformat")
def number_format(value: float, format: str = "#,##0.###") -> str:
    """The number in a pattern of `0`, `#`, `,`, `.`, `%` and text around them: `#,##0.00`."""
    import decimal

    positive, _, negative = format.partition(";")
    prefix, body, suffix = _affixes(positive)
    if any(len(part) > 100 for part in (prefix, body, suffix)):
        raise ExprFailed("A pattern for numbers has 100 characters at most.")
    whole, _, fraction = body.partition(".")
    grouping = len(whole) - whole.rindex(",") - 1 if "," in whole else 0
    most, least = len(fraction), fraction.count("0")
    with decimal.localcontext(prec=700):
        exact = decimal.Decimal(repr(value)) if value == value and abs(value) != float("inf") else None
        if exact is None:
            raise ExprFailed("`numberFormat` writes finite numbers only.")
        exact *= 100 if "%" in suffix + prefix else 1
        rounded = abs(exact).quantize(decimal.Decimal(1).scaleb(-most), rounding=decimal.ROUND_HALF_EVEN)
    digits, _, decimals = f"{rounded:f}".partition(".")
    while len(decimals) > least and decimals.endswith("0"):
        decimals = decimals[:-1]
    most_zeros = whole.count("0") or (0 if "0" in body else 1)
    digits = digits.lstrip("0").rjust(most_zeros, "0") or ("" if decimals else "0")
    if grouping:
        digits = _grouped(digits, grouping)
    sign = "-" if exact < 0 and (rounded != 0) else ""
    if sign and negative:
        sign, (prefix, _, suffix) = "", _affixes(negative)
    return f"{sign}{prefix}{digits}{'.' + decimals if decimals else ''}{suffix}"


def _whole(text: str, type: str) -> int:
    if "_" in text:
        raise ValueError
    value = int(text)
    bits = {"INT": 31, "LONG": 63, "BIGINTEGER": 4096}[type]
    if not -(1 << bits) <= value < 1 << bits:
        raise ExprFailed(f"{text[:40]} does not fit into {type}.")
    return value


def _decimal(text: str) -> float:
    if "_" in text:
        raise ValueError
    return float(text)


def _affixes(pattern: str) -> tuple[str, str, str]:
    marks = [index for index, letter in enumerate(pattern) if letter in "0#"]
    if not marks:
        raise ExprFailed(f"`{pattern[:40]}` is no pattern for numbers.", hint="A pattern is `#,##0.00`, say.")
    start, end = marks[0], marks[-1] + 1
    body = pattern[start:end]
    if not set(body) <= set("0#,.") or body.count(".") > 1:
        raise ExprFailed(f"`{pattern[:40]}` is no pattern for numbers.", hint="A pattern is `#,##0.00`, say.")
    return pattern[:start].replace("'", ""), body, pattern[end:].replace("'", "")


def _grouped(digits: str, size: int) -> str:
    if size < 1:
        return digits
    head = len(digits) % size
    groups = [digits[:head]] if head else []
    groups += [digits[index : index + size] for index in range(head, len(digits), size)]
    return ",".join(groups)
