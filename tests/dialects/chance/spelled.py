"""How does a tree of words stand as text? Blocks for groups, one line for a task, with the short words of the cases."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from tests.dialects.chance.spots import CORE, Tree
from tools.oracle.cases import Case, read_cases

PLAIN: Final = re.compile(r"[A-Za-z][\w.-]*")
WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
CHILDREN: Final = {
    "ok": "inputs: [{id: x, type: STRING}]\ntasks: [{say a \"{{ inputs.x }}\"}]\n"
    "outputs: [{id: o, type: STRING, value: '{{ outputs.a.value }}'}]",
    "bad": "tasks: [{ok a}, {bad b}]",
    "warn": "tasks: [{warn a}]",
}  # fmt: skip


def case_of(name: str, flow: Tree, version: str) -> Case:
    """The case of a flow, as it would be read from a topic."""
    (case,) = read_cases(written(name, flow, version))
    return case


def written(name: str, flow: Tree, version: str) -> str:
    """The entry of a flow in a topic."""
    body = "\n".join(_entries(flow, ""))
    called = [child for child in CHILDREN if f"<<id>>_{child}" in body]
    others = [f"id: <<id>>_{child}\nnamespace: oracle\n{CHILDREN[child]}" for child in called]
    lines = [f"- case: {name}", f'  versions: ["{version}"]']
    if others:
        lines.append(f"  others: {json.dumps(others)}")
    indented = [f"    {line}" for line in body.splitlines()]
    return "\n".join([*lines, "  flow: |", *indented, ""])


def _entries(tree: Tree, indent: str) -> list[str]:
    lines = []
    for key, value in tree.items():
        if _holds_tasks(value):
            lines += [f"{indent}{key}:", *_listed(value, indent)]
        else:
            lines.append(f"{indent}{key}: {_flow(value)}")
    return lines


def _listed(value: Any, indent: str) -> list[str]:
    lines: list[str] = []
    if isinstance(value, dict):
        for case, tasks in value.items():
            lines += [f"{indent}  {_flow(case)}:", *_listed(tasks, indent + "  ")]
        return lines
    for task in value:
        if any(map(_holds_tasks, task.values())):
            first, *rest = _entries(task, indent + "  ")
            lines += [f"{indent}- {first.strip()}", *rest]
        elif isinstance(inner := task.get("task"), dict) and any(map(_holds_tasks, inner.values())):
            lines += [f"{indent}- task:", *_entries(inner, indent + "    ")]
            lines += _entries({key: each for key, each in task.items() if key != "task"}, indent + "  ")
        else:
            lines.append(f"{indent}- {_flow(task)}")
    return lines


def _holds_tasks(value: Any) -> bool:
    """Is this a list of tasks, or a map of such lists?"""
    if isinstance(value, dict):
        return bool(value) and all(map(_holds_tasks, value.values()))
    return isinstance(value, list) and any(
        isinstance(each, dict) and ("task" in each or _typed(each)) for each in value
    )


def _typed(each: Tree) -> bool:
    return str(each.get("type", "")).startswith(CORE)


def _flow(value: Any) -> str:
    match value:
        case {"id": name, "errorMessage": _} if len(value) == 3:
            return f"{{bad {name}}}"
        case {"id": name, "format": text} if len(value) == 3 and '"' not in text:
            return f'{{say {name} "{text}"}}'
        case dict():
            return "{" + ", ".join(f"{_flow(key)}: {_flow(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case str():
            text = value.replace(CORE, "core.") if value.startswith(CORE) else value
            return text if PLAIN.fullmatch(text) and text.lower() not in WORDS else json.dumps(text)
        case _:
            return json.dumps(value)
