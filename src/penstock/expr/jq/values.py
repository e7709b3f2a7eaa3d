"""What do jq's operators do with two values, in which order do values stand, and how are paths followed?"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any, NoReturn

from penstock.expr.calls import Frame, fits, spend
from penstock.expr.printing import float_text, to_text

MOST_ELEMENTS = 1_000_000


class JqError(Exception):
    """What `error` and failing operations raise: `try … catch` gets the value."""

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = value


def fail(sentence: str) -> NoReturn:
    """Raise a JqError with a sentence."""
    raise JqError(sentence)


def taken_in(value: object, frame: Frame) -> object:
    """Give a value as jq sees it: maps without what is null, dates as text."""
    spend(frame, 1)
    match value:
        case Mapping():
            return {to_text(key): taken_in(item, frame) for key, item in value.items() if item is not None}
        case list() | tuple():
            return [taken_in(item, frame) for item in value]
        case date() | time() | timedelta():
            return to_text(value)
        case _:
            return value


def kind(value: object) -> str:
    """Name the type of a value as `type` does."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def shown(value: object) -> str:
    """Write a value as JSON, whole numbers without a fraction."""
    if isinstance(value, float) and not isinstance(value, bool):
        return _number(value)
    if isinstance(value, list):
        return "[" + ",".join(map(shown, value)) + "]"
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{shown(item)}" for key, item in value.items()) + "}"
        )
    return json.dumps(value, ensure_ascii=False)


def text(value: object) -> str:
    """Write a value as `tostring` does."""
    return value if isinstance(value, str) else shown(value)


def truth(value: object) -> bool:
    """Everything holds but null and false."""
    return value is not None and value is not False


def order(value: Any) -> tuple[Any, ...]:
    """Give what values are sorted by: null, false, true, numbers, texts, lists, maps."""
    match value:
        case None:
            return (0,)
        case bool():
            return (2 if value else 1,)
        case int() | float():
            return (3, -math.inf if value != value else value)
        case str():
            return (4, value)
        case list():
            return (5, [order(item) for item in value])
        case _:
            keys = sorted(value)
            return (6, keys, [order(value[key]) for key in keys])


def normal(value: float) -> int | float:
    """Give the result of a calculation: a whole number where it is one."""
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 63 else float(value)
    return int(value) if value.is_integer() and abs(value) < 2.0**63 else value


def is_number(value: object) -> bool:
    """Tell whether a value is a number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def operate(operator: str, left: Any, right: Any, frame: Frame) -> object:
    """Do `+ - * / %` or a comparison; raises JqError where the kinds do not fit."""
    match operator:
        case "==":
            return order(left) == order(right)
        case "!=":
            return order(left) != order(right)
        case "<":
            return order(left) < order(right)
        case "<=":
            return order(left) <= order(right)
        case ">":
            return order(left) > order(right)
        case ">=":
            return order(left) >= order(right)
    if is_number(left) and is_number(right):
        return _calculated(operator, left, right)
    result = _combined(operator, left, right, frame)
    if result is NotImplemented:
        words = {"+": "added", "-": "subtracted", "*": "multiplied", "/": "divided", "%": "divided"}
        fail(f"{kind(left)} ({shown(left)[:40]}) and {kind(right)} ({shown(right)[:40]}) cannot be {words[operator]}")
    return result


def _calculated(operator: str, left: Any, right: Any) -> int | float:
    try:
        match operator:
            case "+":
                return normal(left + right)
            case "-":
                return normal(left - right)
            case "*":
                return normal(left * right)
            case "/":
                if right == 0:
                    fail(f"{shown(left)} and {shown(right)} cannot be divided because the divisor is zero")
                return normal(left / right)
        rest, by = int(left), int(right)
        if by == 0:
            fail(f"{shown(left)} and {shown(right)} cannot be divided because the divisor is zero")
        return abs(rest) % abs(by) * (1 if rest >= 0 else -1)
    except OverflowError:
        fail("A number is too large.")


def _combined(operator: str, left: Any, right: Any, frame: Frame) -> object:
    match operator, left, right:
        case "+", None, _:
            return right
        case "+", _, None:
            return left
        case "+", str(), str():
            fits(len(left) + len(right), frame.calls.output)
            spend(frame, (len(left) + len(right)) >> 6)
            return left + right
        case "+", list(), list():
            fits(len(left) + len(right), MOST_ELEMENTS)
            spend(frame, (len(left) + len(right)) >> 4)
            return left + right
        case "+", dict(), dict():
            spend(frame, (len(left) + len(right)) >> 4)
            return left | right
        case "-", list(), list():
            spend(frame, len(left) * len(right) >> 4)
            gone = [order(item) for item in right]
            return [item for item in left if order(item) not in gone]
        case "*", dict(), dict():
            return _merged(left, right, frame)
        case ("*", str(), _) if is_number(right):
            return _repeated(left, right, frame)
        case ("*", _, str()) if is_number(left):
            return _repeated(right, left, frame)
        case "/", str(), str():
            spend(frame, len(left) >> 6)
            return split(left, right)
    return NotImplemented


def split(value: str, separator: str) -> list[str]:
    """Give the parts between the separators; of an empty separator the letters."""
    return (list(value) if not separator else value.split(separator)) if value else []


def _repeated(value: str, times: float, frame: Frame) -> str | None:
    if times <= 0:
        return None
    count = max(1, math.ceil(times) if times < 1 else int(times))
    fits(len(value) * count, frame.calls.output)
    spend(frame, len(value) * count >> 6)
    return value * count


def _merged(left: dict[str, Any], right: dict[str, Any], frame: Frame) -> dict[str, Any]:
    spend(frame, 1 + len(left) + len(right))
    merged = dict(left)
    for key, item in right.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(item, dict)
        merged[key] = _merged(below, item, frame) if both and below is not None else item
    return merged


def _number(value: float) -> str:
    if math.isnan(value):
        return "null"
    if math.isinf(value):
        return "1.7976931348623157e+308" if value > 0 else "-1.7976931348623157e+308"
    if value.is_integer() and abs(value) < 1e17:
        return str(int(value))
    if 1e-3 <= abs(value) < 1e7:
        return float_text(value)
    digits, _, power = repr(value).partition("e")
    return f"{digits if '.' in digits else digits + '.0'}e{power}" if power else digits


def item_of(value: Any, key: Any) -> object:
    """Give `value[key]`, null where there is nothing; raises JqError where the kinds do not fit."""
    match value, key:
        case dict(), str():
            return value.get(key)
        case (list(), int() | float()) if is_number(key) and key == key:
            index = math.floor(key)
            size = len(value)
            return value[index] if -size <= index < size else None
        case (list() | None, dict()) if "start" in key or "end" in key:
            return part_of(value, key.get("start"), key.get("end"))
        case list(), list():
            return places(value, key)
        case (None, str() | None) | (None, int() | float()):
            return None
        case (list(), None):
            return None
    if isinstance(key, str):
        fail(f'Cannot index {kind(value)} with "{key[:60]}"')
    fail(f"Cannot index {kind(value)} with {kind(key)}")


def bounds(size: int, start: Any, end: Any) -> tuple[int, int]:
    """Give the two ends of a slice within a size."""
    if not all(one is None or is_number(one) for one in (start, end)):
        fail("Start and end indices of an array slice must be numbers")
    first = 0 if start is None else math.floor(start)
    last = size if end is None else math.ceil(end)
    first = max(0, first + size if first < 0 else min(first, size))
    last = max(0, last + size if last < 0 else min(last, size))
    return first, max(first, last)


def part_of(value: Any, start: Any, end: Any) -> object:
    """Give `value[start:end]`."""
    if value is None:
        return None
    if not isinstance(value, (str, list)):
        fail(f"Cannot index {kind(value)} with object")
    first, last = bounds(len(value), start, end)
    return value[first:last]


def places(value: list[Any], wanted: list[Any]) -> list[int]:
    """List where a list stands within another."""
    if not wanted:
        return []
    orders, looked = [order(item) for item in value], [order(item) for item in wanted]
    size = len(looked)
    return [index for index in range(len(orders) - size + 1) if orders[index : index + size] == looked]


def set_at(value: Any, path: Sequence[Any], new: object, frame: Frame) -> object:
    """Give a value with another at a path."""
    if not path:
        return new
    spend(frame, 1)
    key, rest = path[0], path[1:]
    match value, key:
        case (dict() | None, str()):
            return {**(value or {}), key: set_at((value or {}).get(key), rest, new, frame)}
        case (list() | None, dict()):
            first, last = bounds(len(value or []), key.get("start"), key.get("end"))
            inside = set_at(part_of(value, key.get("start"), key.get("end")), rest, new, frame)
            if not isinstance(inside, list):
                fail("A slice of an array can only be assigned another array")
            items = value or []
            return [*items[:first], *inside, *items[last:]]
        case (list() | None, int() | float()) if is_number(key):
            items = list(value or [])
            index = math.floor(key)
            if index < 0:
                index += len(items)
                if index < 0:
                    fail("Out of bounds negative array index")
            fits(index, MOST_ELEMENTS)
            spend(frame, (index + len(items)) >> 4)
            items += [None] * (index + 1 - len(items))
            items[index] = set_at(items[index], rest, new, frame)
            return items
    fail(f"Cannot update field at {'object' if isinstance(key, str) else 'array'} index of {kind(value)}")


def get_at(value: Any, path: Sequence[Any]) -> Any:
    """Follow a path; null where it ends early."""
    for key in path:
        if value is None:
            return None
        value = item_of(value, key)
    return value


def without(value: Any, paths: list[Any], frame: Frame) -> Any:
    """Give a value without what stands at some paths."""
    for path in sorted(paths, key=order, reverse=True):
        value = _removed(value, path, frame)
    return value


def _removed(value: Any, path: list[Any], frame: Frame) -> Any:
    spend(frame, 1)
    if value is None or not path:
        return None
    key, rest = path[0], path[1:]
    if rest:
        below = item_of(value, key)
        return value if below is None else set_at(value, [key], _removed(below, rest, frame), frame)
    match value, key:
        case dict(), str():
            return {name: item for name, item in value.items() if name != key}
        case list(), dict():
            first, last = bounds(len(value), key.get("start"), key.get("end"))
            return [*value[:first], *value[last:]]
        case (list(), int() | float()) if is_number(key):
            index = math.floor(key) + (len(value) if key < 0 else 0)
            return [item for place, item in enumerate(value) if place != index]
    fail(f"Cannot delete field at {'object' if isinstance(key, str) else 'array'} index of {kind(value)}")
