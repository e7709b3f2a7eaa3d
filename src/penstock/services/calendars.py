"""Which days are closed? By a calendar of the project or of a flow: holidays, days not worked on, lists of dates."""

from __future__ import annotations

import calendar
import functools
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TypeAlias

import msgspec

from penstock.engine.calendar import always
from penstock.errors import nearest
from penstock.errors.run import BadSchedule
from penstock.errors.task import MissingExtra
from penstock.model.trigger import Calendar, OnTime

IsClosed: TypeAlias = Callable[[date], str]


class Kept(msgspec.Struct, frozen=True):
    """A calendar that the project has a name for; `file` has further days that are closed, one on each line."""

    calendar: Calendar
    file: Path | None = None


class Calendars:
    """The calendars of a project, by their names."""

    def __init__(self, kept: Mapping[str, Kept] | None = None) -> None:
        self._kept = dict(kept or {})

    def of(self, trigger: OnTime) -> IsClosed:
        """Why a day is closed for a trigger; empty where it is open.

        Raises BadSchedule for a calendar or country that there is not, MissingExtra without the library of holidays.
        """
        if trigger.calendar is None:
            return always
        rules = [_rule(trigger.calendar, frozenset())]
        if name := trigger.calendar.name:
            if name not in self._kept:
                hint = nearest(name, self._kept) or "penstock.yaml names calendars under `calendars`."
                raise BadSchedule(f'There is no calendar "{name}".', hint=hint)
            kept = self._kept[name]
            rules.append(_rule(kept.calendar, frozenset() if kept.file is None else _listed(kept.file)))
        opened = frozenset(each for one, _ in rules for each in one)
        return lambda day: "" if day in opened else next((why for _, rule in rules if (why := rule(day))), "")


def _rule(said: Calendar, listed: frozenset[date]) -> tuple[frozenset[date], IsClosed]:
    """The days that one calendar opens whatever else is said, and why it closes others."""
    closed = frozenset(_day(each) for each in said.closed) | listed
    name = f"the calendar {said.name}" if said.name else "the calendar"
    if said.country:
        holidays_of(said.country, said.region, 2000)

    def why(day: date) -> str:
        if day in closed:
            return f"{name} closes {day.isoformat()}"
        if said.weekdays and day.isoweekday() not in said.weekdays:
            return f"{calendar.day_name[day.weekday()]} is no working day"
        holiday = holidays_of(said.country, said.region, day.year).get(day) if said.country else None
        return f"it is a holiday: {holiday}" if holiday else ""

    return frozenset(_day(each) for each in said.opened), why


@functools.lru_cache(maxsize=512)
def holidays_of(country: str, region: str, year: int) -> dict[date, str]:
    """The public holidays of a country, or of one of its regions, in a year. Raises BadSchedule, MissingExtra."""
    try:
        import holidays
    except ImportError:
        sentence = "Calendars with holidays need the package holidays."
        raise MissingExtra(sentence, hint='pip install "penstock[holidays]"') from None
    try:
        found = holidays.country_holidays(country.upper(), subdiv=region or None, years=year, language="en_US")
    except NotImplementedError:
        where = f"{country}-{region}" if region else country
        raise BadSchedule(f'The holidays of "{where}" are not known.') from None
    return dict(found.items())


def _listed(file: Path) -> frozenset[date]:
    """The days of a file: a date at the beginning of each line, what comes behind it being for people."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSchedule(f"The days of {file} cannot be read: {error}.") from None
    words = (line.partition("#")[0].split() for line in lines)
    return frozenset(_day(each[0].rstrip(",;")) for each in words if each)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise BadSchedule(f'"{written}" is no day, such as 2026-12-24.') from None
