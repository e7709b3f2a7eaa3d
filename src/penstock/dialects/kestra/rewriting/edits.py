"""How is one thing in a text changed, and nothing else? Edits by place: a word, an entry put in or taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec
import yaml

from penstock.dialects.kestra.rewriting.yaml_nodes import begin, behind, end, entries, entry, line_of, top_of
from penstock.dialects.kestra.tree import plain
from penstock.dialects.kestra.writing.emit import emitted, indented, inline
from penstock.dialects.kestra.yaml import parse

COMMENTED: Final = re.compile(r"^[ \t]*#.*$", re.MULTILINE)


class Edit(msgspec.Struct, frozen=True, order=True):
    """What stands from `begin` to `end` is replaced by a text."""

    begin: int
    end: int
    text: str


def applied(text: str, edits: Iterable[Edit]) -> str:
    """A text after its edits; of those that overlap the first has its way, and one at a place twice is one."""
    parts: list[str] = []
    at = 0
    for edit in sorted(set(edits)):
        if edit.begin >= at:
            parts += [text[at : edit.begin], edit.text]
            at = edit.end
    return "".join([*parts, text[at:]])


def renamed(node: yaml.Node, word: str) -> Edit:
    """Another word in the place of a key or value, in its quotation marks."""
    mark = node.style if isinstance(node, yaml.ScalarNode) and node.style in ("'", '"') else ""
    return Edit(begin(node), end(node), f"{mark}{word}{mark}")


def removed(text: str, around: yaml.MappingNode, name: str) -> list[Edit]:
    """An entry taken out; what is said above it stays."""
    found = entries(around)
    at = next((number for number, (key, _) in enumerate(found) if key.value == name), None)
    if at is None or len(found) == 1:
        return []
    key, below = found[at]
    later = found[at + 1][0] if at + 1 < len(found) else None
    own_line = not text[line_of(text, begin(key)) : begin(key)].strip()
    if not around.flow_style and own_line:
        return [Edit(line_of(text, begin(key)), behind(text, below), "")]
    if later is not None:
        return [Edit(begin(key), begin(later), "")]
    return [Edit(end(found[at - 1][1]), end(below), "")] if around.flow_style else []


def inserted(text: str, around: yaml.MappingNode, after: str, more: dict[str, object]) -> list[Edit]:
    """Entries put in behind the one called `after` (none of that name: at the end)."""
    place = entry(around, after) or entries(around)[-1]
    if around.flow_style:
        written = "".join(f", {_in_braces(around, key, value)}" for key, value in more.items())
        return [Edit(end(place[1]), end(place[1]), written)]
    return [behind_entry(text, around, place[1], emitted(more))]


def behind_entry(text: str, around: yaml.MappingNode, below: yaml.Node, block: str) -> Edit:
    """Lines put in behind a value, as far in as the keys of its map."""
    at = behind(text, below)
    lead = "" if at == 0 or text[at - 1] == "\n" else "\n"
    column = entries(around)[0][0].start_mark.column
    return Edit(at, at, lead + indented(block, column))


def replaced(text: str, around: yaml.MappingNode, name: str, more: dict[str, object]) -> list[Edit]:
    """Entries in the place of one, in its lines."""
    found = entry(around, name)
    if found is None:
        return []
    key, below = found
    if around.flow_style:
        written = ", ".join(_in_braces(around, word, value) for word, value in more.items())
        return [Edit(begin(key), end(below), written)]
    block = indented(emitted(more), key.start_mark.column)
    return [Edit(begin(key), behind(text, below), kept_comments(text, key, below) + block.lstrip(" "))]


def kept_comments(text: str, key: yaml.Node, below: yaml.Node) -> str:
    """The lines of comments inside an entry that is written anew, to stand above it (its own line has begun)."""
    found = [line.strip() for line in COMMENTED.findall(text[end(key) : end(below)])] if not is_text(below) else []
    column = " " * key.start_mark.column
    return "".join(f"{line}\n{column}" for line in found)


def is_text(node: yaml.Node) -> bool:
    """Whether a node is one text or word."""
    return isinstance(node, yaml.ScalarNode)


def meant(text: str, node: yaml.Node) -> object:
    """What a node says, as plain values; one with aliases in it cannot be taken alone. Raises FlowError."""
    first = line_of(text, begin(node))
    return plain(parse(" " * (begin(node) - first) + text[begin(node) : end(node)], []))


def _in_braces(around: yaml.MappingNode, key: str, value: object) -> str:
    """An entry of a map in braces; in JSON, as JSON."""
    as_json = msgspec.json.encode(value).decode()
    if entries(around)[0][0].style == '"':
        return f'"{key}": {as_json}'
    return f"{key}: {inline(value) if isinstance(value, str) else as_json}"


def lines_at(text: str, node: yaml.Node, column: int) -> str:
    """The lines of a list or map, moved so that they begin at a column; one in brackets is written out."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style:
        return indented(emitted(meant(text, node)), column)
    lines = text[top_of(text, node) : behind(text, node)]
    if not lines.endswith("\n"):
        lines += "\n"
    shift = column - node.start_mark.column
    moved = []
    for line in lines.splitlines(keepends=True):
        bare = line.lstrip(" ")
        width = len(line) - len(bare)
        moved.append(line if not bare.strip() else " " * max(width + shift, 0) + bare)
    return "".join(moved)
