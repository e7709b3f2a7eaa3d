"""What does a trigger say that fires at dates? A cron expression, an interval, a rule or a list, and its bounds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from functools import partial
from typing import Any, Final

from penstock.dialects.kestra import fields, older
from penstock.dialects.kestra.conditions import UPSTREAM, conditions, flat
from penstock.dialects.kestra.page import Page, shown, tell
from penstock.dialects.kestra.tree import Map, Scalar, Tree, as_text
from penstock.engine import recurrence
from penstock.errors import Severity
from penstock.errors.flow import NoEffect, OwnWord, WrongValue
from penstock.errors.run import BadSchedule
from penstock.model.trigger import (
    Calendar,
    ClosedDay,
    Dates,
    Hours,
    Interval,
    Missed,
    MissingHour,
    OnTime,
    RepeatedHour,
    Rule,
    Schedule,
)

KINDS: Final = ("cron", "every", "rrule")
# Words that Kestra does not have, for every trigger that fires at dates, and for the Schedule alone.
BOUNDS: Final = (
    "missingHour", "repeatedHour", "calendar", "onClosedDay", "between", "start", "end", "jitter", "dependsOnPast",
    "maxActiveRuns",
)  # fmt: skip
OWN: Final = ("every", "rrule", "anchor", *BOUNDS)
SCHEDULE: Final = (
    "cron", "withSeconds", "timezone", "lateMaximumDelay", "recoverMissedSchedules", "scheduleConditions", "backfill",
    *OWN,
)  # fmt: skip
DATES: Final = ("dates", "timezone", "recoverMissedSchedules", "lateMaximumDelay", *BOUNDS)
CALENDAR: Final = ("name", "country", "region", "workingDays", "closed", "opened")
CHOICES: Final = {
    "missingHour": ("SKIP", "NEXT", "SHIFT"),
    "repeatedHour": ("FIRST", "LAST", "BOTH"),
    "onClosedDay": ("SKIP", "NEXT", "PREVIOUS"),
    "recoverMissedSchedules": ("ALL", "LAST", "NONE"),
}
WEEKDAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


def schedule(page: Page, tree: Map, about: dict[str, Any]) -> OnTime:
    """A Schedule: at the dates of its `cron`, `every` so often, or by its `rrule`."""
    kinds = [word for word in KINDS if word in tree.entries]
    if not kinds:
        fields.needed(page, tree, "cron", "A Schedule")
    for other in kinds[1:]:
        tell(page, WrongValue, tree.keys[other], f'A Schedule has "{kinds[0]}" or "{other}", not both.')
    if "backfill" in tree.entries:
        sentence = '"backfill" has no effect: backfills are started by people, not written in flows.'
        tell(page, NoEffect, tree.keys["backfill"], sentence, severity=Severity.WARNING)
    if "scheduleConditions" in tree.entries:
        older.tell_older(page, tree.keys["scheduleConditions"], '"scheduleConditions" is the old name of "conditions".')
    about["when"] = (*about["when"], *flat(conditions(page, tree, UPSTREAM, "scheduleConditions")))
    about |= _timed(page, tree, about["id"], OWN)
    kind = kinds[0] if kinds else "cron"
    _useless(page, tree, kind)
    if kind == "every":
        every = fields.duration(page, tree, "every")
        if every == 0:
            tell(
                page,
                WrongValue,
                tree.entries["every"],
                '"every" is how long from one date to the next, and is nothing.',
            )
        return Interval(**about, every=every or recurrence.DAY_LONG, anchor=_date(page, tree, "anchor"))
    if kind == "rrule":
        rule = fields.text(page, tree, "rrule")
        readable(page, tree.entries["rrule"], lambda: recurrence.check_rule(rule))
        return Rule(**about, rule=rule, anchor=_date(page, tree, "anchor"))
    made = Schedule(**about, cron=fields.text(page, tree, "cron"), seconds=fields.flag(page, tree, "withSeconds"))
    if isinstance(fields.given(tree, "cron"), Scalar):
        readable(page, tree.entries["cron"], lambda: recurrence.check_cron(made.cron, made.seconds))
    return made


def on_dates(page: Page, tree: Map, about: dict[str, Any]) -> OnTime:
    """A ScheduleOnDates: at dates that are written down."""
    fields.needed(page, tree, "dates", "A ScheduleOnDates")
    about |= _timed(page, tree, about["id"], (*BOUNDS, "lateMaximumDelay"))
    return Dates(**about, dates=_each(page, tree, "dates", recurrence.check_date))


def _useless(page: Page, tree: Map, kind: str) -> None:
    """Note words that change nothing of this kind of schedule."""
    words = {"cron": ("anchor",), "every": ("withSeconds", "missingHour", "repeatedHour"), "rrule": ("withSeconds",)}
    for word in words[kind]:
        if word in tree.entries:
            tell(page, NoEffect, tree.keys[word], f'"{word}" has no effect beside "{kind}".', severity=Severity.WARNING)


def _timed(page: Page, tree: Map, name: str, own: tuple[str, ...]) -> dict[str, Any]:
    """What everything has that fires at dates."""
    used = [word for word in own if word in tree.entries]
    if used:
        words = ", ".join(f"`{word}`" for word in used)
        sentence = f'The trigger "{shown(name)}" uses words of Penstock\'s own: {words}.'
        tell(page, OwnWord, tree.keys[used[0]], sentence, severity=Severity.NOTE)
    zone = fields.text(page, tree, "timezone")
    if zone:
        readable(page, tree.entries["timezone"], partial(recurrence.check_zone, zone))
    found: dict[str, Any] = {
        "timezone": zone,
        "late": fields.duration(page, tree, "lateMaximumDelay"),
        "missed": Missed(_choice(page, tree, "recoverMissedSchedules", "ALL")),
        "calendar": _calendar(page, tree),
        "closed": ClosedDay(_choice(page, tree, "onClosedDay", "SKIP")),
        "hours": _hours(page, tree),
        "begin": _date(page, tree, "start"),
        "end": _date(page, tree, "end"),
        "jitter": fields.duration(page, tree, "jitter") or 0,
        "depends_on_past": fields.flag(page, tree, "dependsOnPast"),
        "at_once": fields.whole(page, tree, "maxActiveRuns", least=1) or 0,
    }
    # Where nothing is said, each kind has a way of its own.
    if missing := _choice(page, tree, "missingHour"):
        found["missing"] = MissingHour(missing)
    if repeated := _choice(page, tree, "repeatedHour"):
        found["repeated"] = RepeatedHour(repeated)
    return found


def _choice(page: Page, tree: Map, name: str, default: str = "") -> str:
    return fields.choice(page, tree, name, CHOICES[name], default).lower()


def _calendar(page: Page, tree: Map) -> Calendar | None:
    """By the name that the project gives it, or written out here."""
    found = fields.given(tree, "calendar")
    if found is None:
        if "onClosedDay" in tree.entries:
            sentence = '"onClosedDay" has no effect without a "calendar".'
            tell(page, NoEffect, tree.keys["onClosedDay"], sentence, severity=Severity.WARNING)
        return None
    if not isinstance(found, Map):
        return Calendar(name=fields.text(page, tree, "calendar"))
    fields.known(page, found, CALENDAR, "A calendar")
    for item in fields.items(page, found, "workingDays"):
        if isinstance(item, Scalar) and as_text(item).upper() not in WEEKDAYS:
            tell(page, WrongValue, item, f'"{shown(as_text(item))}" is no day of the week, such as MONDAY.')
    days = (day.upper() for day in fields.texts(page, found, "workingDays"))
    return Calendar(
        name=fields.text(page, found, "name"),
        country=fields.text(page, found, "country"),
        region=fields.text(page, found, "region"),
        weekdays=tuple(WEEKDAYS.index(day) + 1 for day in days if day in WEEKDAYS),
        closed=_each(page, found, "closed", _check_day),
        opened=_each(page, found, "opened", _check_day),
    )


def _hours(page: Page, tree: Map) -> Hours | None:
    found = fields.mapping(page, tree, "between")
    if found is None:
        return None
    fields.known(page, found, ("from", "to"), '"between"')
    made = Hours(begin=fields.text(page, found, "from", "00:00"), end=fields.text(page, found, "to", "23:59:59"))
    for word, written in (("from", made.begin), ("to", made.end)):
        if word in found.entries:
            readable(page, found.entries[word], partial(_check_time, written))
    return made


def _date(page: Page, tree: Map, name: str) -> str:
    written = fields.text(page, tree, name)
    if written:
        readable(page, tree.entries[name], partial(recurrence.check_date, written))
    return written


def _each(page: Page, tree: Map, name: str, check: Callable[[str], None]) -> tuple[str, ...]:
    found = fields.texts(page, tree, name)
    for item in fields.items(page, tree, name):
        if isinstance(item, Scalar) and item.value is not None:
            readable(page, item, partial(check, as_text(item)))
    return found


def readable(page: Page, at: Tree, look: Callable[[], None]) -> None:
    """Note what cannot be read of a schedule."""
    try:
        look()
    except BadSchedule as error:
        tell(page, WrongValue, at, error.sentence, error.hint)


def _check_day(written: str) -> None:
    try:
        date.fromisoformat(written)
    except ValueError:
        raise BadSchedule(f'"{written}" is no day, such as 2026-12-24.') from None


def _check_time(written: str) -> None:
    try:
        time.fromisoformat(written)
    except ValueError:
        raise BadSchedule(
            f'"{written}" is no time of day, such as 08:00.', hint="In a flow it stands in quotes."
        ) from None
