"""In which order do the words of a flow stand, and how is a text brought into it? Lines move, with their comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
import yaml

from penstock.dialects.kestra.documents import split
from penstock.dialects.kestra.rewriting.yaml_nodes import (
    begin,
    behind,
    entries,
    items,
    roots,
    tasks,
    value,
    walk,
)
from penstock.dialects.kestra.tree import plain
from penstock.dialects.kestra.yaml import parse
from penstock.errors.flow import FlowError

FLOW: Final = ((
    "id", "namespace", "revision", "description", "labels", "disabled", "inputs", "variables", "concurrency", "checks",
    "sla", "retry", "timeout", "tasks", "errors", "finally", "afterExecution", "listeners", "outputs", "triggers",
    "pluginDefaults", "taskDefaults",
), (), ())  # fmt: skip
# Before a task's own properties, behind them, and at its end: the tasks within.
TASK: Final = (
    ("id", "type", "description", "version", "disabled", "runIf"),
    (
        "sensor", "taskCache", "pools", "limits", "queue", "workerGroup", "workerSelector", "retry", "timeout",
        "deadline", "allowFailure", "allowWarning", "logLevel", "logToFile",
    ),
    ("then", "else", "cases", "defaults", "tasks", "errors", "finally"),
)  # fmt: skip
ENTRY_OF_DAG: Final = (("dependsOn", "teardownOf", "rule"), (), ("task",))
INPUT: Final = (("id", "name", "type", "displayName", "description", "required", "defaults"), (), ("dependsOn",))
OUTPUT: Final = (("id", "type", "displayName", "description", "required", "value"), (), ())
TRIGGER: Final = (("id", "type", "description", "disabled"), ("when", "conditions", "dependsOn"), ("inputs", "labels"))
RETRY: Final = (("type",), (), ())
DEFAULT: Final = (("type", "forced"), (), ("values",))
Order = tuple[Sequence[str], Sequence[str], Sequence[str]]

COMMENT: Final = re.compile(r"[ \t]*#")
DASHES: Final = re.compile(r"[ ]*(?:-[ ]+)+")


class Chunk(msgspec.Struct):
    """The lines of one entry: blank ones before it, its comments, itself; `place` is where it belongs."""

    place: tuple[int, int]
    blank: list[str]
    comments: list[str]
    lines: list[str]


def arranged(parts: Mapping[str, object], order: Order) -> dict[str, object]:
    """The entries of a map in order."""
    places = {name: _place(name, number, order) for number, name in enumerate(parts)}
    return {name: parts[name] for name in sorted(parts, key=places.__getitem__)}


def formatted(text: str) -> str:
    """A text with its words in order and without blanks at the ends of lines; comments and layout stay.

    What could change the meaning is left as it is. Raises FlowError for what cannot be read as YAML.
    """
    before = _meaning(text)
    for ordered in (_ordered(text), text):
        try:
            if _meaning(changed := _trimmed(ordered)) == before:
                return changed
        except FlowError:
            continue
    return text


def _meaning(text: str) -> list[object]:
    """What each document of a text says."""
    return [plain(parse(document.text, [])) for document in split(text)]


def _trimmed(text: str) -> str:
    """The text without blanks at the ends of lines and without empty lines at its end."""
    kept = {number for root in roots(text) for node in walk(root) for number in _inside_text(node)}
    lines = text.split("\n")
    trimmed = [line if number in kept else line.rstrip(" \t") for number, line in enumerate(lines)]
    return "\n".join(trimmed).rstrip("\n") + "\n"


def _inside_text(node: yaml.Node) -> range:
    """The numbers of lines that lie in a text of several lines, where a blank may be meant."""
    if not isinstance(node, yaml.ScalarNode):
        return range(0)
    return range(node.start_mark.line + (node.style in ("|", ">")), node.end_mark.line)


def _ordered(text: str) -> str:
    """The text with the entries of its maps in order: inner maps first, whose lines stay within those around them."""
    found = [pair for root in roots(text) for pair in _ordered_maps(root)]
    lines = text.split("\n")
    # An anchored map is met again where its alias stands: it is one map.
    maps = {id(node): (node, order) for node, order in found}
    for node, order in sorted(maps.values(), key=lambda pair: -begin(pair[0])):
        _sort(text, lines, node, order)
    return "\n".join(lines)


def _ordered_maps(flow: yaml.MappingNode) -> Iterator[tuple[yaml.MappingNode, Order]]:
    yield flow, FLOW
    for name, order in (("inputs", INPUT), ("outputs", OUTPUT), ("triggers", TRIGGER)):
        yield from ((each, order) for each in items(value(flow, name)) if isinstance(each, yaml.MappingNode))
    for name in ("pluginDefaults", "taskDefaults"):
        yield from ((each, DEFAULT) for each in items(value(flow, name)) if isinstance(each, yaml.MappingNode))
    for task in tasks(flow):
        yield task, TASK
        for each in items(value(task, "tasks")):
            if isinstance(value(each, "task"), yaml.MappingNode) and isinstance(each, yaml.MappingNode):
                yield each, ENTRY_OF_DAG
        yield from _retry(task)
        yield from ((each, INPUT) for each in items(value(task, "onResume")) if isinstance(each, yaml.MappingNode))
    yield from _retry(flow)


def _retry(node: yaml.Node) -> Iterator[tuple[yaml.MappingNode, Order]]:
    found = value(node, "retry")
    if isinstance(found, yaml.MappingNode):
        yield found, RETRY


def _sort(text: str, lines: list[str], node: yaml.MappingNode, order: Order) -> None:
    """Put the entries of one map in order, line by line; a map in braces stays as it is."""
    found = entries(node)
    if node.flow_style or len(found) != len(node.value) or len(found) < 2:
        return
    places = [_place(key.value, number, order) for number, (key, _) in enumerate(found)]
    if places == sorted(places):
        return
    starts = [key.start_mark.line for key, _ in found]
    ends = [text.count("\n", 0, behind(text, below)) for _, below in found]
    column = found[0][0].start_mark.column
    if len(set(starts)) != len(starts) or any(key.start_mark.column != column for key, _ in found):
        return
    if not text.endswith("\n") and ends[-1] <= starts[-1]:
        ends[-1] = len(lines)
    dash = DASHES.match(lines[starts[0]])
    prefix = dash[0] if dash and len(dash[0]) == column else ""
    if prefix:
        lines[starts[0]] = " " * column + lines[starts[0]][column:]
    elif lines[starts[0]][:column].strip():
        return
    top = starts[0] if prefix else _comments_from(lines, starts[0], column)
    chunks = _chunks(lines, [top, *ends], starts, places)
    first = chunks[0]
    chunks.sort(key=lambda chunk: chunk.place)
    if chunks[0] is not first:
        first.blank, chunks[0].blank = chunks[0].blank, []
    written = [line for chunk in chunks for line in (*chunk.blank, *chunk.comments, *chunk.lines)]
    if prefix:
        row = len(chunks[0].comments)
        written[:row] = [" " * _column(prefix) + line.lstrip() for line in written[:row]]
        written[row] = prefix + written[row][column:]
    lines[top : ends[-1]] = written


def _place(name: str, number: int, order: Order) -> tuple[int, int]:
    head, tail, last = order
    if name in head:
        return 0, head.index(name)
    if name in tail:
        return 2, tail.index(name)
    return (3, last.index(name)) if name in last else (1, number)


def _comments_from(lines: list[str], row: int, column: int) -> int:
    """The row at which the comments begin that stand directly above the first entry of a map."""
    while row > 0 and COMMENT.match(lines[row - 1]) and _column(lines[row - 1]) == column:
        row -= 1
        if lines[row].lstrip().startswith("# kestra:"):
            return row + 1
    return row


def _column(line: str) -> int:
    return len(line) - len(line.lstrip())


def _chunks(lines: list[str], ends: list[int], starts: list[int], places: list[tuple[int, int]]) -> list[Chunk]:
    """The lines between the top of a map and its end, by entry; what stands above an entry goes with it, but for
    comments that are further in, which belong to the entry before.
    """
    chunks: list[Chunk] = []
    column = _column(lines[starts[-1]])
    for number, start in enumerate(starts):
        above = lines[ends[number] : start]
        while chunks and above and COMMENT.match(above[0]) and _column(above[0]) > column:
            chunks[-1].lines.append(above.pop(0))
        blank: list[str] = []
        while above and not above[0].strip():
            blank.append(above.pop(0))
        chunks.append(Chunk(places[number], blank, above, lines[start : ends[number + 1]]))
    return chunks
