"""Which schema do records have, and how do their values become what it wants? Given as Avro writes it, or looked up."""

from __future__ import annotations

import datetime
import decimal
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, TypeVar, cast

import msgspec
from msgspec import Meta, field

from penstock.plugins.serdes import patterns
from penstock.plugins.serdes.csv import OnBadLines
from penstock.plugins.serdes.options import Serde
from penstock.plugins.serdes.patterns import BothFormat, DateFormat, TimeFormat, ZoneId
from penstock.sdk.context import Context, Level
from penstock.sdk.task import TaskFailed

Schema = str | list[object] | dict[str, object]
K = TypeVar("K", list[Any], dict[Any, Any])
Convert = Callable[[object], object]
SCAN: Final = 100
NULLS: Final = ("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "1.#IND", "1.#QNAN", "NA", "n/a", "nan",
                "null")  # fmt: skip
WIDER: Final = ("boolean", "long", "double", "string")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How text becomes the values of a schema."""

    true: tuple[str, ...] = ("t", "true", "enabled", "1", "on", "yes")
    false: tuple[str, ...] = ("f", "false", "disabled", "0", "off", "no", "")
    null: tuple[str, ...] = NULLS
    date: str = patterns.DATE
    time: str = patterns.TIME
    both: str = patterns.BOTH
    separator: str = "."
    zone: datetime.tzinfo = datetime.UTC


class Schemed(Serde, frozen=True, kw_only=True):
    """What tasks declare that write a format whose files have a schema."""

    schema: Annotated[
        str | dict[str, object] | None,
        Meta(description="The schema in Avro's JSON; found from the records if not given."),
    ] = None
    true_values: Annotated[list[str], Meta(description="Texts that mean yes.")] = field(
        default_factory=lambda: list(Rules().true)
    )
    false_values: Annotated[list[str], Meta(description="Texts that mean no.")] = field(
        default_factory=lambda: list(Rules().false)
    )
    null_values: Annotated[list[str], Meta(description="Texts that mean nothing, where that is allowed.")] = field(
        default_factory=lambda: list(NULLS)
    )
    date_format: DateFormat = patterns.DATE
    time_format: TimeFormat = patterns.TIME
    datetime_format: BothFormat = patterns.BOTH
    time_zone_id: ZoneId = ""
    decimal_separator: Annotated[str, Meta(description="What stands before the digits of a fraction.")] = "."
    strict_schema: Annotated[bool, Meta(description="Whether a value that the schema does not name is a failure.")] = (
        False
    )
    infer_all_fields: Annotated[bool, Meta(description="Read and not used: missing values become nothing.")] = False
    number_of_rows_to_scan: Annotated[int, Meta(description="Records that are looked at to find a schema.")] = SCAN
    on_bad_lines: Annotated[OnBadLines, Meta(description="What becomes of a record that does not fit.")] = (
        OnBadLines.ERROR
    )

    def begin(self, rows: Iterator[dict[str, object]]) -> tuple[Schema, Iterator[dict[str, object]]]:
        """The schema, and all records: those that were looked at and the rest."""
        if self.schema:
            return read(self.schema), rows
        first = list(itertools.islice(rows, max(self.number_of_rows_to_scan, 1)))
        if not first:
            raise TaskFailed("There is no record to find a schema from; give one (schema).")
        return guessed(first), itertools.chain(first, rows)

    def fitted(self, found: Schema, rows: Iterator[dict[str, object]], context: Context) -> Iterator[dict[str, object]]:
        """The records with their values as the schema wants them."""
        rules = Rules(
            true=tuple(each.lower() for each in self.true_values),
            false=tuple(each.lower() for each in self.false_values),
            null=tuple(self.null_values),
            date=self.date_format,
            time=self.time_format,
            both=self.datetime_format,
            separator=self.decimal_separator,
            zone=patterns.zone(self.time_zone_id) or datetime.UTC,
        )
        convert = converter(found, rules, {})
        known = {str(each["name"]) for each in _fields(found)}
        for number, row in enumerate(rows, 1):
            try:
                if self.strict_schema and (extra := row.keys() - known):
                    raise ValueError(f'the schema names no "{min(extra)}"')
                yield cast("dict[str, object]", convert(row))
            except ValueError as error:
                if self.on_bad_lines is OnBadLines.ERROR:
                    raise TaskFailed(f"Record {number} does not fit the schema: {error}.") from None
                if self.on_bad_lines is OnBadLines.WARN:
                    context.log(f"Record {number} is left out: {error}.", Level.WARN)


class Counted:
    """Records that are counted while they are taken."""

    def __init__(self, rows: Iterator[dict[str, object]]) -> None:
        self.count = 0
        self._rows = rows

    def __iter__(self) -> Iterator[dict[str, object]]:
        for row in self._rows:
            self.count += 1
            yield row


def read(given: str | Mapping[str, object]) -> Schema:
    """A schema as it was given; TaskFailed when it is not one of records."""
    try:
        found = json.loads(given) if isinstance(given, str) else dict(given)
    except ValueError as error:
        raise TaskFailed(f"The schema is no JSON: {error}.") from None
    if not isinstance(found, dict) or found.get("type") != "record":
        raise TaskFailed('The schema is not one of records: {"type": "record", "name": …, "fields": […]}.')
    return found


def _fields(schema: Schema) -> list[dict[str, object]]:
    return cast("list[dict[str, object]]", schema.get("fields", [])) if isinstance(schema, dict) else []


def converter(schema: Schema, rules: Rules, named: dict[str, Convert]) -> Convert:
    """What turns a value into what a schema wants; it raises ValueError for one that cannot be that."""
    match schema:
        case str() as name:
            return named.get(name) or _primitive(name, "", rules)
        case list() as branches:
            return _union(cast("list[Schema]", branches), rules, named)
    kind, logical = schema["type"], str(schema.get("logicalType", ""))
    match kind:
        case "record":
            return _record(schema, rules, named)
        case "array":
            item = converter(cast("Schema", schema["items"]), rules, named)
            return lambda value: [item(each) for each in _parts(value, list)]
        case "map":
            item = converter(cast("Schema", schema["values"]), rules, named)
            return lambda value: {str(name): item(each) for name, each in _parts(value, dict).items()}
        case "enum" | "fixed":
            named[str(schema["name"])] = convert = _primitive("string" if kind == "enum" else "bytes", logical, rules)
            return convert
        case str() as name:
            return _primitive(name, logical, rules)
        case other:
            return converter(cast("Schema", other), rules, named)


def _record(schema: dict[str, object], rules: Rules, named: dict[str, Convert]) -> Convert:
    parts: list[tuple[str, Convert, object]] = []

    def convert(value: object) -> object:
        given = _parts(value, dict)
        done: dict[str, object] = {}
        for name, part, default in parts:
            try:
                done[name] = part(given.get(name, default))
            except ValueError as error:
                raise ValueError(f'"{name}": {error}') from None
        return done

    # Known before its fields are, for it may hold itself.
    named[str(schema.get("name", ""))] = convert
    for each in _fields(schema):
        parts.append((str(each["name"]), converter(cast("Schema", each["type"]), rules, named), each.get("default")))
    return convert


def _union(branches: Sequence[Schema], rules: Rules, named: dict[str, Convert]) -> Convert:
    converts = [converter(each, rules, named) for each in branches if each != "null"]
    nothing = "null" in branches

    def convert(value: object) -> object:
        if nothing and (value is None or (isinstance(value, str) and value in rules.null)):
            return None
        wrong = "nothing"
        for each in converts:
            try:
                return each(value)
            except ValueError as error:
                wrong = str(error)
        raise ValueError(wrong)

    return convert


def _parts(value: object, kind: type[K]) -> K:
    if not isinstance(value, kind):
        raise ValueError(f"{str(value)[:40]!r} is no {'map' if isinstance(kind(), dict) else 'list'}")
    return value


def _primitive(name: str, logical: str, rules: Rules) -> Convert:
    match logical or name:
        case "null":
            return lambda _value: None
        case "boolean":
            return lambda value: _yes(value, rules)
        case "int" | "long":
            return lambda value: _whole(value, rules)
        case "float" | "double":
            return lambda value: float(_number(value, rules))
        case "decimal":
            return lambda value: _number(value, rules)
        case "bytes" | "fixed":
            return lambda value: value if isinstance(value, bytes) else _given(value).encode()
        case "date":
            return lambda value: _day(value, rules)
        case "time-millis" | "time-micros":
            return lambda value: _clock(value, rules)
        case "timestamp-millis" | "timestamp-micros":
            return lambda value: _instant(value, rules)
        case "local-timestamp-millis" | "local-timestamp-micros":
            return lambda value: _instant(value, rules).replace(tzinfo=None)
        case _:
            return _given


def _given(value: object) -> str:
    if value is None:
        raise ValueError("it is missing")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, dict | list) else str(value)


def _yes(value: object, rules: Rules) -> bool:
    if isinstance(value, bool):
        return value
    text = _given(value).lower()
    if text in rules.true:
        return True
    if text in rules.false:
        return False
    raise ValueError(f'"{text[:40]}" is neither yes nor no')


def _whole(value: object, rules: Rules) -> int:
    if isinstance(value, int):
        return int(value)
    number = _number(value, rules)
    if number != number.to_integral_value():
        raise ValueError(f"{number} is no whole number")
    return int(number)


def _number(value: object, rules: Rules) -> decimal.Decimal:
    if isinstance(value, int | decimal.Decimal):
        return decimal.Decimal(value)
    text = repr(value) if isinstance(value, float) else _given(value).strip().replace(rules.separator, ".")
    try:
        return decimal.Decimal(text)
    except decimal.InvalidOperation:
        raise ValueError(f'"{text[:40]}" is no number') from None


def _day(value: object, rules: Rules) -> datetime.date:
    match value:
        case datetime.datetime():
            return value.date()
        case datetime.date():
            return value
        case other:
            return patterns.read(_given(other), rules.date).date()


def _clock(value: object, rules: Rules) -> datetime.time:
    if isinstance(value, datetime.time):
        return value
    try:
        return datetime.time.fromisoformat(_given(value))
    except ValueError:
        return patterns.read(_given(value), rules.time).time()


def _instant(value: object, rules: Rules) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        found = value
    else:
        try:
            found = datetime.datetime.fromisoformat(_given(value))
        except ValueError:
            found = patterns.read(_given(value), rules.both)
    return found if found.tzinfo else found.replace(tzinfo=rules.zone)


def guessed(rows: Sequence[Mapping[str, object]], name: str = "record") -> dict[str, object]:
    """The narrowest schema that all of some records fit."""
    names = dict.fromkeys(key for row in rows for key in row)
    fields = [{"name": key, "type": _guess([row.get(key) for row in rows], f"{name}_{key}")} for key in names]
    return {"type": "record", "name": name, "fields": [{**each, "default": None} for each in fields]}


def _guess(values: Sequence[object], name: str) -> list[object]:
    there = [value for value in values if value is not None]
    if there and all(isinstance(value, dict) for value in there):
        return ["null", guessed(cast("list[dict[str, object]]", there), name)]
    if there and all(isinstance(value, list) for value in there):
        items = [item for value in there for item in cast("list[object]", value)]
        return ["null", {"type": "array", "items": _guess(items, f"{name}_item")}]
    return ["null", _guess_one(there)]


def _guess_one(there: Sequence[object]) -> object:
    kinds = {_kind(value) for value in there}
    moments: dict[type, dict[str, object]] = {
        datetime.date: {"type": "int", "logicalType": "date"},
        datetime.datetime: {"type": "long", "logicalType": "timestamp-micros"},
    }
    if len({type(value) for value in there}) == 1 and (moment := moments.get(type(there[0]))):
        return moment
    if len(kinds) > 1 and not kinds <= {"long", "double"}:
        return "string"
    return max(kinds, key=WIDER.index, default="string")


def _kind(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "long" if -(2**63) <= value < 2**63 else "string"
        case float() | decimal.Decimal():
            return "double"
        case _:
            return "string"
