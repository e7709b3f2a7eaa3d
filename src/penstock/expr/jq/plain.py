"""Which of jq's functions give one value for one input? Each takes the frame, the input and its arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC
from typing import Any

import msgspec

from penstock.errors.expr import NeedsOutside
from penstock.expr.calls import Frame, spend
from penstock.expr.jq import values
from penstock.expr.jq.matching import parts, tested
from penstock.expr.jq.values import JqError, fail, is_number, kind, order, shown, text

Plain = Callable[..., Any]


def _of_text(change: Callable[[str], Any], name: str) -> Plain:
    def call(frame: Frame, value: Any) -> Any:
        if not isinstance(value, str):
            fail(f"{name} input must be a string")
        return change(value)

    return call


def _of_number(calculate: Callable[[float], Any]) -> Plain:
    def call(frame: Frame, value: Any) -> Any:
        if not is_number(value):
            fail(f"{kind(value)} ({shown(value)[:40]}) number required")
        try:
            return calculate(value)
        except (ValueError, OverflowError):
            return math.nan

    return call


def _whole(cut: Callable[[float], int]) -> Plain:
    """Cut a number's fraction; what has none stays as it is, minus zero too."""
    return _of_number(lambda value: float(cut(value)) if value % 1 else float(value))


def _length(frame: Frame, value: Any) -> Any:
    match value:
        case None:
            return 0
        case bool():
            fail(f"boolean ({shown(value)}) has no length")
        case int() | float():
            return abs(value)
        case _:
            return len(value)


def _keys(frame: Frame, value: Any) -> list[Any]:
    if isinstance(value, dict):
        return sorted(value)
    return _keys_unsorted(frame, value)


def _keys_unsorted(frame: Frame, value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value)
    if isinstance(value, list):
        return list(range(len(value)))
    fail(f"{kind(value)} ({shown(value)[:40]}) has no keys")


def _has(frame: Frame, value: Any, key: Any) -> bool:
    if isinstance(value, dict) and isinstance(key, str):
        return key in value
    if isinstance(value, list) and is_number(key):
        return bool(0 <= key < len(value))
    fail(f"Cannot check whether {kind(value)} has a {kind(key)} key")


def _contains(frame: Frame, value: Any, other: Any) -> bool:
    spend(frame, 1)
    match value, other:
        case dict(), dict():
            return all(key in value and _contains(frame, value[key], item) for key, item in other.items())
        case list(), list():
            return all(any(kind(one) == kind(item) and _contains(frame, one, item) for one in value) for item in other)
        case str(), str():
            return other in value
    if kind(value) != kind(other):
        fail(f"{kind(value)} and {kind(other)} cannot have their containment checked")
    return bool(order(value) == order(other))


def _tonumber(frame: Frame, value: Any) -> Any:
    if is_number(value):
        return value
    if not isinstance(value, str):
        fail(f"{kind(value)} ({shown(value)[:40]}) cannot be parsed as a number")
    try:
        if "_" in value or len(value) > 400:
            raise ValueError
        return int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError:
        fail(f"string ({shown(value)[:40]}) cannot be parsed as a number")


def _fromjson(frame: Frame, value: Any) -> Any:
    if not isinstance(value, str):
        fail(f"{kind(value)} ({shown(value)[:40]}) only strings can be parsed")
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        fail(f"{value[:40]} (while parsing it as JSON)")


def _array(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        fail(f"{kind(value)} ({shown(value)[:40]}) cannot be {name}, as it is not an array")
    return value


def _extreme(last: bool) -> Plain:
    def call(frame: Frame, value: Any) -> Any:
        items = _array("searched", value)
        if not items:
            return None
        return max(reversed(items), key=order) if last else min(items, key=order)

    return call


def _unique(frame: Frame, value: Any) -> list[Any]:
    found: list[Any] = []
    for item in sorted(_array("sorted", value), key=order):
        if not found or order(found[-1]) != order(item):
            found.append(item)
    return found


def _flatten(frame: Frame, value: Any, depth: Any = 1_000) -> list[Any]:
    if not is_number(depth) or depth < 0:
        fail("flatten depth must not be negative")
    flat: list[Any] = []
    for item in value.values() if isinstance(value, dict) else _array("flattened", value):
        spend(frame, 1)
        flat.extend(_flatten(frame, item, depth - 1) if isinstance(item, list) and depth > 0 else [item])
    return flat


def _from_entries(frame: Frame, value: Any) -> dict[str, Any]:
    made = {}
    for entry in _array("read as entries", value):
        if not isinstance(entry, dict):
            fail(f'Cannot index {kind(entry)} with "key"')
        names = [
            entry[name] for name in ("key", "k", "name", "Name", "Key", "K") if entry.get(name) not in (None, False)
        ]
        given = names[0] if names else entry.get("key")
        if given is not None and not isinstance(given, (str, int, float)):
            fail(f"Cannot use {kind(given)} as object key")
        found = [entry[name] for name in ("value", "v", "Value", "V") if name in entry]
        made["null" if given is None else text(given)] = found[0] if found else None
    return made


def _join(frame: Frame, value: Any, separator: Any) -> str:
    pieces = []
    for item in _array("joined", value):
        if isinstance(item, (list, dict)):
            fail(f"{kind(item)} ({shown(item)[:40]}) cannot be joined")
        pieces.append("" if item is None else text(item))
    if len(pieces) > 1 and not isinstance(separator, str):
        fail(f"{kind(separator)} cannot stand between texts")
    return str(separator).join(pieces) if pieces else ""


def _implode(frame: Frame, value: Any) -> str:
    codes = _array("imploded", value)
    if not all(isinstance(code, int) and 0 <= code < 0x110000 and not 0xD800 <= code < 0xE000 for code in codes):
        fail("implode input must be an array of codepoints")
    return "".join(map(chr, codes))


def _indices(frame: Frame, value: Any, wanted: Any) -> Any:
    match value, wanted:
        case None, _:
            return None
        case str(), str():
            spend(frame, len(value) >> 6)
            found, at = [], value.find(wanted) if wanted else -1
            while at >= 0:
                found.append(at)
                at = value.find(wanted, at + 1)
            return found
        case list(), list():
            return values.places(value, wanted)
        case list(), _:
            return [index for index, item in enumerate(value) if order(item) == order(wanted)]
    fail(f"Cannot determine indices of {kind(wanted)} in {kind(value)}")


def _end(last: bool) -> Plain:
    def call(frame: Frame, value: Any, wanted: Any) -> Any:
        found = _indices(frame, value, wanted)
        return None if not found else found[-1 if last else 0]

    return call


def _trimmed(side: str) -> Plain:
    def call(frame: Frame, value: Any, part: Any) -> Any:
        if not isinstance(value, str) or not isinstance(part, str):
            return value
        return value.removeprefix(part) if side == "left" else value.removesuffix(part)

    return call


def _starts(name: str) -> Plain:
    def call(frame: Frame, value: Any, part: Any) -> bool:
        if not isinstance(value, str) or not isinstance(part, str):
            fail(f"{name}() requires string inputs")
        return value.startswith(part) if name == "startswith" else value.endswith(part)

    return call


def _split(frame: Frame, value: Any, separator: Any) -> list[str]:
    if not isinstance(value, str) or not isinstance(separator, str):
        fail("split input and separator must be strings")
    return values.split(value, separator)


def _error(frame: Frame, value: Any, given: Any) -> Any:
    raise JqError(given)


def _now(frame: Frame, value: Any) -> float:
    if frame.calls.now is None:
        raise NeedsOutside("`now` needs the time, and here only data is at hand.")
    return frame.calls.now.astimezone(UTC).timestamp()


PLAIN: dict[tuple[str, int], Plain] = {
    ("not", 0): lambda frame, value: not values.truth(value),
    ("type", 0): lambda frame, value: kind(value),
    ("length", 0): _length,
    ("utf8bytelength", 0): _of_text(lambda value: len(value.encode()), "utf8bytelength"),
    ("keys", 0): _keys,
    ("keys_unsorted", 0): _keys_unsorted,
    ("has", 1): _has,
    ("contains", 1): _contains,
    ("tostring", 0): lambda frame, value: text(value),
    ("tojson", 0): lambda frame, value: shown(value),
    ("fromjson", 0): _fromjson,
    ("tonumber", 0): _tonumber,
    ("ascii_downcase", 0): _of_text(lambda value: "".join(c.lower() if c < "\x80" else c for c in value), "downcase"),
    ("ascii_upcase", 0): _of_text(lambda value: "".join(c.upper() if c < "\x80" else c for c in value), "upcase"),
    ("explode", 0): _of_text(lambda value: [ord(letter) for letter in value], "explode"),
    ("implode", 0): _implode,
    ("trim", 0): _of_text(str.strip, "trim"),
    ("ltrim", 0): _of_text(str.lstrip, "ltrim"),
    ("rtrim", 0): _of_text(str.rstrip, "rtrim"),
    ("ltrimstr", 1): _trimmed("left"),
    ("rtrimstr", 1): _trimmed("right"),
    ("startswith", 1): _starts("startswith"),
    ("endswith", 1): _starts("endswith"),
    ("split", 1): _split,
    ("split", 2): parts,
    ("join", 1): _join,
    ("sort", 0): lambda frame, value: sorted(_array("sorted", value), key=order),
    ("reverse", 0): lambda frame, value: [] if value is None else list(reversed(_array("reversed", value))),
    ("unique", 0): _unique,
    ("min", 0): _extreme(False),
    ("max", 0): _extreme(True),
    ("flatten", 0): _flatten,
    ("flatten", 1): _flatten,
    ("from_entries", 0): _from_entries,
    ("indices", 1): _indices,
    ("index", 1): _end(False),
    ("rindex", 1): _end(True),
    ("test", 2): tested,
    ("error", 1): _error,
    ("setpath", 2): lambda frame, value, path, new: values.set_at(value, _array("followed", path), new, frame),
    ("delpaths", 1): lambda frame, value, paths: values.without(value, _array("followed", paths), frame),
    ("infinite", 0): lambda frame, value: math.inf,
    ("nan", 0): lambda frame, value: math.nan,
    ("isnan", 0): _of_number(math.isnan),
    ("isinfinite", 0): _of_number(math.isinf),
    ("isnormal", 0): _of_number(lambda value: math.isfinite(value) and value != 0),
    ("null", 0): lambda frame, value: None,
    ("true", 0): lambda frame, value: True,
    ("false", 0): lambda frame, value: False,
    ("floor", 0): _whole(math.floor),
    ("ceil", 0): _whole(math.ceil),
    ("round", 0): _whole(lambda value: math.floor(value + 0.5)),
    ("trunc", 0): _whole(math.trunc),
    ("fabs", 0): _of_number(lambda value: float(abs(value))),
    ("abs", 0): _of_number(abs),
    ("sqrt", 0): _of_number(math.sqrt),
    ("log", 0): _of_number(math.log),
    ("log2", 0): _of_number(math.log2),
    ("log10", 0): _of_number(math.log10),
    ("exp", 0): _of_number(math.exp),
    ("exp2", 0): _of_number(lambda value: 2.0**value),
    ("exp10", 0): _of_number(lambda value: 10.0**value),
    ("sin", 0): _of_number(math.sin),
    ("cos", 0): _of_number(math.cos),
    ("tan", 0): _of_number(math.tan),
    ("pow", 2): lambda frame, value, base, power: _of_number(lambda one: values.normal(float(base) ** one))(
        frame, power
    ),
    ("now", 0): _now,
    ("toarray", 0): lambda frame, value: value if isinstance(value, list) else [value],
}
