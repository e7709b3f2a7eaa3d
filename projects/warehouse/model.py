"""What must the warehouse hold, given the CSV files alone? Computed in plain Python, sharing nothing with the SQL."""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from projects.warehouse.features import CODES, COLUMNS

Cell = str | int | datetime.date | datetime.datetime | None
Row = tuple[Cell, ...]
Day = datetime.date
Placed = tuple[Day, int, Row]  # batch_date, row_no, cells

_WHOLE = re.compile("-?[0-9]{1,18}").fullmatch
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?").fullmatch
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch

TABLE_OF = {"tenants": "tenant", "users": "user", "feature_usage": "feature_usage"}


@dataclass
class Expected:
    """Every table as sets of natural values: no surrogate key, no time of loading."""

    staging: dict[str, set[Row]] = field(default_factory=lambda: {table: set() for table in TABLE_OF.values()})
    tenants: set[Row] = field(default_factory=set)
    users: set[Row] = field(default_factory=set)
    facts: set[Row] = field(default_factory=set)
    rejects: set[Row] = field(default_factory=set)


@dataclass(frozen=True)
class Version:
    """A user's values from one day to another."""

    valid_from: Day
    valid_to: Day
    values: Row  # tenant, e-mail address, role
    created_at: Cell


def expect(folder: Path, days: Iterable[Day]) -> Expected:
    """Compute what loading these days must leave, in whatever order and however often they were loaded."""
    result = Expected()
    rows: dict[str, list[Placed]] = {}
    for export, table in TABLE_OF.items():
        rows[export] = []
        for day in sorted(set(days)):
            for number, cells in _read(folder, export, day):
                if cells is None:
                    result.rejects.add((day, table, number, "BAD_FORMAT"))
                else:
                    rows[export].append((day, number, cells))
                    result.staging[table].add((day, number, *cells))
    tenants = _tenants(rows["tenants"], result)
    versions = _users(rows["users"], tenants, result)
    _facts(rows["feature_usage"], tenants, versions, result)
    return result


def _tenants(rows: list[Placed], result: Expected) -> set[Cell]:
    seen: set[tuple[Day, Cell]] = set()
    newest: dict[Cell, Row] = {}
    for day, number, cells in rows:
        if cells[0] is None or cells[1] is None:
            result.rejects.add((day, "tenant", number, "NULL"))
        elif (day, cells[0]) in seen:
            result.rejects.add((day, "tenant", number, "DUPLICATE"))
        else:
            seen.add((day, cells[0]))
            newest[cells[0]] = (*cells, day)
    result.tenants.update(newest.values())
    return set(newest)


def _users(rows: list[Placed], tenants: set[Cell], result: Expected) -> dict[Cell, list[Version]]:
    daily: dict[Cell, dict[Day, Row]] = {}
    for day, number, cells in rows:
        if None in cells[:4]:
            result.rejects.add((day, "user", number, "NULL"))
        elif cells[1] not in tenants:
            result.rejects.add((day, "user", number, "UNKNOWN_FK"))
        elif day in daily.setdefault(cells[0], {}):
            result.rejects.add((day, "user", number, "DUPLICATE"))
        else:
            daily[cells[0]][day] = cells
    versions = {user_id: _history(by_day) for user_id, by_day in daily.items() if by_day}
    for user_id, history in versions.items():
        for number, one in enumerate(history, start=1):
            current = one is history[-1]
            result.users.add((user_id, number, *one.values, one.created_at, one.valid_from, one.valid_to, current))
    return versions


def _history(by_day: dict[Day, Row]) -> list[Version]:
    starts: list[tuple[Day, Row]] = []
    for day in sorted(by_day):
        if not starts or starts[-1][1][1:4] != by_day[day][1:4]:
            starts.append((day, by_day[day]))
    ends = [*(day for day, _ in starts[1:]), Day.max]
    return [Version(day, end, cells[1:4], cells[4]) for (day, cells), end in zip(starts, ends, strict=True)]


def _facts(rows: list[Placed], tenants: set[Cell], versions: dict[Cell, list[Version]], result: Expected) -> None:
    taken: set[Cell] = set()
    for day, number, cells in rows:
        event_id, tenant_id, user_id, feature, moment, duration = cells
        match moment, duration:
            case datetime.datetime(), int() if None not in cells:
                reason = _flaw(cells, tenants, versions, duration)
                if reason is None and event_id in taken:
                    reason = "DUPLICATE"
                if reason is None:
                    taken.add(event_id)
                    version = _version_at(versions[user_id], moment.date())
                    key = moment.year * 10_000 + moment.month * 100 + moment.day
                    fact = (
                        event_id,
                        key,
                        tenant_id,
                        user_id,
                        version.valid_from,
                        feature,
                        moment,
                        duration,
                        day,
                        number,
                    )
                    result.facts.add(fact)
            case _:
                reason = "NULL"
        if reason:
            result.rejects.add((day, "feature_usage", number, reason))


def _flaw(cells: Row, tenants: set[Cell], versions: Mapping[Cell, object], duration: int) -> str | None:
    if duration < 0:
        return "NEGATIVE_DURATION"
    if cells[1] not in tenants or cells[2] not in versions or cells[3] not in CODES:
        return "UNKNOWN_FK"
    return None


def _version_at(history: list[Version], day: Day) -> Version:
    return next((one for one in reversed(history) if one.valid_from <= day), history[0])


def _read(folder: Path, export: str, day: Day) -> Iterator[tuple[int, Row | None]]:
    """Give the number and the typed cells of each line of a day's files; None for cells that cannot be read."""
    number = 0
    for path in sorted((folder / "exports" / export / f"batch_date={day}").glob("part-*.csv")):
        head, *lines = path.read_bytes().split(b"\n")
        if head.rstrip(b"\r").decode("utf-8-sig") != ",".join(COLUMNS[export]):
            raise ValueError(f"{path} does not begin with the expected header")
        for line in lines:
            if line.strip(b"\r"):
                number += 1
                yield number, _cells(line, export)


def _cells(line: bytes, export: str) -> Row | None:
    try:
        (texts,) = csv.reader([line.decode("utf-8").removesuffix("\r")], strict=True)
        if len(texts) != len(COLUMNS[export]) or any("\0" in text for text in texts):
            return None
        return tuple(_typed(name, text) if text else None for name, text in zip(COLUMNS[export], texts, strict=True))
    except (UnicodeDecodeError, csv.Error, ValueError):
        return None


def _typed(name: str, text: str) -> Cell:
    match name:
        case "event_id" | "duration_ms":
            if not _WHOLE(text):
                raise ValueError(text)
            return int(text)
        case "created_at":
            return _day(text)
        case "event_ts":
            if not _MOMENT(text):
                raise ValueError(text)
            clock = datetime.time(int(text[11:13]), int(text[14:16]), int(text[17:19]), int(text[20:].ljust(6, "0")))
            return datetime.datetime.combine(_day(text[:10]), clock)
        case _:
            return text


def _day(text: str) -> Day:
    if not _DAY(text):
        raise ValueError(text)
    return Day(int(text[:4]), int(text[5:7]), int(text[8:]))
