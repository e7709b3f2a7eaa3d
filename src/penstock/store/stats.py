"""How many runs ended how, on which day, and how long did they take? Added when they end, summed up in batches.

A row counts runs of one flow that were created on one day (UTC), ended in one status, and took about as long: durations
are kept in lengths, each at most a tenth wide. Of a run that goes on after all, one is taken away again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from penstock.model.access import Scope
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.store import codec, positions
from penstock.store.feed import Position
from penstock.store.port import Row, Tx
from penstock.store.reach import reached

NAME: Final = "stats of runs"
GONE: Final = "runs removed"
DAY: Final = 86_400 * 1_000_000
AT_ONCE: Final = 2_000
MOST_ROWS: Final = 20_000
Key = tuple[str, str, int, str, int]


class Place(msgspec.Struct, frozen=True):
    """Where a page ends: the last flow and day on it."""

    namespace: str = ""
    flow: str = ""
    day: int = -1


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Which days, from one on and before another, of which flows; what is left empty does not matter."""

    since: int
    until: int
    namespace: str = ""
    flow: str = ""


class Ends(msgspec.Struct, frozen=True):
    """Runs of a flow and a day that ended alike: how many, and how many microseconds they took together."""

    namespace: str
    flow: str
    day: int
    status: RunStatus
    length: int
    runs: int
    took: int


def length_of(took: int | None) -> int:
    """The length into which a duration falls, in the words of `recounted`; 0 for a run that never began."""
    if took is None:
        return 0
    millis = str(max(0, took) // 1000)
    lead = int(millis[:2])
    step = 1 if lead < 20 else 2 if lead < 50 else 5
    return len(millis) * 100 + lead // step * step


def bounds_of(length: int) -> tuple[int, int]:
    """From how many microseconds on, and below how many, a duration has this length."""
    digits, lead = divmod(length, 100)
    step = 1 if lead < 20 else 2 if lead < 50 else 5
    unit = 1000 * 10 ** max(0, digits - 2)
    return lead * unit, (lead + (1 if digits < 2 else step)) * unit


def turn(tx: Tx, before: Run | None, after: Run) -> None:
    """Count a run that ends by this very transaction; where it had ended before, that is taken away again."""
    was, now = _key(before), _key(after)
    if was != now:
        tx.many("stats.append", [_row(key, runs) for key, runs in ((was, -1), (now, 1)) if key is not None])


def hold(tx: Tx) -> bool:
    """Be the one who sums up, until the transaction ends; False when another does, or nobody has begun yet."""
    return tx.one("stats.hold", name=NAME) is not None


def wait(tx: Tx) -> None:
    """Be the one who sums up, once whoever does so now is done."""
    tx.run("stats.wait", name=NAME)


def begin(tx: Tx) -> bool:
    """Be the first who sums up, and hold the sums; False when somebody has begun before."""
    return tx.run("positions.begin", name=NAME, body=codec.text(Position(0))) == 1


def first_whole(tx: Tx) -> int:
    """Tell the first day of which every run is kept: those from before it may have been removed."""
    gone = positions.get(tx, GONE)
    return -(-gone.after // DAY) if gone else 0


def removing(tx: Tx, before: int) -> None:
    """Remember that runs are removed that ended before an instant: they cannot be counted anew."""
    gone = positions.get(tx, GONE)
    if gone is None or gone.after < before:
        positions.put(tx, GONE, Position(before))


def any_waiting(tx: Tx) -> bool:
    """Tell whether anything is not summed up, or nobody has begun to."""
    row = tx.one("stats.any", name=NAME)
    return row is not None


def sum_up(tx: Tx) -> int:
    """Sum the oldest rows up, and tell how many those were."""
    rows = tx.all("stats.waiting", most=AT_ONCE)
    if not rows:
        return 0
    runs: Counter[Key] = Counter()
    took: Counter[Key] = Counter()
    for _, day, namespace, flow, status, length, count, micros in rows:
        key = (str(namespace), str(flow), codec.number(day), str(status), codec.number(length))
        runs[key] += codec.number(count)
        took[key] += codec.number(micros)
    moved = tx.run("stats.drop_waiting", ids=[row[0] for row in rows])
    assert moved == len(rows), "who holds the sums has the rows, too"
    # always in one order, so that two who sum up never wait for each other
    _add(tx, [(key, runs[key], took[key]) for key in sorted(runs)])
    return moved


def recount(tx: Tx, first: int) -> int:
    """Count the runs of a day and of those after it anew, and tell how many there are; only for who holds the sums."""
    counted, waiting = _recounted(tx, first)
    tx.run("stats.clear", first=first)
    if waiting:
        tx.run("stats.drop_waiting", ids=waiting)
    _add(tx, [(_key_of(each), each.runs, each.took) for each in counted])
    return sum(each.runs for each in counted)


def counted(tx: Tx, first: int) -> list[Ends]:
    """Give what the runs come to that are kept, of a day and those after it: by reading them."""
    return _recounted(tx, first)[0]


def page(tx: Tx, scope: Scope, span: Span, after: Place, most: int = MOST_ROWS) -> tuple[list[Ends], bool]:
    """Give what ended by flow and day, whole days of flows behind a place, and whether that is all; on one view."""
    place = {"after_namespace": after.namespace, "after_flow": after.flow, "after_day": after.day}
    runs: Counter[Key] = Counter()
    took: Counter[Key] = Counter()
    cut: list[Key] = []
    for head in ("stats.summed", "stats.open"):
        query, params = _asked(head, scope, span)
        found = [_of(row) for row in tx.all(query, most=most, **place, **params)]
        for each in found:
            runs[_key_of(each)] += each.runs
            took[_key_of(each)] += each.took
        if len(found) == most:
            cut.append(_key_of(found[-1]))
    # of the last day of a flow there may be more, and of what lies behind it
    last = min(cut)[:3] if cut else None
    several = [key for key in sorted(runs) if last is None or key[:3] < last]
    return [_ends(key, runs[key], took[key]) for key in several], last is None


def days(tx: Tx, scope: Scope, span: Span) -> list[Ends]:
    """Give what ended of all flows together, by day."""
    query, params = _asked("stats.days", scope, span)
    return [_of(row) for row in tx.all(query, **params)]


def _recounted(tx: Tx, first: int) -> tuple[list[Ends], list[object]]:
    """What the runs come to, and the rows that are not summed up, both as of one moment."""
    rows = tx.all("stats.recounted", since=first * DAY, first=first)
    return [_of(row[:-1]) for row in rows if not row[-1]], [row[-1] for row in rows if row[-1]]


def _add(tx: Tx, sums: Sequence[tuple[Key, int, int]]) -> None:
    tx.many("stats.add", [_columns(key) | {"runs": runs, "took": took} for key, runs, took in sums if runs or took])


def _ends(key: Key, runs: int, took: int) -> Ends:
    namespace, flow, day, status, length = key
    return Ends(namespace, flow, day, RunStatus(status), length, runs, took)


def _key_of(counted: Ends) -> Key:
    return counted.namespace, counted.flow, counted.day, str(counted.status), counted.length


def _key(run: Run | None) -> tuple[Key, int] | None:
    """As what a run counts, and how long it took; nothing for one that goes on, or that only looks for a trigger."""
    if run is None or not run.status.ended or run.ended_at is None or "~" in run.flow:
        return None
    took = None if run.started_at is None else run.ended_at - run.started_at
    key = (run.namespace, run.flow, run.created_at // DAY, str(run.status), length_of(took))
    return key, max(0, took or 0)


def _row(counted: tuple[Key, int], runs: int) -> dict[str, object]:
    key, took = counted
    return _columns(key) | {"runs": runs, "took": runs * took}


def _columns(key: Key) -> dict[str, object]:
    namespace, flow, day, status, length = key
    return {"namespace": namespace, "flow": flow, "day": day, "status": status, "length": length}


def _asked(query: str, scope: Scope, span: Span) -> tuple[str, dict[str, object]]:
    given: dict[str, object] = {"namespace": span.namespace, "flow": span.flow}
    params = {name: value for name, value in given.items() if value} | reached(scope)
    named = "+".join((query, *params))
    if span.namespace:
        params["below"] = f"{codec.like(span.namespace)}.%"
    return named, params | {"since": span.since, "until": span.until}


def _of(row: Row) -> Ends:
    return codec.value(row, Ends)
