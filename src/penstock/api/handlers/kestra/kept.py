"""What is kept for Kestra's clients to read: outputs and metrics of executions, values of namespaces?"""

from __future__ import annotations

import datetime
import re
from typing import Any, Final

import msgspec

from penstock.api.route import Answer, Call
from penstock.api.shapes.kestra.asked import Asked, filters, first, numbered
from penstock.api.shapes.kestra.executions import step_key, task_run_id
from penstock.engine.values import duration_micros
from penstock.errors.api import BadRequest
from penstock.errors.run import UnknownKey, UnknownStep
from penstock.model import ids
from penstock.services import kv as verbs
from penstock.services.access import covers
from penstock.services.document import document, instant, summary
from penstock.store import flows, metrics
from penstock.store.kv import Entry

DURATION: Final = re.compile(r"P(?=.)(\d+[YMWD])*(T(\d+(\.\d+)?[HMS])+)?")
ALL: Final = 10_000


class TaskOutputs(msgspec.Struct, frozen=True, rename="camel"):
    """A task run that has outputs."""

    task_id: str
    task_run_id: str
    value: str | None
    iteration: int | None
    inline: bool = True


class MetricTold(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A number that a task has told."""

    name: str
    type: str
    value: float
    tags: dict[str, str]
    timestamp: str
    task_id: str
    task_run_id: str


class MetricsFound(msgspec.Struct, frozen=True):
    """A page of numbers, and how many there are."""

    results: list[MetricTold]
    total: int


class Value(msgspec.Struct, frozen=True):
    """A value, and what kind of one it is."""

    type: str
    value: object
    revision: int
    updated: str


class ValueAbout(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A key in a list."""

    namespace: str
    key: str
    revision: int
    update_date: str
    creation_date: str
    expiration_date: str | None


class ValuesFound(msgspec.Struct, frozen=True):
    """A page of keys, and how many there are."""

    results: list[ValueAbout]
    total: int


class Keys(msgspec.Struct, frozen=True):
    """Keys of a namespace."""

    keys: list[str]


def get_execution_outputs(call: Call[Asked, None]) -> dict[str, object]:
    """The outputs of an execution."""
    return summary(call.core, call.run).outputs


def list_task_outputs(call: Call[Asked, None]) -> list[TaskOutputs]:
    """The task runs of an execution that have outputs."""
    return [
        TaskOutputs(each.task, task_run_id(each.key), None if each.value is None else str(each.value), each.iteration)
        for each in document(call.core, call.run.id).steps
        if each.outputs
    ]


def get_task_outputs(call: Call[Asked, None]) -> dict[str, object]:
    """The outputs of a task run."""
    key = step_key(call.path["step"])
    found = next((each for each in document(call.core, call.run.id).steps if each.key == key), None)
    if found is None:
        raise UnknownStep(f'Run {call.run.id} has no step "{key[:200]}".')
    return found.outputs


def list_execution_metrics(call: Call[Asked, None]) -> MetricsFound:
    """The numbers that the tasks of an execution have told."""
    page, step, task = numbered(call.query), step_key(first(call.query, "taskRunId")), first(call.query, "taskId")
    every = call.core.store.read(lambda tx: metrics.every(tx, call.run.id))
    found = [each for each in every if step in ("", each.step) and task in ("", ids.node_of(each.step))]
    told = [
        MetricTold(
            name=each.name,
            type=each.kind.value,
            value=each.value,
            tags=each.tags,
            timestamp=instant(each.at) or "",
            task_id=ids.node_of(each.step),
            task_run_id=task_run_id(each.step),
        )
        for each in found
    ]
    return MetricsFound(told[page.behind : page.until], len(told))


def list_values(call: Call[Asked, None]) -> list[ValueAbout]:
    """The keys of a namespace."""
    return [_about(each) for each in verbs.keys(call.core, call.path["namespace"], ALL)]


def list_all_values(call: Call[Asked, None]) -> ValuesFound:
    """The keys of all namespaces that one may see, or of one."""
    page, wanted, text = numbered(call.query), "", ""
    for one in filters(call.query):
        match one.field, one.operation:
            case "namespace", "EQUALS":
                wanted = one.value
            case "q", _:
                text = one.value.lower()
            case _:
                raise BadRequest(f'Keys cannot be asked for by "{one.field}" with {one.operation}.')
    if wanted:
        places = [wanted] if covers(call.scope, wanted) else []
    else:
        places = [name for name, _ in call.core.store.glance(lambda tx: flows.namespaces(tx, call.scope, ALL))]
    found = [each for place in places for each in verbs.keys(call.core, place, ALL) if text in each.key.lower()]
    return ValuesFound([_about(each) for each in found[page.behind : page.until]], len(found))


def get_value(call: Call[Asked, None]) -> Value:
    """A value."""
    found = verbs.get(call.core, call.path["namespace"], call.path["key"])
    return Value(_kind(found.value), found.value, found.version, instant(found.changed_at) or "")


def set_value(call: Call[Asked, str]) -> None:
    """Keep a value: JSON, or else the text itself; for as long as the header `ttl` says."""
    until, wanted = None, call.headers.get("ttl", "")
    if wanted:
        try:
            until = call.core.clock.now() + duration_micros(wanted)
        except ValueError:
            raise BadRequest("The header `ttl` is an ISO-8601 duration.") from None
    try:
        value: object = msgspec.json.decode(call.body)
    except (msgspec.DecodeError, RecursionError):
        value = call.body
    verbs.put(call.core, call.path["namespace"], call.path["key"], value, until)


def delete_value(call: Call[Asked, None]) -> bool:
    """Forget a value; whether there was one."""
    return _forgotten(call, call.path["key"])


def delete_values(call: Call[Asked, Keys]) -> Answer:
    """Forget values; tells which there were."""
    return Answer(Keys([key for key in call.body.keys if _forgotten(call, key)]), 200)


def _forgotten(call: Call[Any, Any], key: str) -> bool:
    try:
        verbs.delete(call.core, call.path["namespace"], key)
    except UnknownKey:
        return False
    return True


def _about(entry: Entry) -> ValueAbout:
    changed = instant(entry.changed_at) or ""
    return ValueAbout(
        namespace=entry.namespace,
        key=entry.key,
        revision=entry.version,
        update_date=changed,
        creation_date=changed,
        expiration_date=instant(entry.expires_at),
    )


def _kind(value: object) -> str:
    match value:
        case bool():
            return "BOOLEAN"
        case int() | float():
            return "NUMBER"
        case str():
            return _kind_of(value)
        case _:
            return "JSON"


def _kind_of(text: str) -> str:
    if DURATION.fullmatch(text):
        return "DURATION"
    for kind, read in (("DATE", datetime.date.fromisoformat), ("DATETIME", datetime.datetime.fromisoformat)):
        try:
            read(text)
        except ValueError:
            continue
        return kind if "-" in text else "STRING"
    return "STRING"
