"""What do `+ - * / % ~ == < contains isIn ..` do with two values? Whole numbers of 64 bits stay so, wrapping around."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import TypeGuard

from penstock.errors.expr import ExprFailed, ExprLimit, WrongType
from penstock.expr.calls import fits
from penstock.expr.printing import Single, joined_text, kind_of

WIDEST = 16_384


def truth(value: object, where: str) -> bool:
    """Tell whether a condition holds; null, lists and maps are no conditions."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value != ""
    if isinstance(value, (int, float)):
        return value != 0
    raise WrongType(
        f"{where} needs true or false, not {kind_of(value)}.",
        hint="Write `is not empty`, `is not null` or a comparison.",
    )


def equal(left: object, right: object, fuel: list[int] | None = None) -> bool:
    """Compare two values; numbers by value, and nothing else across kinds. What is compared takes fuel."""
    return _same(left, right, [1_000_000] if fuel is None else fuel)


def less(left: object, right: object, symbol: str = "<") -> bool:
    """Tell whether the left value comes first; both must be numbers, texts, or dates of one kind.

    Null is neither before nor after anything.
    """
    if left is None or right is None:
        return False
    if _number(left) and _number(right):
        return left < right
    match left, right:
        case str(), str():
            return left < right
        case datetime(), datetime() if (left.tzinfo is None) == (right.tzinfo is None):
            return left < right
        case time(), time() if (left.tzinfo is None) == (right.tzinfo is None):
            return left < right
        case timedelta(), timedelta():
            return left < right
        case date(), date() if not isinstance(left, datetime) and not isinstance(right, datetime):
            return left < right
    raise WrongType(
        f"`{symbol}` cannot compare {kind_of(left)} with {kind_of(right)}.",
        hint="`| number` makes a number of text, `| timestamp` one of a date.",
    )


def add(left: object, right: object) -> object:
    """`+`: numbers add, text joins, a list grows."""
    if _number(left) and _number(right):
        return _result(left + right, left, right)
    if isinstance(left, str) or isinstance(right, str):
        return _joined(joined_text(left), joined_text(right))
    if isinstance(left, list):
        more = right if isinstance(right, list) else [right]
        fits(len(left) + len(more))
        return left + more
    raise _mismatch("+", left, right)


def subtract(left: object, right: object) -> object:
    """`-`: numbers subtract, a list loses the elements that are equal."""
    left, right = _read(left), _read(right)
    if _number(left) and _number(right):
        return _result(left - right, left, right)
    if isinstance(left, list):
        gone = right if isinstance(right, list) else [right]
        fits(len(left) * len(gone))
        return [item for item in left if not any(equal(item, other) for other in gone)]
    raise _mismatch("-", left, right)


def multiply(left: object, right: object) -> object:
    """`*` of two numbers."""
    left, right = _read(left), _read(right)
    if _number(left) and _number(right):
        return _result(left * right, left, right)
    raise _mismatch("*", left, right)


def divide(left: object, right: object) -> object:
    """`/` of two numbers; of two whole numbers the answer is whole, cut towards zero."""
    left, right = _read(left), _read(right)
    if not (_number(left) and _number(right)):
        raise _mismatch("/", left, right)
    if isinstance(left, int) and isinstance(right, int):
        _not_zero(right, "/")
        quotient = abs(left) // abs(right)
        return _result(quotient if (left < 0) == (right < 0) else -quotient, left, right)
    if right == 0:
        return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)
    return _result(_float(left) / _float(right), left, right)


def remainder(left: object, right: object) -> object:
    """`%` of two numbers; the sign is the left one's."""
    left, right = _read(left), _read(right)
    if not (_number(left) and _number(right)):
        raise _mismatch("%", left, right)
    if isinstance(left, int) and isinstance(right, int):
        _not_zero(right, "%")
        rest = abs(left) % abs(right)
        return rest if left >= 0 else -rest
    if right == 0 or math.isinf(left):
        return math.nan
    return math.fmod(_float(left), _float(right))


def negate(value: object) -> object:
    """`-` before a number."""
    if _number(value):
        return _result(-value, value, value)
    raise WrongType(f"`-` needs a number, not {kind_of(value)}.")


def plus(value: object) -> object:
    """`+` before a number."""
    if _number(value):
        return value
    raise WrongType(f"`+` needs a number, not {kind_of(value)}.")


def concatenate(left: object, right: object) -> str:
    """`~`: both sides as text, null as nothing."""
    return _joined("" if left is None else joined_text(left), "" if right is None else joined_text(right))


def contains(left: object, right: object, fuel: list[int] | None = None) -> bool:
    """`left contains right`: an element (or all of a list), a key, a part of a text."""
    match left:
        case None:
            return False
        case list() | tuple():
            if isinstance(right, list):
                fits(len(left) * len(right))
                return all(any(equal(item, one, fuel) for item in left) for one in right)
            return any(equal(item, right, fuel) for item in left)
        case Mapping():
            return _hashable(right) and right in left
        case str():
            return isinstance(right, str) and right in left
    raise WrongType(f"`contains` needs a list, a map or text on its left, not {kind_of(left)}.")


def is_in(left: object, right: object, fuel: list[int] | None = None) -> bool:
    """`left isIn right`: one of the elements of a list, or a key of a map."""
    match right:
        case list() | tuple():
            return any(equal(item, left, fuel) for item in right)
        case Mapping():
            return _hashable(left) and left in right
    return False


def span(left: object, right: object) -> list[object]:
    """`left .. right`: the whole numbers, or characters, from one to the other, both included."""
    return counted(left, right, 1)


def counted(start: object, end: object, step: int) -> list[object]:
    """List the whole numbers, or characters, from start to end, both included."""
    if step == 0:
        raise ExprFailed("A range cannot go on by steps of 0.")
    if isinstance(start, str) and isinstance(end, str) and len(start) == 1 and len(end) == 1:
        return [chr(code) for code in range(ord(start), ord(end) + (1 if step > 0 else -1), step)]
    if _number(start) and _number(end) and math.isfinite(start) and math.isfinite(end):
        start, end = int(start), int(end)
        numbers = range(start, end + (1 if step > 0 else -1), step)
        fits(max(0, (end - start) // step + 1), 1_000_000)
        return list(numbers)
    raise WrongType(f"A range goes between two whole numbers or two characters, not {kind_of(start)}, {kind_of(end)}.")


BINARY: dict[str, Callable[[object, object], object]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "~": concatenate,
    "<": less,
    ">": lambda left, right: less(right, left, ">"),
    "<=": lambda left, right: _neither_null(left, right) and not less(right, left, "<="),
    ">=": lambda left, right: _neither_null(left, right) and not less(left, right, ">="),
    "..": span,
}
# A missing name among their operands fails, whatever `??` stands around them.
FINAL = frozenset(("+", "-", "*", "/", "%", "==", "!="))
COMPARING: dict[str, Callable[[object, object, list[int]], object]] = {
    "==": equal,
    "!=": lambda left, right, fuel: not equal(left, right, fuel),
    "contains": contains,
    "isIn": is_in,
}


def _same(left: object, right: object, budget: list[int]) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        _spent(budget)
        return left is right or (
            len(left) == len(right) and all(_same(one, other, budget) for one, other in zip(left, right, strict=True))
        )
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        _spent(budget)
        return left is right or (
            left.keys() == right.keys() and all(_same(item, right[key], budget) for key, item in left.items())
        )
    return left == right


def _spent(budget: list[int]) -> None:
    budget[0] -= 1
    if budget[0] < 0:
        raise ExprLimit("The values are too large to be compared.")


def _number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _read(value: object) -> object:
    """Give the number that a text is, where a calculation needs one; else the value."""
    if not isinstance(value, str) or len(value) > 400 or "_" in value:
        return value
    try:
        return int(value) if value.lstrip("+-").isdigit() else float(value)
    except ValueError:
        return value


def _result(value: int | float, left: int | float, right: int | float) -> int | float:
    """Wrap a whole number into 64 bits, unless one of its operands is wider; 32-bit numbers stay such."""
    if isinstance(value, float):
        kinds = (type(left), type(right))
        return Single(value) if Single in kinds and float not in kinds else value
    if -(1 << 63) <= value < 1 << 63:
        return value
    if not all(isinstance(one, float) or -(1 << 63) <= one < 1 << 63 for one in (left, right)):
        if value.bit_length() > WIDEST:
            raise ExprLimit(f"A whole number has {WIDEST:,} bits at most.")
        return value
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def _joined(left: str, right: str) -> str:
    fits(len(left) + len(right))
    return left + right


def _neither_null(left: object, right: object) -> bool:
    return left is not None and right is not None


def _not_zero(value: int | float, symbol: str) -> None:
    if value == 0:
        raise ExprFailed(f"Could not perform `{symbol}`: the right side is 0.")


def _hashable(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float, date, time, timedelta))


def _mismatch(symbol: str, left: object, right: object) -> WrongType:
    return WrongType(
        f"`{symbol}` cannot work on {kind_of(left)} and {kind_of(right)}.",
        hint="`~` joins any two values as text; `| number` makes a number of text." if symbol == "+" else "",
    )
