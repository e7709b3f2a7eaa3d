"""When would a trigger fire, and what would it give? Dates with their variables, and why some are passed over."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Mapping

import msgspec

from penstock import expr
from penstock.engine import calendar
from penstock.engine.closed import IsClosed
from penstock.engine.scope import nested
from penstock.errors import PenstockError
from penstock.model.flow import Flow
from penstock.model.trigger import Condition, Dates, OnTime

MOST_LOOKED_AT = 100_000


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """One date of a schedule: what expressions see as `trigger`, what its run is given; or why it is passed over.

    It fires at the instant `at`; its data are those from `start` to `end`. A closed day moved it from `planned`.
    """

    date: datetime.datetime
    at: datetime.datetime
    start: datetime.datetime
    end: datetime.datetime
    planned: datetime.datetime | None = None
    skipped: str = ""
    variables: dict[str, object]
    inputs: dict[str, object] = {}
    labels: dict[str, object] = {}


def firings(
    flow: Flow, trigger: OnTime, after: int, calls: expr.Calls, is_closed: IsClosed = calendar.always
) -> Iterator[Firing]:
    """The dates after an instant (microseconds), those too that are passed over.

    Ends after ten years, or a hundred thousand dates. Raises BadSchedule, and the error of an expression.
    """

    def unmet(date: datetime.datetime) -> str:
        return why_not(flow, trigger, date, calls)

    around = calendar.Around(flow=flow.name, is_closed=is_closed, unmet=unmet)
    for each in itertools.islice(calendar.ticks_after(trigger, after, around), MOST_LOOKED_AT):
        yield firing(flow, trigger, each, around, calls)


def why_not(flow: Flow, trigger: OnTime, date: datetime.datetime, calls: expr.Calls) -> str:
    """Why a date does not meet the conditions of its trigger; empty where it does. Raises PenstockError."""
    if not trigger.when:
        return ""
    around = scope(flow, {"date": date.isoformat()})
    return next((why for each in trigger.when if (why := failing(each, around, calls))), "")


def firing(flow: Flow, trigger: OnTime, tick: calendar.Tick, around: calendar.Around, calls: expr.Calls) -> Firing:
    """What expressions see at one date of a trigger, and what its run is given. Raises PenstockError."""
    variables: dict[str, object] = {"date": tick.date.isoformat()}
    given: dict[str, dict[str, object]] = {"inputs": {}, "labels": {}}
    if not tick.skipped:
        variables = _variables(trigger, tick, around)
        seen = scope(flow, variables)
        for name, written in (("inputs", trigger.inputs), ("labels", trigger.labels)):
            found = expr.render(written, seen, calls)
            given[name] = dict(found) if isinstance(found, dict) else {}
    return Firing(
        date=tick.date,
        at=calendar.moment(tick.at, tick.date.tzinfo),
        start=tick.start,
        end=tick.date,
        planned=tick.planned,
        skipped=tick.skipped,
        variables=variables,
        **given,
    )


def scope(flow: Flow, variables: Mapping[str, object]) -> dict[str, object]:
    """What the expressions of a trigger see."""
    about = {"id": flow.id, "namespace": flow.namespace, "revision": flow.revision}
    own = {"vars": flow.variables, "variables": flow.variables, "globals": flow.globals}
    trigger = dict(variables)
    return {"flow": about, "labels": nested(flow.labels), "inputs": {}, "trigger": trigger, "schedule": trigger, **own}


def failing(condition: Condition, around: Mapping[str, object], calls: expr.Calls) -> str:
    """Why a condition does not hold; empty where it does. Raises PenstockError when it cannot be evaluated."""
    if condition.any_of:
        found = [failing(each, around, calls) for each in condition.any_of]
        return " and ".join(found) if all(found) else ""
    if condition.all_of:
        return next((why for each in condition.all_of if (why := failing(each, around, calls))), "")
    if condition.none_of:
        met = next((each for each in condition.none_of if not failing(each, around, calls)), None)
        return f"{_told(met)} is true" if met is not None else ""
    truth = expr.truthy(expr.compile(condition.test).render(dict(around), calls))
    return "" if truth else f"{condition.test} is not true"


def _told(condition: Condition) -> str:
    return condition.test or "one of its conditions"


def _variables(trigger: OnTime, tick: calendar.Tick, around: calendar.Around) -> dict[str, object]:
    """`date`, `next` and `previous`; a list of dates has the first alone, and none is given where no date counts."""
    variables: dict[str, object] = {"date": tick.date.isoformat()}
    if isinstance(trigger, Dates):
        return variables
    try:
        following = calendar.fires_after(trigger, tick.logical, around)
    except PenstockError:
        return variables
    variables |= {} if following is None else {"next": following.isoformat()}
    return variables | ({} if calendar.micros(tick.start) == tick.logical else {"previous": tick.start.isoformat()})
