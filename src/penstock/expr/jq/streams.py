"""Which of jq's functions give many results, follow paths, or run their arguments more than once?"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator
from typing import Any

from penstock.expr.calls import fits, spend
from penstock.expr.jq import values
from penstock.expr.jq.calling import Result, Stream
from penstock.expr.jq.matching import find
from penstock.expr.jq.values import fail, is_number, kind, order, shown


def _empty(given: Stream) -> Iterator[Result]:
    return iter(())


def _path(given: Stream) -> Iterator[Result]:
    for path in given.paths(0):
        assert path is not None
        yield None, list(path)


def _getpath(given: Stream) -> Iterator[Result]:
    for path in given.here(0):
        if not isinstance(path, list):
            fail("Path must be specified as an array")
        found = values.get_at(given.value, path)
        yield None if given.path is None else (*given.path, *path), found


def _range(given: Stream) -> Iterator[Result]:
    for start in given.here(0):
        for end in given.here(1):
            for step in given.here(2):
                if not (is_number(start) and is_number(end) and is_number(step)):
                    fail("Range bounds must be numeric")
                at = start
                while (step > 0 and at < end) or (step < 0 and at > end):
                    spend(given.frame, 1)
                    yield None, values.normal(at)
                    at += step


def _limit(given: Stream) -> Iterator[Result]:
    for most in given.here(0):
        if not is_number(most) or most <= 0:
            continue
        for number, found in enumerate(given.results(1), 1):
            yield found
            if number >= most:
                break


def _first(given: Stream) -> Iterator[Result]:
    for found in given.results(0):
        yield found
        return


def _keyed(given: Stream) -> list[tuple[Any, Any]]:
    """Give the elements with what the argument makes of them, in that order."""
    if not isinstance(given.value, list):
        fail(f"{kind(given.value)} ({shown(given.value)[:40]}) cannot be sorted, as it is not an array")
    keyed = [(order(list(given.each(0, item))), item) for item in given.value]
    return sorted(keyed, key=lambda pair: pair[0])


def _sort_by(given: Stream) -> Iterator[Result]:
    yield None, [item for _, item in _keyed(given)]


def _groups(given: Stream) -> list[list[Any]]:
    groups: list[list[Any]] = []
    last: Any = None
    for key, item in _keyed(given):
        if not groups or key != last:
            groups.append([])
        groups[-1].append(item)
        last = key
    return groups


def _group_by(given: Stream) -> Iterator[Result]:
    yield None, _groups(given)


def _unique_by(given: Stream) -> Iterator[Result]:
    yield None, [group[0] for group in _groups(given)]


def _min_by(given: Stream) -> Iterator[Result]:
    keyed = _keyed(given)
    yield None, keyed[0][1] if keyed else None


def _max_by(given: Stream) -> Iterator[Result]:
    keyed = _keyed(given)
    yield None, keyed[-1][1] if keyed else None


def _match(given: Stream) -> Iterator[Result]:
    for flags in given.here(1):
        for pattern in given.here(0):
            wanted = [*pattern, None, flags][:2] if isinstance(pattern, list) else [pattern, flags]
            yield from ((None, found) for found in find(given.frame, given.value, *wanted))


def _sub(given: Stream) -> Iterator[Result]:
    value = given.value
    for flags in given.here(2):
        for pattern in given.here(0):
            pieces, end, size = [], 0, 0
            for match in find(given.frame, value, pattern, flags):
                named = {one["name"]: one["string"] for one in match["captures"] if one["name"] is not None}
                new = next(given.each(1, named), "")
                if not isinstance(new, str):
                    fail(f"{kind(new)} ({shown(new)[:40]}) cannot be added to a string")
                pieces += [value[end : match["offset"]], new]
                end = match["offset"] + match["length"]
                size += len(pieces[-1]) + len(pieces[-2])
                fits(size, given.frame.calls.output)
            yield None, "".join([*pieces, value[end:]])


def _bsearch(given: Stream) -> Iterator[Result]:
    if not isinstance(given.value, list):
        fail(f"{kind(given.value)} ({shown(given.value)[:40]}) cannot be searched")
    orders = [order(item) for item in given.value]
    for wanted in given.here(0):
        place = bisect.bisect_left(orders, order(wanted))
        found = place < len(orders) and orders[place] == order(wanted)
        yield None, place if found else -1 - place


STREAMS: dict[tuple[str, int], Callable[[Stream], Iterator[Result]]] = {
    ("empty", 0): _empty,
    ("path", 1): _path,
    ("getpath", 1): _getpath,
    ("range", 3): _range,
    ("limit", 2): _limit,
    ("first", 1): _first,
    ("sort_by", 1): _sort_by,
    ("group_by", 1): _group_by,
    ("unique_by", 1): _unique_by,
    ("min_by", 1): _min_by,
    ("max_by", 1): _max_by,
    ("match", 2): _match,
    ("sub", 3): _sub,
    ("bsearch", 1): _bsearch,
}
