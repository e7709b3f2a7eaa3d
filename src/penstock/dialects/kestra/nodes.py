"""What does each entry of `tasks` say? A task, or a group with tasks in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from penstock.dialects.kestra import fields, limits, older
from penstock.dialects.kestra.groups import OWN_ENDS, READERS, certain, later
from penstock.dialects.kestra.names import SHORT, WHY
from penstock.dialects.kestra.page import Page, key_of, note_templates, shown, tell
from penstock.dialects.kestra.policies import retry
from penstock.dialects.kestra.tree import Map, Scalar, Tree, as_text, plain, spot
from penstock.dialects.kestra.types import FieldInfo, TypeInfo
from penstock.dialects.kestra.ways import WAYS
from penstock.errors import Severity, nearest
from penstock.errors.flow import (
    BadName,
    MissingProperty,
    NoEffect,
    NotSupported,
    UnfitProperty,
    UnknownProperty,
    UnknownType,
)
from penstock.model.ids import NODE_ID
from penstock.model.node import Group, Node, Task
from penstock.model.policy import Cache, Sensor

LEVELS: Final = ("ERROR", "WARN", "INFO", "DEBUG", "TRACE")
BASE: Final = (
    "id",
    "type",
    "description",
    "retry",
    "timeout",
    "deadline",
    "disabled",
    "logLevel",
    "logToFile",
    "allowFailure",
    "allowWarning",
    "runIf",
    "taskCache",
    "sensor",
)
PLATFORM: Final = {
    "workerSelector": "Worker selectors",
    "assets": "Assets of tasks",
    "pluginDefaultsRef": "References to plugin defaults",
    "policyRefs": "References to policies",
}
IDLE: Final = {
    "logToFile": "every task's log is kept apart and can be fetched",
    "version": "a task runs in the version that is installed",
}
HINTS: Final = {
    **dict.fromkeys(limits.PLACES, "Write it on the tasks inside."),
    "runIf": "Write it on the tasks inside, or put the group into an `If`.",
    "timeout": "`deadline` bounds the whole of a group, its retries included.",
}
BEGINNINGS: Final = ("io.kestra.plugin.core.", "io.kestra.plugin.", "io.kestra.core.tasks.")
# What people see of these tasks, in logs or among outputs.
PRINTED: Final = {
    "log": "message",
    "echo": "format",
    "return": "format",
    "output.values": "values",
    "labels": "labels",
    "fail": "errorMessage",
    "assert": "errorMessage",
}
LISTS: Final = ("errors", "finally", "else", "defaults", "cases")
ALWAYS: Final = (*BASE, *limits.PLACES, *PLATFORM, "version")


def nodes(page: Page, tree: Map, name: str) -> tuple[Node, ...]:
    """The tasks of one list, in order."""
    return tuple(node(page, item) for item in fields.maps(page, tree, name, "A task"))


def node(page: Page, tree: Map) -> Node:
    """One task or group; what is wrong is noted, and what cannot be said is left out."""
    page.around.append(tree)
    name = _id(page, tree)
    word = _type(page, tree, name)
    short = SHORT.get(word, "")
    if short:
        made = _group(page, tree, name, short, word)
    else:
        made = _task(page, tree, name, word)
    made = _with_common(page, tree, made)
    page.around.pop()
    return made


def _id(page: Page, tree: Map) -> str:
    found = fields.given(tree, "id")
    if found is None:
        tell(page, MissingProperty, key_of(tree, "id"), 'A task needs the property "id".')
        # Something that no person writes, so that the rest can still be checked.
        return f"(line {tree.line})"
    name = fields.text(page, tree, "id")
    if isinstance(found, Scalar) and not NODE_ID.fullmatch(name):
        hint = 'Letters, digits, "_" and "-", at most 100, with a letter or digit first.'
        tell(page, BadName, found, f'"{shown(name)}" cannot name a task.', hint)
    return name


def _type(page: Page, tree: Map, name: str) -> str:
    found = fields.needed(page, tree, "type", f'Task "{name}"')
    if found is None:
        return ""
    word = fields.text(page, tree, "type")
    short = SHORT.get(word, "")
    older.of_type(page, found, word, short, None if short else page.types.find(word))
    return word


def _group(page: Page, tree: Map, name: str, short: str, word: str) -> Node:
    if short in WHY:
        sentence, hint = WHY[short]
        tell(page, NotSupported, key_of(tree, "type"), sentence, hint)
        return later(page, tree, name, lambda part, key: nodes(page, part, key))
    reader, own = READERS[short] if short in READERS else WAYS[short]
    _known(page, tree, name, (*own, *(() if short == "subflow" else ("errors", "finally"))))
    fields.filled(page, tree, LISTS)
    made = reader(page, tree, name, lambda part, key: nodes(page, part, key))
    if isinstance(made, Group) and short not in OWN_ENDS:
        made = replace(made, errors=nodes(page, tree, "errors"), finally_=nodes(page, tree, "finally"))
    made = replace(made, run_if=_run_if(page, tree, name, "decides")) if page.version != "0.20" else made
    idle = ("runIf",) if page.version == "0.20" else ()
    for each in (*idle, "timeout", *limits.PLACES):
        if each not in own and fields.given(tree, each) is not None:
            hint = HINTS[each]
            sentence = f'"{each}" has no effect on "{name}": the language knows it for tasks that do work.'
            tell(page, NoEffect, tree.keys[each], sentence, hint, Severity.WARNING)
    return made


def _task(page: Page, tree: Map, name: str, word: str) -> Node:
    info = page.types.find(word) if word else None
    properties: dict[str, object] = {}
    declared: Mapping[str, FieldInfo] = info.fields if info else {}
    for key, item in tree.entries.items():
        if key in ALWAYS and key not in declared:
            continue
        if key in BASE:
            continue
        about = declared.get(key)
        properties[key] = fields.text_of(item, whole=about.one) if about and about.text else plain(item)
        if about is None or about.template:
            note_templates(page, item, name, "task", printed=info is not None and PRINTED.get(info.name) == key)
    if info is not None:
        if info.fires:
            sentence = f'"{shown(word)}" stands under `triggers`: it is no task.'
            tell(page, UnknownType, tree.entries["type"], sentence)
        _check(page, tree, name, info, properties)
    elif word:
        _unknown(page, tree, word)
    timeout = _timeout(page, tree, name)
    level = fields.choice(page, tree, "logLevel", LEVELS, "")
    return Task(
        id=name,
        type=info.name if info else word,
        properties=properties,
        log_level=level,
        run_if=_run_if(page, tree, name, "task"),
        timeout=timeout,
        cache=_cache(page, tree),
        sensor=_sensor(page, tree),
        limits=limits.of_task(page, tree, name, declared),
        queue=limits.queue(page, tree, declared),
    )


def _run_if(page: Page, tree: Map, name: str, role: str) -> str:
    """A condition; one that is written and blank is false."""
    condition = fields.template(page, tree, "runIf", name, role)
    certain(page, tree, "runIf", condition)
    written = fields.given(tree, "runIf")
    blank = isinstance(written, Scalar) and written.value is not None and not condition.strip()
    return "false" if blank else condition


def _cache(page: Page, tree: Map) -> Cache | None:
    found = fields.mapping(page, tree, "taskCache")
    if found is None:
        return None
    fields.known(page, found, ("enabled", "ttl", "key", "version"), "`taskCache`")
    ttl = fields.duration(page, found, "ttl")
    made = Cache(
        ttl=ttl,
        key=fields.template(page, found, "key", fields.text(page, tree, "id"), "task"),
        version=fields.text(page, found, "version"),
    )
    return made if fields.flag(page, found, "enabled", True) else None


def _sensor(page: Page, tree: Map) -> Sensor | None:
    found = fields.mapping(page, tree, "sensor")
    if found is None:
        return None
    fields.known(page, found, ("interval", "deadline", "softFail"), "`sensor`")
    fields.needed(page, found, "interval", "`sensor`")
    return Sensor(
        interval=fields.duration(page, found, "interval") or 0,
        longest=fields.duration(page, found, "deadline"),
        soft=fields.flag(page, found, "softFail"),
    )


def _with_common(page: Page, tree: Map, made: Node) -> Node:
    fields.filled(page, tree, ("retry",))
    for key, what in PLATFORM.items():
        if key in tree.entries and not (isinstance(made, Task) and key in made.properties):
            tell(page, NotSupported, tree.keys[key], f"{what} are not supported yet.")
    for key, why in IDLE.items():
        if key in tree.entries and not (isinstance(made, Task) and key in made.properties):
            tell(page, NoEffect, tree.keys[key], f'"{key}" has no effect: {why}.', severity=Severity.NOTE)
    return replace(
        made,
        description=fields.text(page, tree, "description"),
        disabled=fields.flag(page, tree, "disabled"),
        deadline=fields.duration(page, tree, "deadline"),
        retry=retry(page, tree) if "retry" in tree.entries else None,
        allow_failure=made.allow_failure or fields.flag(page, tree, "allowFailure"),
        allow_warning=made.allow_warning or fields.flag(page, tree, "allowWarning"),
    )


def _known(page: Page, tree: Map, name: str, own: Iterable[str]) -> None:
    fields.known(page, tree, (*ALWAYS, *own), f'Task "{name}"')


def _check(page: Page, tree: Map, name: str, info: TypeInfo, properties: dict[str, object]) -> None:
    owner = f'Task "{name}"'
    for key in properties:
        older.of_property(page, tree, key, info)
        if key not in info.fields:
            hint = fields.suggestion(key, (*info.fields, *BASE, *limits.PLACES))
            tell(page, UnknownProperty, tree.keys[key], f'{owner} ({info.name}) has no property "{shown(key)}".', hint)
    for key, about in info.fields.items():
        if about.required and fields.given(tree, key) is None:
            tell(page, MissingProperty, key_of(tree, key), f'{owner} ({info.name}) needs the property "{key}".')
    for misfit in page.types.check(info.name, {k: v for k, v in properties.items() if k in info.fields}):
        top = str(misfit.path[0]) if misfit.path else ""
        if top in tree.entries and fields.given(tree, top) is not None:
            at: Tree = spot(tree, misfit.path, key=len(misfit.path) > 1)
            tell(page, UnfitProperty, at, f"{owner} ({info.name}): {misfit.sentence}", misfit.hint)


def _unknown(page: Page, tree: Map, word: str) -> None:
    hint = _alike(page, word) or _by_last_word(page, word)
    at = tree.entries["type"]
    tell(
        page,
        UnknownType,
        at,
        f'There is no task type "{shown(word)}".',
        hint or "`penstock types` lists those there are.",
        Severity.WARNING if page.types.others else Severity.ERROR,
    )


def _alike(page: Page, word: str) -> str:
    """The nearest name; long names begin alike, so that only what follows is compared."""
    begin = next((each for each in BEGINNINGS if word.startswith(each)), "")
    names = [name.removeprefix(begin) for name in (*page.types.names(), *SHORT) if name.startswith(begin)]
    return nearest(word.removeprefix(begin), names).replace('"', f'"{begin}', 1)


def _by_last_word(page: Page, word: str) -> str:
    last = word.rpartition(".")[2].lower()
    alike = sorted(name for name in page.types.names() if name.rpartition(".")[2].lower() == last)
    return f'Did you mean "{alike[0]}"?' if alike else ""


def _timeout(page: Page, tree: Map, name: str) -> str | int:
    found = fields.given(tree, "timeout")
    if found is None:
        return ""
    if isinstance(found, Scalar) and "{{" in found.text:
        note_templates(page, found, name, "task")
        return as_text(found)
    return fields.span(page, found, "timeout") or ""
