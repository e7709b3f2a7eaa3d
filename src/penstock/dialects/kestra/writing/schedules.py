"""How is written what bounds the dates of a trigger? Only what is not as it is where nothing is said."""

from __future__ import annotations

from penstock.dialects.kestra.schedules import WEEKDAYS
from penstock.dialects.kestra.writing.parts import Written, kept, span
from penstock.errors.flow import CannotWrite
from penstock.model.trigger import Calendar, ClosedDay, Missed, MissingHour, OnTime, RepeatedHour, Schedule


def timed(made: OnTime) -> Written:
    """What everything has that fires at dates. Raises CannotWrite for what the language has no words for."""
    return {
        **kept(timezone=made.timezone, lateMaximumDelay=span(made.late)),
        **({} if made.missed is Missed.ALL else {"recoverMissedSchedules": made.missed.value.upper()}),
        **_clocks(made),
        **({} if made.calendar is None else {"calendar": _calendar(made.calendar)}),
        **({} if made.closed is ClosedDay.SKIP else {"onClosedDay": made.closed.value.upper()}),
        **({} if made.hours is None else {"between": {"from": made.hours.begin, "to": made.hours.end}}),
        **kept(start=made.begin, end=made.end, jitter=span(made.jitter or None)),
        **kept(dependsOnPast=made.depends_on_past, maxActiveRuns=made.at_once),
    }


def _clocks(made: OnTime) -> Written:
    """What becomes of dates where clocks are changed, if that is not what this kind of trigger does anyway."""
    usual = (
        (MissingHour.SKIP, RepeatedHour.OFTEN)
        if isinstance(made, Schedule)
        else (MissingHour.SHIFT, RepeatedHour.FIRST)
    )
    found: Written = {}
    if made.missing is not usual[0]:
        found["missingHour"] = made.missing.value.upper()
    if made.repeated is not usual[1]:
        if made.repeated is RepeatedHour.OFTEN:
            raise CannotWrite(f'The trigger "{made.id}" takes repeated hours as a cron expression does, and is none.')
        found["repeatedHour"] = made.repeated.value.upper()
    return found


def _calendar(made: Calendar) -> object:
    if made == Calendar(name=made.name):
        return made.name
    days = [WEEKDAYS[day - 1] for day in made.weekdays]
    parts = kept(name=made.name, country=made.country, region=made.region, workingDays=days)
    return {**parts, **kept(closed=list(made.closed), opened=list(made.opened))}
