"""Which older words have a newer one that means the same? Each is replaced where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import yaml

from penstock.dialects.kestra.conditions import PACKAGES as OF_CONDITIONS
from penstock.dialects.kestra.conditions import short as condition
from penstock.dialects.kestra.names import GROUPS, PACKAGES, SHORT
from penstock.dialects.kestra.older import RENAMED
from penstock.dialects.kestra.rewriting.edits import Edit, meant, removed, renamed, replaced
from penstock.dialects.kestra.rewriting.yaml_nodes import begin, end, entries, entry, items, tasks, value, walk, word
from penstock.dialects.kestra.triggers import PACKAGES as OF_TRIGGERS
from penstock.dialects.kestra.triggers import READERS as TRIGGERS
from penstock.dialects.kestra.types import Types

CORE: Final = "io.kestra.plugin.core."
BRACES: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
FILTER: Final = re.compile(r"(\|\s*)json\b")
FUNCTION: Final = re.compile(r"(?<![\w.|])json(?=\s*\()")
INPUT_TYPES: Final = {"ENUM": "SELECT", "BOOLEAN": "BOOL"}
ECHO: Final = ("echo", "io.kestra.plugin.core.debug.Echo", "io.kestra.core.tasks.debugs.Echo")
DOCKER: Final = "io.kestra.plugin.scripts.runner.docker.Docker"
LOG: Final = "io.kestra.plugin.core.log.Log"


def newer_expression(text: str) -> str:
    """A template with the newer names of filters and functions."""
    return BRACES.sub(lambda found: FUNCTION.sub("fromJson", FILTER.sub(r"\1toJson", found[0])), text)


def expressions(text: str, flow: yaml.MappingNode) -> Iterator[Edit]:
    """`json`, which version 2 calls `toJson` as a filter and `fromJson` as a function."""
    for node in walk(flow):
        if isinstance(node, yaml.ScalarNode) and "json" in node.value and "{" in node.value:
            written = text[begin(node) : end(node)]
            if (newer := newer_expression(written)) != written:
                yield Edit(begin(node), end(node), newer)


def defaults(flow: yaml.MappingNode) -> Iterator[Edit]:
    """`taskDefaults`, which are called `pluginDefaults`."""
    found = entry(flow, "taskDefaults")
    if found and not entry(flow, "pluginDefaults"):
        yield renamed(found[0], "pluginDefaults")


def inputs(flow: yaml.MappingNode) -> Iterator[Edit]:
    """`name` of inputs, their types ENUM and BOOLEAN, `options` of MULTISELECT."""
    waiting = items(value(flow, "inputs"))
    for task in tasks(flow):
        waiting += items(value(task, "onResume"))
    while waiting:
        each = waiting.pop()
        waiting += items(value(each, "inputs"))
        for old, newer in (("name", "id"), ("options", "values")):
            found = entry(each, old)
            if found and not entry(each, newer) and (old == "name" or word(each, "type").upper() == "MULTISELECT"):
                yield renamed(found[0], newer)
        for key in ("type", "itemType"):
            kind = value(each, key)
            if isinstance(kind, yaml.ScalarNode) and (newest := INPUT_TYPES.get(kind.value.upper())):
                yield renamed(kind, newest)


def retries(text: str, flow: yaml.MappingNode) -> Iterator[Edit]:
    """`maxAttempt`, which is called `maxAttempts`."""
    for node in walk(flow):
        for key, below in entries(node):
            found = entry(below, "maxAttempt") if key.value == "retry" else None
            if found and entry(below, "maxAttempts") and isinstance(below, yaml.MappingNode):
                yield from removed(text, below, "maxAttempt")
            elif found:
                yield renamed(found[0], "maxAttempts")


def types(flow: yaml.MappingNode, known: Types) -> Iterator[Edit]:
    """Names of types that older versions had: of tasks, triggers, conditions, and in defaults."""
    places = [*tasks(flow), *items(value(flow, "pluginDefaults")), *items(value(flow, "taskDefaults"))]
    for each in places:
        kind = value(each, "type")
        if isinstance(kind, yaml.ScalarNode) and (newer := newer_type(kind.value, known)) != kind.value:
            yield renamed(kind, newer)
    for trigger in items(value(flow, "triggers")):
        kind = value(trigger, "type")
        if isinstance(kind, yaml.ScalarNode):
            bare = kind.value.removeprefix(OF_TRIGGERS[1])
            if bare != kind.value and bare in TRIGGERS:
                yield renamed(kind, OF_TRIGGERS[0] + bare)
        yield from _conditions(trigger)


def _conditions(node: yaml.Node) -> Iterator[Edit]:
    for each in walk(node):
        kind = value(each, "type")
        if not isinstance(kind, yaml.ScalarNode) or not kind.value.startswith(OF_CONDITIONS):
            continue
        newer = OF_CONDITIONS[0] + condition(kind.value)
        if newer != kind.value:
            yield renamed(kind, newer)


def newer_type(name: str, known: Types) -> str:
    """The name that the newest version gives to a type of tasks; itself where it is not an older one."""
    last = name.rpartition(".")[2]
    short = SHORT.get(name, "")
    if short:
        if last in RENAMED:
            return PACKAGES[0] + RENAMED[last]
        if name.startswith(PACKAGES[1]):
            return PACKAGES[0] + next((full for full, each in GROUPS.items() if each == short), last)
        return name
    if not name.startswith("io.kestra.core."):
        return name
    info = known.find(name)
    return next((alias for alias in info.aliases if alias.startswith(CORE)), name) if info else name


def echoes(text: str, flow: yaml.MappingNode) -> Iterator[Edit]:
    """Echo, which a log has replaced."""
    for task in tasks(flow):
        kind, message = value(task, "type"), entry(task, "format")
        if isinstance(kind, yaml.ScalarNode) and kind.value in ECHO:
            yield renamed(kind, "log" if kind.value == "echo" else LOG)
            if message:
                yield renamed(message[0], "message")


def subflows(text: str, flow: yaml.MappingNode) -> Iterator[Edit]:
    """`outputs` of a subflow, which nobody reads any more: the called flow declares them."""
    for task in tasks(flow):
        if SHORT.get(word(task, "type")) in ("subflow", "foreach_item"):
            yield from removed(text, task, "outputs")


def scripts(text: str, flow: yaml.MappingNode) -> Iterator[Edit]:
    """`runner`, `docker` and `warningOnStdErr` of scripts."""
    for task in tasks(flow):
        if "scripts." not in word(task, "type") and not word(task, "type").endswith((".script", ".commands")):
            continue
        if word(task, "warningOnStdErr").lower() == "false":
            yield from removed(text, task, "warningOnStdErr")
        if entry(task, "taskRunner"):
            continue
        runner, docker = word(task, "runner").upper(), value(task, "docker")
        if runner == "PROCESS" and docker is None:
            yield from replaced(text, task, "runner", {"taskRunner": {"type": f"{CORE}runner.Process"}})
        elif runner in ("", "DOCKER") and (runner or docker is not None):
            yield from _docker(text, task, docker)


def _docker(text: str, task: yaml.MappingNode, docker: yaml.Node | None) -> Iterator[Edit]:
    """A container, whose image stands beside what else is said of it."""
    said = meant(text, docker) if docker is not None else {}
    if not isinstance(said, dict):
        return
    rest = {key: each for key, each in said.items() if key != "image"}
    more: dict[str, object] = {"taskRunner": {"type": DOCKER, **rest}}
    if (image := word(docker, "image")) and not entry(task, "containerImage"):
        more["containerImage"] = image
    if docker is None:
        yield from replaced(text, task, "runner", more)
    else:
        yield from replaced(text, task, "docker", more)
        yield from removed(text, task, "runner")
