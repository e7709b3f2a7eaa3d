"""How do plugin defaults of a flow come into its tasks, as version 2 wants it? Each value into each it is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import yaml

from penstock.dialects.kestra.defaults import Default, given_to, project_defaults
from penstock.dialects.kestra.read import WITH_DEFAULTS
from penstock.dialects.kestra.rewriting.edits import Edit, applied, inserted, kept_comments, meant, removed, replaced
from penstock.dialects.kestra.rewriting.yaml_nodes import (
    begin,
    behind,
    entries,
    entry,
    line_of,
    roots,
    value,
    walk,
    word,
)
from penstock.dialects.kestra.tree import plain
from penstock.dialects.kestra.types import Types

DEFAULTS: Final = "pluginDefaults"


class _Hard(Exception):
    """A value that cannot be put in without writing anew what stands there: a list beside a list."""


def in_tasks(text: str, types: Types) -> str:
    """The text with the values of its defaults where they count; a flow stays as it is where that cannot be done."""
    edits: list[Edit] = []
    for flow in roots(text):
        found = value(flow, DEFAULTS)
        said = meant(text, found) if found is not None else None
        if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
            continue
        try:
            edits += _of_flow(text, flow, project_defaults(said), types)
        except _Hard:
            continue
    return applied(text, edits)


def _of_flow(text: str, flow: yaml.MappingNode, own: tuple[Default, ...], types: Types) -> list[Edit]:
    edits = removed(text, flow, DEFAULTS)
    gone = entry(flow, DEFAULTS)
    if gone and not flow.flow_style:
        edits = [Edit(line_of(text, begin(gone[0])), behind(text, gone[1]), kept_comments(text, *gone))]
    for key, below in entries(flow):
        for node in walk(below) if key.value in WITH_DEFAULTS else ():
            if isinstance(node, yaml.MappingNode) and (kind := word(node, "type")):
                weak, strong = given_to(kind, own, types)
                edits += _into(text, node, plain(weak), plain(strong))
    return edits


def _into(text: str, node: yaml.MappingNode, weak: object, strong: object) -> Iterator[Edit]:
    """Put values into a map: `weak` ones where nothing is said, `strong` ones whatever is."""
    assert isinstance(weak, Mapping)
    assert isinstance(strong, Mapping)
    more = {}
    for name in dict.fromkeys((*weak, *strong)):
        found = entry(node, name)
        if found is None:
            if isinstance(weak.get(name), (Mapping, list)) and name in strong:
                raise _Hard
            more[name] = strong.get(name, weak.get(name))
        elif isinstance(found[1], yaml.MappingNode):
            below = [each if isinstance(each, Mapping) else {} for each in (weak.get(name), strong.get(name))]
            yield from _into(text, found[1], *below)
        elif isinstance(found[1], yaml.SequenceNode) and (name in strong or isinstance(weak.get(name), list)):
            raise _Hard
        elif name in strong:
            yield from replaced(text, node, name, {name: strong[name]})
    if more:
        yield from inserted(text, node, "type", more)
