"""When does a schedule fire? The dates of a cron expression after an instant, and those that its conditions leave."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Iterator
from typing import Final

from cronsim import CronSim, CronSimError

from penstock.errors import PenstockError
from penstock.errors.run import BadSchedule
from penstock.expr.dates.zones import zone_of
from penstock.model.trigger import Dates, Schedule

NICKNAMES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
YEARS: Final = 10
EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
Meets = Callable[[datetime.datetime], bool]


def check(cron: str, seconds: bool, timezone: str) -> None:
    """See whether a cron expression and a time zone can be read. Raises BadSchedule."""
    _cron(cron, seconds, datetime.datetime(2000, 1, 1, tzinfo=_zone(timezone)))


def check_date(written: str, timezone: str) -> None:
    """See whether a date that is written down can be read. Raises BadSchedule."""
    _date(written, _zone(timezone))


def dates_after(trigger: Schedule | Dates, after: int) -> Iterator[datetime.datetime]:
    """The dates after an instant (microseconds), in the trigger's time zone, whatever its conditions say."""
    zone = _zone(trigger.timezone)
    moment = (EPOCH + datetime.timedelta(microseconds=after)).astimezone(zone)
    if isinstance(trigger, Dates):
        yield from (date for date in sorted(_date(each, zone) for each in trigger.dates) if date > moment)
        return
    yield from _cron(trigger.cron, trigger.seconds, moment)


def fires_after(trigger: Schedule | Dates, after: int, meets: Meets) -> Iterator[datetime.datetime]:
    """The dates after an instant that meet the conditions; looked for up to ten years ahead (spec section 11)."""
    last = EPOCH + datetime.timedelta(microseconds=after, days=366 * YEARS)
    within = itertools.takewhile(lambda date: date <= last, dates_after(trigger, after))
    return (date for date in within if meets(date))


def fired_before(trigger: Schedule, before: int, meets: Meets) -> datetime.datetime | None:
    """The latest date before an instant that meets the conditions, if there is one within ten years."""
    zone = _zone(trigger.timezone)
    moment = (EPOCH + datetime.timedelta(microseconds=before)).astimezone(zone)
    first = moment - datetime.timedelta(days=366 * YEARS)
    backwards = _cron(trigger.cron, trigger.seconds, moment, reverse=True)
    return next((date for date in itertools.takewhile(lambda date: date >= first, backwards) if meets(date)), None)


def _cron(cron: str, seconds: bool, moment: datetime.datetime, *, reverse: bool = False) -> Iterator[datetime.datetime]:
    written = NICKNAMES.get(cron.strip().lower(), cron.strip())
    fields = written.split()
    if len(fields) not in ((6,) if seconds else (5,)) and not (seconds and cron.strip().lower() in NICKNAMES):
        wanted = "six fields, the first for seconds" if seconds else "five fields"
        hint = "" if seconds or len(fields) != 6 else "With a field for seconds in front write `withSeconds: true`."
        raise BadSchedule(f'"{cron}" has {len(fields)} fields; a cron expression has {wanted}.', hint=hint)
    # Quartz' sign for "no particular day" is known to the language, and means any here.
    text = " ".join("*" if field == "?" else field for field in fields)
    try:
        return CronSim(text, moment, reverse)
    except CronSimError as error:
        raise BadSchedule(f'"{cron}" is no cron expression: {str(error).lower()}.') from None


def _zone(name: str) -> datetime.tzinfo:
    try:
        return zone_of(name or "UTC")
    except PenstockError as error:
        raise BadSchedule(error.sentence, hint=error.hint) from None


def _date(written: str, zone: datetime.tzinfo) -> datetime.datetime:
    try:
        found = datetime.datetime.fromisoformat(written)
    except ValueError:
        raise BadSchedule(f'"{written}" is no date with its time, such as 2026-01-31T09:00:00Z.') from None
    return found.astimezone(zone) if found.tzinfo else found.replace(tzinfo=zone)
