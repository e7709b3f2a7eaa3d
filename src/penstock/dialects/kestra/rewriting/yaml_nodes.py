"""Where in a text does each part of a flow begin and end? YAML's nodes with their places, found by what they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

import yaml

from penstock.errors.flow import NotYaml

LISTS: Final = ("tasks", "errors", "finally", "afterExecution", "then", "else", "defaults")
# The loader whose events flows are read from: what it takes, this takes.
LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
Entry: TypeAlias = tuple[yaml.ScalarNode, yaml.Node]


def roots(text: str) -> list[yaml.MappingNode]:
    """The maps that the documents of a text are. Raises NotYaml."""
    try:
        found = list(yaml.compose_all(text, Loader=LOADER))
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise NotYaml(f"The text cannot be rewritten: {' '.join(str(error).split())}") from None
    return [node for node in found if isinstance(node, yaml.MappingNode)]


def entries(node: yaml.Node | None) -> list[Entry]:
    """The entries of a map whose keys are words, in the order written."""
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]


def entry(node: yaml.Node | None, name: str) -> Entry | None:
    """An entry of a map by its key."""
    return next((each for each in entries(node) if each[0].value == name), None)


def value(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """What a map has at a key."""
    found = entry(node, name)
    return found[1] if found else None


def word(node: yaml.Node | None, name: str) -> str:
    """What a map has at a key, where it is one word or text; else empty."""
    found = value(node, name)
    return str(found.value) if isinstance(found, yaml.ScalarNode) else ""


def items(node: yaml.Node | None) -> list[yaml.Node]:
    """The items of a list."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def tasks(flow: yaml.Node) -> Iterator[yaml.MappingNode]:
    """Every task and group of a flow, outer ones before what is in them."""
    for each in held(flow):
        yield each
        yield from tasks(each)


def held(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    """The tasks that stand directly in a flow, a listener or a group."""
    for key, below in entries(node):
        lists = [below] if key.value in LISTS else []
        if key.value == "cases":
            lists = [branch for _, branch in entries(below)]
        elif key.value == "onPause" and isinstance(below, yaml.MappingNode):
            yield below
        elif key.value == "listeners":
            lists = [tasks for item in items(below) if (tasks := value(item, "tasks"))]
        for each in lists:
            for item in items(each):
                inner = value(item, "task")
                task = inner if isinstance(inner, yaml.MappingNode) else item
                if isinstance(task, yaml.MappingNode):
                    yield task


def walk(node: yaml.Node) -> Iterator[yaml.Node]:
    """Every part of a node, itself first; what an alias names, where it is named first."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, yaml.MappingNode):
            waiting += [part for pair in reversed(each.value) for part in reversed(pair)]
        elif isinstance(each, yaml.SequenceNode):
            waiting += reversed(each.value)


def begin(node: yaml.Node) -> int:
    """The index of a node's first character."""
    return int(node.start_mark.index)


def end(node: yaml.Node) -> int:
    """The index behind a node's last character; comments and blank lines behind it are not of it."""
    return int(deepest(node).end_mark.index)


def is_block(node: yaml.Node) -> bool:
    """Whether a node is text in a block, `|` or `>`."""
    return isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")


def line_of(text: str, index: int) -> int:
    """The index at which the line of a character begins."""
    return text.rfind("\n", 0, index) + 1


def behind(text: str, node: yaml.Node) -> int:
    """The index at which the line behind a node begins, its blank lines left out."""
    last = deepest(node)
    at = end(last)
    if is_block(last):
        header = text[begin(last) : text.find("\n", begin(last))]
        if "+" in header:
            return at
        at = len(text[:at].rstrip())
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def top_of(text: str, node: yaml.Node) -> int:
    """The index at which the lines of a node begin, with the comments directly above it."""
    at = line_of(text, begin(node))
    while at > 0 and text[line_of(text, at - 1) : at].lstrip().startswith("#"):
        at = line_of(text, at - 1)
    return at


def deepest(node: yaml.Node) -> yaml.Node:
    """The last thing that is written in a node."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node
