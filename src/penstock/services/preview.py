"""When would a trigger fire, and what would it give? Dates with their variables, and why some are passed over."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Mapping

import msgspec

from penstock import expr
from penstock.engine import calendar
from penstock.engine.scope import nested
from penstock.errors import PenstockError
from penstock.model.flow import Flow
from penstock.model.trigger import Condition, Dates, Schedule

MOST_LOOKED_AT = 100_000


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """One date of a schedule: what expressions see as `trigger`, what its run is given; or why it is passed over."""

    date: datetime.datetime
    variables: dict[str, object]
    inputs: dict[str, object] = {}
    labels: dict[str, object] = {}
    skipped: str = ""


def firings(
    flow: Flow, trigger: Schedule | Dates, after: int, calls: expr.Calls, *, skipped: bool = False
) -> Iterator[Firing]:
    """The dates after an instant (microseconds) that meet the conditions, with `skipped` the others too.

    Ends after ten years, or a hundred thousand dates. Raises BadSchedule, and the error of an expression.
    """

    def unmet(date: datetime.datetime) -> str:
        variables: dict[str, object] = {"date": date.isoformat()}
        return next((why for each in trigger.when if (why := failing(each, scope(flow, variables), calls))), "")

    def meets(date: datetime.datetime) -> bool:
        return not unmet(date)

    for date in itertools.islice(calendar.fires_after(trigger, after, lambda _: True), MOST_LOOKED_AT):
        why = unmet(date) if trigger.when else ""
        if why and not skipped:
            continue
        variables = _variables(trigger, date, meets)
        around = scope(flow, variables)
        given: dict[str, dict[str, object]] = {"inputs": {}, "labels": {}}
        if not why:
            for name, written in (("inputs", trigger.inputs), ("labels", trigger.labels)):
                found = expr.render(written, around, calls)
                given[name] = dict(found) if isinstance(found, dict) else {}
        yield Firing(date=date, variables=variables, skipped=why, **given)


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


def _variables(trigger: Schedule | Dates, date: datetime.datetime, meets: calendar.Meets) -> dict[str, object]:
    """`date`, `next` and `previous`; a schedule alone has the last two, and none where no date meets the conditions."""
    variables: dict[str, object] = {"date": date.isoformat()}
    if isinstance(trigger, Dates):
        return variables
    moment = round((date - calendar.EPOCH) / datetime.timedelta(microseconds=1))
    try:
        following = next(calendar.fires_after(trigger, moment, meets), None)
        before = calendar.fired_before(trigger, moment, meets)
    except PenstockError:
        return variables
    variables |= {} if following is None else {"next": following.isoformat()}
    return variables | ({} if before is None else {"previous": before.isoformat()})
