"""How did runs end, day by day, and how long did they take? Told from sums that are kept, never by reading runs."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from typing import Final

import msgspec

from penstock.model.access import Action, Scope
from penstock.model.policy import SECOND
from penstock.model.status import RunStatus
from penstock.services.access import audited
from penstock.services.core import Core
from penstock.services.unanswered import repeat_unknown
from penstock.store import stats as table
from penstock.store.port import Tx
from penstock.store.stats import Ends, Place, Span

RARELY: Final = 10 * SECOND
MARK: Final = "stats.summed"


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """How long runs took, in seconds: how many began, the sum, and the medians, each known to a twentieth."""

    count: int
    sum: float
    p50: float | None
    p95: float | None


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """How the runs ended that were created on one day (since 1970, UTC), of one flow or (no name) of several."""

    namespace: str
    flow: str
    day: int
    statuses: dict[RunStatus, int]
    took: Took


class Recounted(msgspec.Struct, frozen=True):
    """From which day on was counted anew, and how many runs were there."""

    first: int
    runs: int


def by_flow(core: Core, scope: Scope, span: Span, limit: int, after: Place) -> list[Day]:
    """Flows and days in their order, behind a place; at most so many."""
    found: list[Day] = []
    while len(found) < limit:
        rows, all_of_it = core.store.read(functools.partial(table.page, scope=scope, span=span, after=after))
        found += [_day(list(group)) for _, group in itertools.groupby(rows, _place)]
        if all_of_it:
            break
        after = Place(found[-1].namespace, found[-1].flow, found[-1].day)
    return found[:limit]


def by_day(core: Core, scope: Scope, span: Span) -> list[Day]:
    """Days in their order, each with what all flows that fit come to."""
    rows = core.store.glance(lambda tx: table.days(tx, scope, span))
    return [_day(list(group)) for _, group in itertools.groupby(rows, _place)]


def sum_up(core: Core) -> int:
    """Sum up what has ended since, and tell how many rows that were; who comes second finds nothing to do."""
    done = 0
    while core.store.glance(table.any_waiting):
        moved = core.store.write(_sum_up)
        if not moved:
            break
        done += moved
    return done


def sum_up_rarely(core: Core) -> None:
    """Sum up unless this process has looked a moment ago."""
    now = core.clock.now()
    if now - int(core.marks.get(MARK, "0")) >= RARELY:
        core.marks[MARK] = str(now)
        sum_up(core)


@audited(Action.MAINTENANCE_EDIT, "stats.recount")
def recount(core: Core) -> Recounted:
    """Count the runs that are kept anew, from the first day of which all are; what was counted before that stays."""

    def work(tx: Tx) -> Recounted:
        if not table.begin(tx):
            table.wait(tx)
        first = table.first_whole(tx)
        return Recounted(first, table.recount(tx, first))

    return repeat_unknown(core, lambda: core.store.write(work))


def _sum_up(tx: Tx) -> int:
    if table.hold(tx):
        return table.sum_up(tx)
    # a store from before the sums were kept has runs already
    return table.recount(tx, 0) if table.begin(tx) else 0


def _place(row: Ends) -> tuple[str, str, int]:
    return row.namespace, row.flow, row.day


def _day(rows: list[Ends]) -> Day:
    counts: dict[RunStatus, int] = {}
    for each in rows:
        counts[each.status] = counts.get(each.status, 0) + each.runs
    return Day(
        namespace=rows[0].namespace,
        flow=rows[0].flow,
        day=rows[0].day,
        statuses={status: count for status, count in counts.items() if count > 0},
        took=_took([each for each in rows if each.length]),
    )


def _took(rows: list[Ends]) -> Took:
    by_length: dict[int, int] = {}
    for each in rows:
        by_length[each.length] = by_length.get(each.length, 0) + each.runs
    lengths = [(length, count) for length, count in sorted(by_length.items()) if count > 0]
    return Took(
        count=sum(count for _, count in lengths),
        sum=round(max(0, sum(each.took for each in rows)) / 1e6, 6),
        p50=_part(lengths, 0.5),
        p95=_part(lengths, 0.95),
    )


def _part(lengths: Iterable[tuple[int, int]], part: float) -> float | None:
    """How long the part of them took at most that was quickest: the middle of the length in which it ends."""
    several = list(lengths)
    wanted, seen = part * sum(count for _, count in several), 0
    for length, count in several:
        seen += count
        if seen >= wanted:
            low, high = table.bounds_of(length)
            return round((low + high) / 2e6, 6)
    return None
