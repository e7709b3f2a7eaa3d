"""What may an editor expect in a flow? JSON Schema of the whole language, made of the task types that are installed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from penstock.dialects.kestra import inputs, nodes, policies, schedules, triggers, webhooks
from penstock.dialects.kestra.groups import READERS
from penstock.dialects.kestra.names import REFUSED, SHORT
from penstock.dialects.kestra.read import READ, SERVER_SIDE
from penstock.dialects.kestra.ways import WAYS

Schema = dict[str, Any]
LONG: Final = 100
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TEMPLATE: Final[Schema] = {"type": "string", "pattern": "\\{[{%]"}
TEXT: Final[Schema] = {"type": ["string", "number", "boolean", "null"]}
NOTHING: Final[Schema] = {"type": "null"}
# A list or map may be given as text, as JSON or as what is rendered to it.
WRITTEN: Final[Schema] = {"type": "string", "pattern": "^\\s*[\\[{]|\\{[{%]"}
FLAG: Final[Schema] = {"anyOf": [{"type": ["boolean", "null"]}, {"type": "string"}]}
WHOLE: Final[Schema] = {"anyOf": [{"type": ["integer", "null"]}, {"type": "string"}]}
SPAN: Final[Schema] = {
    "type": ["string", "number", "null"],
    "description": "ISO-8601, such as PT5M; a number is seconds.",
}
TASKS: Final[Schema] = {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/task"}}, {"type": "null"}]}
MAP: Final[Schema] = {"type": ["object", "null"]}
LIST: Final[Schema] = {"type": ["array", "null"]}
TEXTS: Final[Schema] = {"type": ["array", "null"], "items": TEXT}
ANY: Final[Schema] = {}
CALENDAR: Final[Schema] = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("name", "country", "region"), TEXT),
        **dict.fromkeys(("workingDays", "closed", "opened"), TEXTS),
    },
    "additionalProperties": False,
}
SIGNATURE: Final[Schema] = {
    "type": ["object", "null"],
    "properties": {
        **dict.fromkeys(("header", "secret", "prefix"), TEXT),
        "algorithm": {"enum": [*webhooks.ALGORITHMS, *map(str.lower, webhooks.ALGORITHMS)]},
        "encoding": {"enum": [*webhooks.ENCODINGS, *map(str.lower, webhooks.ENCODINGS)]},
        "tolerance": SPAN,
    },
    "required": ["header", "secret"],
    "additionalProperties": False,
    "description": "How who calls proves to know a secret: by an HMAC of the body in a header.",
}
SIMPLE: Final[dict[str, Schema]] = {
    **dict.fromkeys(("tasks", "errors", "finally", "afterExecution", "then", "else", "defaults"), TASKS),
    **dict.fromkeys((
        "disabled", "allowFailure", "allowWarning", "logToFile", "wait", "transmitFailed", "inheritLabels", "required",
        "failOnMaxReached", "withSeconds", "allowConcurrent", "resetOnSuccess", "forced", "dependsOnPast",
    ), FLAG),
    **dict.fromkeys((
        "timeout", "deadline", "interval", "maxDuration", "maxInterval", "minInterval", "duration", "ttl", "delay",
        "lateMaximumDelay", "pauseDuration", "every", "jitter",
    ), SPAN),
    **dict.fromkeys((
        "concurrent", "concurrencyLimit", "maxAttempt", "maxAttempts", "limit", "revision", "maxActiveRuns",
    ), WHOLE),
    **dict.fromkeys((
        "id", "name", "type", "description", "message", "condition", "runIf", "namespace", "flowId", "cron", "timezone",
        "key", "displayName", "scheduleDate", "queue", "when", "expression", "validator", "rrule", "anchor",
        "start", "end",
    ), TEXT),
    **dict.fromkeys(("variables", "checkFrequency", "batch", "taskCache", "sensor", "workerGroup", "cache"), MAP),
    **dict.fromkeys(("resumers", "dates", "stopAfter", "states", "outputFiles"), TEXTS),
    "labels": {"type": ["object", "array", "null"]},
    "cases": {"type": "object", "additionalProperties": TASKS},
    "retry": {"$ref": "#/$defs/retry"},
    "onPause": {"$ref": "#/$defs/task"},
    "onResume": {"type": ["array", "null"], "items": {"$ref": "#/$defs/input"}},
    "conditions": LIST,
    "scheduleConditions": LIST,
    **{
        word: {"anyOf": [{"enum": [*words, *map(str.lower, words)]}, NOTHING]}
        for word, words in schedules.CHOICES.items()
    },
    "returnOutputs": FLAG,
    "signature": SIGNATURE,
    "calendar": {"anyOf": [TEXT, CALENDAR], "description": "One of the project's calendars, or one written out."},
    "between": {
        "type": ["object", "null"], "properties": {"from": TEXT, "to": TEXT}, "additionalProperties": False,
        "description": "Times of day, both included.",
    },
}  # fmt: skip
ENTRY_OF_DAG: Final[Schema] = {
    "type": "object",
    "properties": {"task": {"$ref": "#/$defs/task"}, "dependsOn": TEXTS, "teardownOf": TEXTS, "rule": TEXT},
    "required": ["task"],
    "additionalProperties": False,
}


def schema(types: Iterable[tuple[Mapping[str, Any], tuple[str, ...]]], *, others: bool = False) -> Schema:
    """The schema of a flow (2020-12). `types` are the properties of each task type, as JSON Schema, with all its names;
    with `others` tasks may be of other types, too.
    """
    defs: dict[str, Schema] = {}
    choices: list[Schema] = []
    names: list[str] = []
    fires: list[Schema] = []
    for own, known in types:
        name = known[0]
        if own.get("x-fires"):
            defs[f"trigger.{name}"] = _trigger_type(own, defs)
            fires.append(_choice(known, f"trigger.{name}"))
            continue
        defs[f"task.{name}"] = _task_type(own, defs)
        choices.append(_choice(known, f"task.{name}"))
        names += known
    for short, (_, words) in (READERS | WAYS).items():
        known = tuple(name for name, each in SHORT.items() if each == short)
        defs[f"group.{short}"] = _group(short, words)
        choices.append(_choice(known, f"group.{short}"))
        names += known
    kind: Schema = {"type": "string"}
    kind["anyOf"] = [{"enum": [*names, *(name for name, each in SHORT.items() if each in REFUSED.values())]}]
    if others:
        kind["anyOf"].append({"type": "string"})
    every = _known(nodes.ALWAYS, {"type": kind})
    task: Schema = {"type": "object", "required": ["id", "type"], "properties": every, "allOf": choices}
    defs |= {"task": task, "retry": _retry(), "input": _input(), "trigger": _trigger(fires), "output": _output()}
    return {"$schema": DIALECT, "title": "A flow", **_flow(), "$defs": defs}


def _choice(names: tuple[str, ...], ref: str) -> Schema:
    kind = {"properties": {"type": {"enum": list(names)}}, "required": ["type"]}
    return {"if": kind, "then": {"$ref": f"#/$defs/{ref}"}}


def _known(words: Iterable[str], more: Mapping[str, Schema] | None = None) -> Schema:
    own = more or {}
    return {word: own.get(word, SIMPLE.get(word, ANY)) for word in words}


def _flow() -> Schema:
    lists = {name: {"type": ["array", "null"], "items": {"$ref": f"#/$defs/{name[:-1]}"}} for name in
             ("inputs", "outputs", "triggers")}  # fmt: skip
    more = {**lists, "pluginDefaults": LIST, "taskDefaults": LIST, "listeners": LIST, "sla": LIST, "checks": LIST}
    return {
        "type": "object",
        "properties": _known((*READ, *SERVER_SIDE), {**more, "concurrency": MAP}),
        # A project may give the namespace to all its flows.
        "required": ["id", "tasks"],
        "additionalProperties": False,
    }


def _task_type(own: Mapping[str, Any], defs: dict[str, Schema]) -> Schema:
    """A task of one type: what every task has, which is said once for all, and its own."""
    properties = {word: _shared(_loose(each, {}), defs) for word, each in own.get("properties", {}).items()}
    return {
        "description": own.get("description", ""),
        "properties": {**dict.fromkeys(nodes.ALWAYS, True), **properties},
        # Nothing is required here: what is not written may come from plugin defaults.
        "additionalProperties": own.get("additionalProperties", False),
    }


def _trigger_type(own: Mapping[str, Any], defs: dict[str, Schema]) -> Schema:
    """A trigger of a plugin's type: what every trigger has, and its own."""
    properties = {word: _shared(_loose(each, {}), defs) for word, each in own.get("properties", {}).items()}
    common = {**_known((*triggers.COMMON, *(("interval",) if own["x-fires"] == "polling" else ())))}
    return {
        "description": own.get("description", ""),
        "properties": {**common, **properties},
        "additionalProperties": False,
    }


def _shared(made: Schema, defs: dict[str, Schema]) -> Schema:
    """A reference to what is said of a property, where it is long: many types say the same."""
    text = msgspec.json.encode(made, order="deterministic")
    if len(text) < LONG:
        return made
    key = f"property.{hashlib.sha256(text).hexdigest()[:12]}"
    defs[key] = made
    return {"$ref": f"#/$defs/{key}"}


def _loose(each: Any, named: Mapping[str, Any]) -> Any:
    """What a type declares, where a template may stand for anything, and text may be written as a number; what it
    names stands where it is named.
    """
    if not isinstance(each, dict):
        return [_loose(part, named) for part in each] if isinstance(each, list) else each
    named = {**named, **each.get("$defs", {})}
    made: Schema = {}
    for word, part in each.items():
        if word == "$ref":
            name = part.removeprefix("#/$defs/")
            # What holds itself is not looked into.
            below = {key: inner for key, inner in named.items() if key != name}
            made |= _loose(named[name], below) if name in named else {}
        elif word == "properties":
            made[word] = {key: _loose(below, named) for key, below in part.items()}
        elif word not in ("default", "title", "$defs"):
            made[word] = part if word in ("enum", "required", "examples", "const") else _loose(part, named)
    return _loosened(made) if "$ref" not in each else {**made, **_about(each)}


def _about(each: Mapping[str, Any]) -> Schema:
    return {"description": each["description"]} if "description" in each else {}


def _loosened(made: Schema) -> Schema:
    said = made.get("type")
    about = _about(made)
    if "enum" in made:
        words = [*made["enum"], *(str(each).swapcase() for each in made["enum"])]
        return {**about, "anyOf": [{"enum": list(dict.fromkeys(words))}, TEMPLATE, NOTHING]}
    if said == "string":
        return {**{word: part for word, part in made.items() if word != "format"}, **TEXT}
    if said in ("integer", "number", "boolean"):
        return {**about, "anyOf": [made, {"type": ["string", "null"]}]}
    if said in ("array", "object"):
        return {**about, "anyOf": [made, WRITTEN, NOTHING]}
    return made


def _group(short: str, words: tuple[str, ...]) -> Schema:
    own = {"values": ANY, "value": ANY, "inputs": MAP, "outputs": ANY}
    if short == "dag":
        own["tasks"] = {"type": "array", "items": ENTRY_OF_DAG}
    ends = () if short == "subflow" else ("errors", "finally")
    properties = {**dict.fromkeys(nodes.ALWAYS, True), **_known((*words, *ends), own)}
    return {"properties": properties, "additionalProperties": False}


def _retry() -> Schema:
    words = {*policies.COMMON, *(word for each in policies.OWN.values() for word in each)}
    own = {"type": {"enum": list(policies.OWN)}}
    some = {
        "type": "object",
        "properties": _known(sorted(words), own),
        "required": ["type"],
        "additionalProperties": False,
    }
    return {"anyOf": [some, {"type": "null"}]}


def _input() -> Schema:
    words = dict.fromkeys((*inputs.COMMON, *(word for each in inputs.EXTRA.values() for word in each)))
    own: dict[str, Schema] = {
        "type": {"enum": [*inputs.EXTRA, *inputs.RENAMED]},
        "inputs": {"type": "array", "items": {"$ref": "#/$defs/input"}},
        "dependsOn": MAP,
        "values": TEXTS,
        "options": TEXTS,
        "defaults": ANY,
    }
    return {"type": "object", "properties": _known(words, own), "required": ["type"], "additionalProperties": False}


def _output() -> Schema:
    words = ("id", "type", "value", "required", "description", "displayName")
    own: dict[str, Schema] = {"type": {"enum": list(inputs.OUTPUT_TYPES)}}
    return {
        "type": "object",
        "properties": _known(words, own),
        "required": ["id", "type", "value"],
        "additionalProperties": False,
    }


def _trigger(fires: list[Schema]) -> Schema:
    """A trigger: one of the language's own, or a plugin's, whose properties are its own matter."""
    choices = [*fires]
    for short, (_, words) in triggers.READERS.items():
        known = (short, *(package + short for package in triggers.PACKAGES))
        fitting = {"properties": _known((*triggers.COMMON, *words)), "additionalProperties": False}
        kind = {"properties": {"type": {"enum": list(known)}}, "required": ["type"]}
        choices.append({"if": kind, "then": fitting})
    return {"type": "object", "required": ["id", "type"], "properties": _known(("id", "type")), "allOf": choices}
