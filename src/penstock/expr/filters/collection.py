"""Which filters work on lists and maps? First, last, order, parts, joining."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from penstock.errors.expr import ExprFailed, ExprLimit, WrongType
from penstock.expr.calls import fits
from penstock.expr.operators import equal, less
from penstock.expr.printing import joined_text, kind_of, to_text
from penstock.expr.registry import filter


@filter("default", null="taken", missing=True)
def default(value: object, default: object = None) -> object:
    """Another value where this one is missing, null or empty."""
    match value:
        case None:
            return default
        case str():
            return value if value.strip() else default
        case list() | tuple() | Mapping() if not value:
            return default
        case _:
            return value


@filter("length", null="taken")
def length(value: object) -> int:
    """How many characters, elements or entries there are; 0 of anything else."""
    return len(value) if isinstance(value, (str, list, tuple, Mapping)) else 0


@filter("first")
def first(value: str | list[object]) -> object:
    """The first element, null when there is none; the first character of a text."""
    return _end(value, 0)


@filter("last")
def last(value: str | list[object]) -> object:
    """The last element, null when there is none; the last character of a text."""
    return _end(value, -1)


@filter("join")
def join(value: list[object], separator: str = "") -> str:
    """The elements as one text, the separator between them."""
    texts = [joined_text(item) for item in value]
    fits(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


@filter("sort")
def sort(value: list[object]) -> list[object]:
    """The elements in order; they must be comparable."""
    return _sorted(value, False)


@filter("rsort")
def rsort(value: list[object]) -> list[object]:
    """The elements in the opposite order."""
    return _sorted(value, True)


@filter("reverse")
def reverse(value: list[object]) -> list[object]:
    """The elements from the last to the first."""
    return list(reversed(value))


@filter("merge", null="taken")
def merge(value: object, items: object) -> object:
    """A list with the elements of another behind its own, or a map with the entries of another over its own."""
    if value is None or items is None:
        return items if value is None else value
    if not isinstance(value, (Mapping, list, tuple)) or not isinstance(items, (Mapping, list, tuple)):
        raise WrongType(f"`merge` joins lists and maps, not {kind_of(value)} and {kind_of(items)}.")
    fits(len(value) + len(items), 1_000_000)
    if isinstance(value, Mapping):
        return {**value, **(items if isinstance(items, Mapping) else {to_text(item): item for item in items})}
    return [*value, *([items] if isinstance(items, Mapping) else items)]


@filter("slice")
def slice_(value: str | list[object], from_index: int = 0, to_index: int | None = None) -> object:
    """The part from one index (counted from 0) up to, and without, another."""
    size = len(value)
    end = size if to_index is None else to_index
    if not 0 <= from_index <= size:
        raise ExprFailed(f"`fromIndex` is between 0 and {size} here, not {from_index}.")
    if not from_index <= end <= size:
        raise ExprFailed(f"`toIndex` is between {from_index} and {size} here, not {end}.")
    return value[from_index:end]


@filter("chunk")
def chunk(value: list[object], size: int) -> list[object]:
    """The elements in lists of that size; the last may be shorter."""
    if size < 1:
        raise ExprFailed("The size of a chunk is 1 at least.")
    return [value[start : start + size] for start in range(0, len(value), size)]


@filter("flatten")
def flatten(value: list[object]) -> list[object]:
    """The elements of the lists in a list, one level deep."""
    flat: list[object] = []
    for item in value:
        flat.extend(item if isinstance(item, (list, tuple)) else [item])
        fits(len(flat), 1_000_000)
    return flat


@filter("distinct")
def distinct(value: list[object]) -> list[object]:
    """The elements without those that are there already."""
    seen: dict[object, object] = {}
    budget = [1_000_000]
    for item in value:
        seen.setdefault(_frozen(item, budget), item)
    return list(seen.values())


@filter("keys")
def keys(value: list[object] | Mapping[str, object]) -> list[object]:
    """The keys of a map, or the indexes of a list."""
    return list(value) if isinstance(value, Mapping) else list(range(len(value)))


@filter("values")
def values(value: Mapping[str, object]) -> list[object]:
    """The values of a map."""
    return list(value.values())


@filter("contains", null="taken")
def contains(value: object, item: object) -> bool:
    """True when the list has the element, the map the key, the text the part."""
    match value:
        case None:
            return False
        case list() | tuple():
            return any(equal(one, item) for one in value)
        case Mapping():
            return isinstance(item, (str, int, float)) and item in value
        case str() if isinstance(item, str):
            return item in value
    raise WrongType(f"`contains` cannot look for {kind_of(item)} in {kind_of(value)}.")


def _end(value: str | list[object], index: int) -> object:
    if not value and isinstance(value, str):
        raise ExprFailed("The text is empty: it has no first and no last character.")
    return value[index] if value else None


def _sorted(value: list[object], reverse: bool) -> list[object]:
    if len(value) > 1 and any(item is None for item in value):
        raise WrongType("Null stands neither before nor after anything: it cannot be sorted.")
    texts = [item for item in value if isinstance(item, str)]
    if len(texts) == len(value):
        return [*sorted(texts, reverse=reverse)]
    if all(isinstance(item, bool) for item in value):
        return sorted(value, key=bool, reverse=reverse)
    numbers = [item for item in value if isinstance(item, (int, float)) and not isinstance(item, bool)]
    if len(numbers) == len(value):
        return [*sorted(numbers, reverse=reverse)]
    return sorted(value, key=_ORDER, reverse=reverse)


def _frozen(value: object, budget: list[int]) -> object:
    """Give what can be looked up, and tells apart true, 1 and 1.0."""
    budget[0] -= 1
    if budget[0] < 0:
        raise ExprLimit("The elements are too large to be compared.")
    match value:
        case list() | tuple():
            return ("list", *(_frozen(item, budget) for item in value))
        case Mapping():
            return ("map", frozenset((key, _frozen(item, budget)) for key, item in value.items()))
        case bool() | float():
            return (type(value).__name__, value)
        case _:
            return value


def _compared(left: object, right: object) -> int:
    return -1 if less(left, right) else 1 if less(right, left) else 0


_ORDER = functools.cmp_to_key(_compared)
