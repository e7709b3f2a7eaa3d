"""How does a flow of an older version become one of version 2? Rule by rule, and what then differs is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Many
from typing import Final, TypeAlias

import msgspec
import yaml

from penstock.dialects.kestra.read import DIRECTIVE, Reading, version_of
from penstock.dialects.kestra.rewriting import defaults, groups, listeners, local_files, replacements, triggers
from penstock.dialects.kestra.rewriting.edits import Edit, applied
from penstock.dialects.kestra.rewriting.yaml_nodes import roots
from penstock.dialects.kestra.triggers import short
from penstock.dialects.kestra.types import Types
from penstock.errors import Problem
from penstock.errors.flow import Deprecated
from penstock.model.flow import Flow, Language
from penstock.model.trigger import Condition, OnRuns, Trigger, Upstream

NEWEST: Final = "2"
# A version that a document names which is not the first of its file.
LATER: Final = re.compile(r"^(---[^\n]*\n)#[ \t]*kestra:[^\n]*\n", re.MULTILINE)
MOST: Final = 1000
Rule: TypeAlias = Callable[[str, yaml.MappingNode, Flow], Iterator[Edit]]
Read: TypeAlias = Callable[[str], Many[Reading]]


class Migrated(msgspec.Struct, frozen=True):
    """A text for version 2: what differs in what it means, by flow and place; older words that are left in it; and
    the problems for which it was left alone.
    """

    text: str
    differences: tuple[str, ...] = ()
    left: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()


def migrate(text: str, read: Read, types: Types, version: str = "1") -> Migrated:
    """Rewrite a text whose flows `read` reads, where `version` is the one that texts have which name none.

    Comments and layout stay. A text that cannot be read is left alone, and so is one of version 2 without older words.
    """
    before = read(text)
    problems = tuple(problem for each in before if each.flow is None for problem in each.problems)
    if problems:
        return Migrated(text, problems=problems)
    flows = [each.flow for each in before if each.flow is not None]
    if len(roots(text)) != len(flows):
        return Migrated(text)
    changed = _looped(_rewritten(text, flows, types), read, version)
    changed = _alike(changed, defaults.in_tasks(changed, types), read, version)
    after = read(_versioned(changed, version))
    bad = tuple(problem for each in after if each.flow is None for problem in each.problems)
    if bad or len(after) != len(before):
        return Migrated(text, problems=bad)
    found = [
        f"{old.name}: {line}"
        for old, new in zip(flows, after, strict=True)
        if new.flow
        for line in _between(old, new.flow)
    ]
    left = tuple(problem for each in after for problem in each.problems if problem.code == Deprecated.code)
    return Migrated(_versioned(changed, version), tuple(found), left)


def _rewritten(text: str, flows: list[Flow], types: Types) -> str:
    """The text after each rule that keeps its meaning."""
    rules: tuple[Rule, ...] = (
        lambda text, root, flow: replacements.defaults(root),
        lambda text, root, flow: replacements.inputs(root),
        lambda text, root, flow: replacements.retries(text, root),
        _presumed,
        triggers.conditions,
        triggers.preconditions,
        listeners.listeners,
        lambda text, root, flow: replacements.types(root, types),
        lambda text, root, flow: replacements.echoes(text, root),
        lambda text, root, flow: replacements.subflows(text, root),
        lambda text, root, flow: replacements.scripts(text, root),
        lambda text, root, flow: groups.pauses(text, root),
        lambda text, root, flow: groups.loops(text, root),
        lambda text, root, flow: replacements.expressions(text, root),
    )
    for rule in rules:
        pages = zip(roots(text), flows, strict=True)
        text = applied(text, [edit for root, flow in pages for edit in rule(text, root, flow)])
    for moving in (groups.pauses_with_tasks, groups.parallel_values):
        for _ in range(MOST):
            if (moved := moving(text)) == text:
                break
            text = moved
    return text


def _presumed(text: str, root: yaml.MappingNode, flow: Flow) -> Iterator[Edit]:
    """What only an older version presumes, said aloud."""
    if flow.language.version != NEWEST:
        yield from groups.presumed(text, root, flow.language.version)


def _looped(text: str, read: Read, version: str) -> str:
    """The text with a Loop for each ForEach whose values and outputs nobody reads as only a ForEach has them, and words
    of working directories for LocalFiles, where what comes of it can be read.
    """
    for found, changed in ((groups.lonely_loops, groups.as_loop), (local_files.local_files, local_files.as_words)):
        for name in found(text):
            tried = changed(text, name)
            if all(each.flow is not None for each in read(_versioned(tried, version))):
                text = tried
    return text


def _alike(text: str, tried: str, read: Read, version: str) -> str:
    """What was tried, where every flow is read and means the same; else the text as it is."""
    if tried == text:
        return text
    pairs = zip(read(_versioned(text, version)), read(_versioned(tried, version)), strict=True)
    same = all(old.flow and new.flow and not any(_between(old.flow, new.flow)) for old, new in pairs)
    return tried if same else text


def _versioned(text: str, version: str) -> str:
    """The text with a first line that says version 2, where it would be read as another."""
    if version_of(text, version) == NEWEST or text.lstrip().startswith("{"):
        return text  # JSON has no comments
    text = LATER.sub(rf"\g<1># kestra: {NEWEST}\n", text)
    found = DIRECTIVE.match(text)
    rest = text[found.end() :].removeprefix("\r").removeprefix("\n") if found else text
    return rest if version == NEWEST else f"# kestra: {NEWEST}\n{rest}"


def _between(old: Flow, new: Flow) -> Iterator[str]:
    """What two flows differ in, but for the version, names of filters, and how conditions are joined."""
    yield from _differ(_plain(old), _plain(new), "")


def _plain(flow: Flow) -> object:
    starting = tuple(
        msgspec.structs.replace(
            each,
            type=short(each.type) or each.type,
            when=(Condition(test=test),) if (test := triggers.as_one(each.when)) else each.when,
        )
        for each in map(_waiting, flow.triggers)
    )
    return _renamed(msgspec.to_builtins(msgspec.structs.replace(flow, language=Language(), triggers=starting)))


def _waiting(trigger: Trigger) -> Trigger:
    """A trigger without the names of the runs that it waits for, and what it asks of each, one by one."""
    if not isinstance(trigger, OnRuns):
        return trigger
    asked = (sorted(triggers.conjuncts(each.when)) for each in trigger.waits_for)
    waits = tuple(Upstream(name="", when=tuple(Condition(test=part) for part in each)) for each in asked)
    return msgspec.structs.replace(trigger, waits_for=waits)


def _renamed(value: object) -> object:
    match value:
        case str():
            return replacements.newer_expression(value)
        case dict():
            # After how many failures a warning follows says nothing where none does.
            idle = () if value.get("warn") else ("warn_after",)
            return {_renamed(name): _renamed(each) for name, each in value.items() if name not in idle}
        case list() | tuple():
            return [_renamed(each) for each in value]
        case _:
            return value


def _differ(old: object, new: object, path: str) -> Iterator[str]:
    match old, new:
        case dict(), dict():
            for name in dict.fromkeys((*old, *new)):
                if name not in ("body", "nodes", "node", "trigger") or old.get(name) != new.get(name):
                    below = path if name in ("body", "nodes") else f"{path}.{name}" if path else str(name)
                    yield from _differ(old.get(name, ABSENT), new.get(name, ABSENT), below)
        case list(), list() if _named(old) and _named(new):
            yield from _differ(_named(old), _named(new), path)
        case list(), list() if len(old) == len(new):
            for number, (one, other) in enumerate(zip(old, new, strict=True)):
                yield from _differ(one, other, f"{path}[{number}]")
        case _ if old != new:
            yield f"{path}: {_shown(old)} → {_shown(new)}"


def _named(values: list[object]) -> dict[object, object]:
    """A list of things with ids as a map; empty where they have none."""
    named: dict[object, object] = {each["id"]: each for each in values if isinstance(each, dict) and "id" in each}
    return named if len(named) == len(values) else {}


def _shown(value: object) -> str:
    if value is ABSENT:
        return "nothing"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 100 else f"{text[:97]}…"


ABSENT: Final = object()
