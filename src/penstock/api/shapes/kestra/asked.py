"""What do Kestra's clients ask for in an address? Pages by number, and filters, flat or as `filters[field][OPERATION]`.

Pages are counted only so far: a page is found by reading those before it.
"""

from __future__ import annotations

import datetime
import re
from typing import Final

import msgspec
from msgspec.structs import replace

from penstock.api.shapes.kestra.executions import Label, statuses
from penstock.engine.values import duration_micros
from penstock.errors.api import BadRequest
from penstock.store.runs import Filter

Asked = dict[str, list[str]]
FILTER: Final = re.compile(r"filters\[(\w+)\]\[(\w+)\](?:\[([^\]]*)\])?")
LARGEST_PAGE: Final = 1_000
FARTHEST: Final = 10_000
EQUALS: Final = ("EQUALS", "IN")
FLAT: Final = {"namespace": "PREFIX", "flowId": "EQUALS", "state": "IN", "labels": "EQUALS", "q": "EQUALS"} | {
    "startDate": "GREATER_THAN_OR_EQUAL_TO", "endDate": "LESS_THAN_OR_EQUAL_TO", "timeRange": "EQUALS",
    "childFilter": "EQUALS", "triggerExecutionId": "EQUALS", "parentId": "EQUALS",
}  # fmt: skip


class Numbered(msgspec.Struct, frozen=True):
    """A page by its number, from 1 on."""

    page: int
    size: int

    @property
    def behind(self) -> int:
        """How many come before it."""
        return (self.page - 1) * self.size

    @property
    def until(self) -> int:
        """How many there are up to its end."""
        return self.page * self.size


class One(msgspec.Struct, frozen=True):
    """One thing that is asked for: a field, how it is compared, with what."""

    field: str
    operation: str
    value: str
    name: str = ""


def numbered(asked: Asked) -> Numbered:
    """Which page. Raises BadRequest."""
    page, size = whole(asked, "page", 1), whole(asked, "size", 10)
    size = min(size, LARGEST_PAGE)
    if page < 1 or size < 1 or page * size > FARTHEST:
        raise BadRequest(f"Pages count from 1, and show the first {FARTHEST:,} at most; ask by filters.")
    return Numbered(page, size)


def whole(asked: Asked, name: str, default: int) -> int:
    """A parameter that is a whole number. Raises BadRequest."""
    found = first(asked, name)
    if not found:
        return default
    if not re.fullmatch(r"\d{1,9}", found, re.ASCII):
        raise BadRequest(f'The parameter "{name}" is a whole number.')
    return int(found)


def first(asked: Asked, name: str, default: str = "") -> str:
    """A parameter, or the first of several."""
    return next(iter(asked.get(name, ())), default)


def flag(asked: Asked, name: str) -> bool:
    """A parameter that is true or false."""
    return first(asked, name).lower() == "true"


def filters(asked: Asked) -> list[One]:
    """All that is asked for. Raises BadRequest for what nobody understands: it would show, or end, too much."""
    found = [One(name, how, value) for name, how in FLAT.items() for value in asked.get(name, ()) if value]
    for name, values in asked.items():
        if not name.startswith("filters"):
            continue
        read = FILTER.fullmatch(name)
        if read is None:
            raise BadRequest(
                f'The filter "{name[:100]}" is not understood.', hint="Filters are `filters[field][OPERATION]`."
            )
        found.extend(One(read[1], read[2], value, read[3] or "") for value in values)
    return found


def wanted_runs(asked: Asked, now: int) -> Filter:
    """Which runs are meant. Raises BadRequest."""
    wanted = Filter()
    for one in filters(asked):
        wanted = _narrowed(wanted, one, now)
    return wanted


def labels(asked: Asked) -> dict[str, str]:
    """Labels as `name:value`; a value may hold further colons. Raises BadRequest."""
    found: dict[str, str] = {}
    for each in asked.get("labels", ()):
        name, colon, value = each.partition(":")
        if not colon or not name:
            raise BadRequest(f'"{each[:100]}" is no label.', hint="Write `name:value`.")
        found[name] = value
    return found


def pairs(several: list[Label]) -> dict[str, str]:
    """Labels that are told as pairs."""
    return {each.key: each.value for each in several}


def micros(text: str) -> int:
    """An instant that is written as ISO-8601; without an offset it is UTC. Raises BadRequest."""
    try:
        found = datetime.datetime.fromisoformat(text)
        aware = found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
        return round(aware.timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        raise BadRequest(f'"{text[:50]}" is no instant.') from None


def _narrowed(wanted: Filter, one: One, now: int) -> Filter:
    match one.field, one.operation:
        case "namespace", "EQUALS":
            return replace(wanted, here=one.value)
        case "namespace", "PREFIX":
            return replace(wanted, namespace=one.value)
        case "flowId", "EQUALS":
            return replace(wanted, flow=one.value)
        case (("state" | "status"), ("EQUALS" | "IN")):
            return replace(wanted, statuses=(*wanted.statuses, *statuses(one.value.split(","))))
        case (("state" | "status"), "NOT_IN" | "NOT_EQUALS"):
            gone = statuses(one.value.split(","))
            return replace(wanted, statuses=tuple(each for each in type(gone[0]) if each not in gone))
        case "labels", ("EQUALS" | "IN"):
            name, _, value = (one.name, "", one.value) if one.name else one.value.partition(":")
            return replace(wanted, labels=wanted.labels | {name: value})
        case "scope", _:
            return wanted
        case "q", _:
            return replace(wanted, text=one.value)
        case "startDate", "GREATER_THAN" | "GREATER_THAN_OR_EQUAL_TO":
            return replace(wanted, since=micros(one.value))
        case "endDate", "LESS_THAN" | "LESS_THAN_OR_EQUAL_TO":
            return replace(wanted, until=micros(one.value))
        case "timeRange", _:
            return replace(wanted, since=now - _span(one.value))
        case (("parentId" | "triggerExecutionId"), "EQUALS"):
            return replace(wanted, parent=one.value)
        case "id" | "executionId", ("EQUALS" | "IN"):
            return replace(wanted, ids=(*wanted.ids, *one.value.split(",")))
        case _:
            raise BadRequest(f'Nothing can be asked for by "{one.field}" with {one.operation}.')


def _span(text: str) -> int:
    try:
        return duration_micros(text)
    except ValueError:
        raise BadRequest(f'"{text[:50]}" is no duration.', hint="Durations are ISO-8601: PT1H, P1D.") from None
