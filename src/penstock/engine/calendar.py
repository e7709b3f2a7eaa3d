"""When does a trigger fire? What is due between two instants, what was missed, and the dates before and after one."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, Final, TypeAlias

import msgspec

from penstock.engine.closed import IsClosed, batches, beginning
from penstock.engine.daylight import Clock, Found, first, in_order, repeats
from penstock.engine.recurrence import EPOCH, FIRST_YEAR, LAST_YEAR, MICROSECOND, YEARS, dates_said, read_date, zone
from penstock.model.trigger import Base, Dates, Hours, Interval, Missed, OnTime, Rule, Schedule

MOST: Final = 1_000
LOOKED_AT: Final = 10_000
DAY: Final = timedelta(days=1)
SECOND: Final = 1_000_000
SPAN: Final = 2 * 3_600_000_000
LONGEST: Final = YEARS // MICROSECOND
Unmet = Callable[[datetime], str]
"""Why a date does not meet the conditions of its trigger; empty where it does."""
# What each kind says of its dates; whose they are, and what its runs are given, changes none of them.
SAYS: Final = {
    kind: tuple(name for name in kind.__struct_fields__ if name not in Base.__struct_fields__)
    for kind in (Schedule, Interval, Rule, Dates)
}
Times: TypeAlias = tuple[type[OnTime], tuple[Any, ...]]
REMEMBERED: Final = 1_024
FEW: Final = 3


def always(_: object) -> str:
    """Nothing speaks against a date."""
    return ""


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What a trigger does not say itself: which days are closed, whether conditions hold, whose trigger it is.

    `flow` (namespace and id) makes the jitter of one trigger another than that of the next. `since` is the instant
    from which on somebody has looked without a pause: dates before it count as missed (`recoverMissedSchedules`).
    """

    flow: str = ""
    is_closed: IsClosed = always
    unmet: Unmet = always
    since: int | None = None


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """One date of a trigger.

    `date` is its logical date, in the trigger's zone, which with the trigger is its key; `at` is the instant to fire.
    The data interval goes from `start`, the date before that fires (its own where none does), to the date itself.
    `planned` is the date as it was before a closed day moved it (no offset: clocks in the zone). Where `skipped`
    says why, it starts no run, and has no interval; `missed` says that it would have, had somebody looked in time.
    """

    date: datetime
    at: int
    start: datetime
    planned: datetime | None = None
    skipped: str = ""
    missed: bool = False

    @property
    def logical(self) -> int:
        """The logical date as an instant."""
        return micros(self.date)


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """What is due of a trigger: ticks in their order; the logical date to go on from; when to look again.

    `wake` is the instant of the next date (conditions are asked when it is due), or now where more are due already,
    or none where no further date comes within ten years.
    """

    ticks: tuple[Tick, ...] = ()
    last: int
    wake: int | None = None


def due(trigger: OnTime, last: int | None, now: int, around: Around | None = None, most: int = MOST) -> Due:
    """What is due of a trigger after the logical date `last`, at `now`, at most so many ticks. Raises BadSchedule.

    Keep `Due.last` and give it again: who says the same `last` gets the same ticks, whatever the clock does. A
    trigger that was never looked at has none: its dates begin now. Ticks that are skipped come along, with the reason.
    Errors of conditions come through as they are.
    """
    around = around or Around()
    begin = now if last is None else last
    latest = _latest_missed(trigger, begin, around)
    ticks: list[Tick] = []
    before: datetime | None = None
    found = _paired(trigger, begin, around.is_closed)
    for each, following in found:
        at = _at(trigger, each, following, around.flow)
        if at > now:
            wake = _wake(trigger, itertools.chain([(each, following)], found), around)
            return Due(ticks=tuple(ticks), last=_last(ticks, begin), wake=wake)
        if len(ticks) >= most and micros(each.date) != ticks[-1].logical:
            return Due(ticks=tuple(ticks), last=_last(ticks, begin), wake=now)
        why = each.why or around.unmet(each.date)
        start = each.date if why else before or _start(trigger, each.date, begin, around)
        lost = ""
        if not why:
            before, date = each.date, micros(each.date)
            lost = _too_late(trigger, date, now) or _missed(trigger, date, at, latest, around.since)
        whole = Tick(date=each.date, at=at, start=start, planned=each.planned, skipped=why or lost, missed=bool(lost))
        ticks.append(whole)
    return Due(ticks=tuple(ticks), last=_last(ticks, begin))


def missed(trigger: OnTime, last: int, now: int, around: Around | None = None) -> tuple[Tick, ...]:
    """The ticks after a logical date that nobody looked at until now and that are made good, at most a thousand."""
    asked = msgspec.structs.replace(around or Around(), since=now + 1)
    return tuple(each for each in due(trigger, last, now, asked).ticks if not each.skipped)


def ticks_after(trigger: OnTime, after: int, around: Around | None = None) -> Iterator[Tick]:
    """All ticks after an instant, for ten years, without regard to what was missed or is late. Raises BadSchedule."""
    around, last = around or Around(), after
    for each, following in _paired(trigger, after, around.is_closed):
        why = each.why or around.unmet(each.date)
        start = each.date if why else _start(trigger, each.date, last, around)
        at = _at(trigger, each, following, around.flow)
        yield Tick(date=each.date, at=at, start=start, planned=each.planned, skipped=why)
        last = micros(each.date) if not why else last


def fires_after(trigger: OnTime, after: int, around: Around | None = None) -> datetime | None:
    """The first date after an instant that counts and meets the conditions; looked for among ten thousand."""
    around = around or Around()
    if _is_plain(around):
        return _next(_times(trigger), after)
    return _first(dates_after(trigger, after, around.is_closed), around)


def fired_before(trigger: OnTime, before: int, around: Around | None = None) -> datetime | None:
    """The latest date before an instant that counts and meets the conditions; looked for among ten thousand."""
    around = around or Around()
    if _is_plain(around):
        return _previous(_times(trigger), before)
    return _first(dates_before(trigger, before, around.is_closed), around)


def _is_plain(around: Around) -> bool:
    """Whether a date counts for what the trigger says itself, so that all who say the same have the same dates."""
    return around.is_closed is always and around.unmet is always


def _times(trigger: OnTime) -> Times:
    kind = type(trigger)
    return kind, tuple(getattr(trigger, name) for name in SAYS[kind])


def _says(times: Times) -> OnTime:
    kind, said = times
    return kind(id="", type="", **dict(zip(SAYS[kind], said, strict=True)))


@functools.lru_cache(maxsize=REMEMBERED)
def _next(times: Times, after: int) -> datetime | None:
    """As `fires_after`: thousands of triggers of the same times ask at the same instant."""
    return _first(dates_after(_says(times), after), Around())


@functools.lru_cache(maxsize=REMEMBERED)
def _previous(times: Times, before: int) -> datetime | None:
    """As `fired_before`. How far away it may be is told by the next one, which whoever asks for this wants as well."""
    following = _next(times, before)
    span = SPAN if following is None else micros(following) - before + SECOND
    return _first(dates_before(_says(times), before, span=span), Around())


def _first(found: Iterator[Found], around: Around) -> datetime | None:
    some = itertools.islice(found, LOOKED_AT)
    return next((each.date for each in some if not (each.why or around.unmet(each.date))), None)


def dates_after(trigger: OnTime, after: int, is_closed: IsClosed = always) -> Iterator[Found]:
    """The dates after an instant in their order, for ten years, with why some do not count. Raises BadSchedule.

    Whether they meet the trigger's conditions is not asked.
    """
    clock = Clock(zone(trigger.timezone), trigger.missing, trigger.repeated)
    begin, end = _bound(trigger.begin, clock), _bound(trigger.end, clock, whole_day=True)
    start = moment(after) if begin is None else max(moment(after), begin - MICROSECOND)
    if not FIRST_YEAR <= start.year < LAST_YEAR:
        return
    last = start + YEARS if end is None else min(end, start + YEARS)
    wall = clock.wall(start)
    # Where the clocks were changed less than a day ago, dates of earlier wall times may still be to come.
    changed = abs(wall - clock.wall(start - DAY) - DAY)
    since = beginning(wall - max(repeats(clock, wall), changed), trigger.closed, is_closed)
    for each in in_order(clock, batches(dates_said(trigger, clock, since), trigger.closed, is_closed)):
        instant = each.date.astimezone(UTC)
        if instant > last:
            return
        if instant > start:
            why = each.why or _outside(trigger.hours, each.date.time())
            yield msgspec.structs.replace(each, why=why) if why else each


def dates_before(trigger: OnTime, before: int, is_closed: IsClosed = always, span: int = SPAN) -> Iterator[Found]:
    """The dates before an instant, the latest first, for ten years; one is expected in a `span`. Raises BadSchedule."""
    # Not every kind of date can be counted backwards: they are counted forwards through spans that grow.
    end = before
    while before - end < LONGEST:
        begin = end - span
        yield from reversed(list(_until(end, dates_after(trigger, begin - 1, is_closed))))
        end, span = begin, span * 3


def _until(end: int, found: Iterator[Found]) -> Iterator[Found]:
    return itertools.takewhile(lambda each: micros(each.date) < end, found)


def micros(moment: datetime) -> int:
    """The instant of a date."""
    return (moment.astimezone(UTC) - EPOCH) // MICROSECOND


def moment(instant: int, around: tzinfo | None = UTC) -> datetime:
    """The date of an instant, in a time zone."""
    return (EPOCH + instant * MICROSECOND).astimezone(around)


def _paired(trigger: OnTime, after: int, is_closed: IsClosed) -> Iterator[tuple[Found, Found | None]]:
    """Each date after an instant, and the next one where its jitter needs that."""
    found = _shared(trigger, after) if is_closed is always else dates_after(trigger, after, is_closed)
    if not trigger.jitter:
        yield from ((each, None) for each in found)
        return
    before = next(found, None)
    while before is not None:
        following = next(found, None)
        yield before, following
        before = following


def _shared(trigger: OnTime, after: int) -> Iterator[Found]:
    """As `dates_after`. All but who is behind wants no more than a few."""
    some = _few(_times(trigger), after)
    yield from some
    if len(some) == FEW:
        yield from itertools.islice(dates_after(trigger, after), FEW, None)


@functools.lru_cache(maxsize=REMEMBERED)
def _few(times: Times, after: int) -> tuple[Found, ...]:
    return tuple(itertools.islice(dates_after(_says(times), after), FEW))


def _at(trigger: OnTime, found: Found, following: Found | None, flow: str) -> int:
    """When a date fires: later than its date by its share of the jitter, and before the next date."""
    date = micros(found.date)
    if not trigger.jitter or found.why:
        return date
    room = trigger.jitter if following is None else min(trigger.jitter, micros(following.date) - date)
    name = f"{flow}/{trigger.id}/{date}".encode()
    return date + int.from_bytes(hashlib.sha256(name).digest()[:4]) * room // 2**32


def _wake(trigger: OnTime, coming: Iterator[tuple[Found, Found | None]], around: Around) -> int | None:
    """When the next date that counts fires; where none does for long, when to look for one again."""
    at = None
    for found, following in itertools.islice(coming, MOST):
        at = _at(trigger, found, following, around.flow)
        if not found.why:
            break
    return at


def _start(trigger: OnTime, date: datetime, last: int, around: Around) -> datetime:
    """The latest date before one that counts and meets the conditions; the date itself where none does.

    Most often it is the `last` one that was looked at.
    """
    instant = micros(date)
    if _is_plain(around):
        return _previous(_times(trigger), instant) or date
    return _first(dates_before(trigger, instant, around.is_closed, max(instant - last, SECOND) + 1), around) or date


def _latest_missed(trigger: OnTime, begin: int, around: Around) -> int:
    """The latest of the dates that were missed and count, where only that one is made good."""
    if trigger.missed is not Missed.LAST or around.since is None or around.since <= begin:
        return begin
    for each in itertools.islice(dates_before(trigger, around.since, around.is_closed), LOOKED_AT):
        if micros(each.date) <= begin or not (each.why or around.unmet(each.date)):
            return micros(each.date)
    return begin


def _missed(trigger: OnTime, date: int, at: int, latest: int, since: int | None) -> str:
    if since is None or at >= since:
        return ""
    match trigger.missed:
        case Missed.ALL:
            return ""
        case Missed.LAST:
            return "" if date >= latest else "it was missed, and only the last one is made good"
        case Missed.NONE:
            return "it was missed, and those are not made good"


def _too_late(trigger: OnTime, date: int, now: int) -> str:
    over = now - date
    if trigger.late is None or over <= trigger.late:
        return ""
    return f"it is {over / 1e6:g} s over, more than {trigger.late / 1e6:g} s"


def _last(ticks: list[Tick], begin: int) -> int:
    return ticks[-1].logical if ticks else begin


def _bound(written: str, clock: Clock, *, whole_day: bool = False) -> datetime | None:
    """An instant that dates begin or end with; a day alone is whole, so its last instant may be meant."""
    if not written:
        return None
    found = read_date(written, clock.zone)
    if whole_day and len(written) == len("2026-01-31"):
        found += DAY - MICROSECOND
    return found if found.tzinfo else first(clock, found)


def _outside(hours: Hours | None, at: time) -> str:
    if hours is None:
        return ""
    begin, end = time.fromisoformat(hours.begin), time.fromisoformat(hours.end)
    within = begin <= at <= end if begin <= end else at >= begin or at <= end
    return "" if within else f"it is not between {hours.begin} and {hours.end}"
