"""How do listeners look today? Tasks after the end of a run, in an `If` where they have conditions."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from penstock.dialects.kestra.names import PACKAGES
from penstock.dialects.kestra.rewriting.edits import COMMENTED, Edit, lines_at, removed
from penstock.dialects.kestra.rewriting.yaml_nodes import begin, behind, end, entry, items, top_of, value, word
from penstock.dialects.kestra.writing.emit import emitted, indented
from penstock.model.flow import Flow
from penstock.model.node import If


def listeners(text: str, flow: yaml.MappingNode, model: Flow) -> Iterator[Edit]:
    """`listeners`, whose tasks run after the end of a run where their conditions hold: `afterExecution` says that."""
    found = entry(flow, "listeners")
    if not found or not items(found[1]) or flow.flow_style:
        return
    made = {node.id: node for node in model.after}
    after = entry(flow, "afterExecution")
    column = after[1].start_mark.column if after and isinstance(after[1], yaml.SequenceNode) else 2
    if after and (not isinstance(after[1], yaml.SequenceNode) or after[1].flow_style):
        return
    block = ""
    for number, item in enumerate(items(found[1]), start=1):
        node = made.get(f"listener-{number}")
        inside = value(item, "tasks")
        if node is None or inside is None:
            return
        head: dict[str, object] = {
            "id": node.id,
            "type": f"{PACKAGES[0]}{'If' if isinstance(node, If) else 'Sequential'}",
        }
        if text_of := word(item, "description"):
            head["description"] = text_of
        if isinstance(node, If):
            head["condition"] = node.condition
        lines = indented(emitted(head), column + 2)
        block += _comments(text, item, inside, column)
        block += (
            f"{' ' * column}- {lines[column + 2 :]}{' ' * (column + 2)}{'then' if isinstance(node, If) else 'tasks'}:\n"
        )
        block += lines_at(text, inside, column + 4)
    if after:
        yield from removed(text, flow, "listeners")
        yield Edit(behind(text, after[1]), behind(text, after[1]), block)
    else:
        key, below = found
        yield Edit(begin(key), behind(text, below), f"afterExecution:\n{block}")


def _comments(text: str, item: yaml.Node, inside: yaml.Node, column: int) -> str:
    """The comments of a listener that do not stand among its tasks."""
    around = text[top_of(text, item) : top_of(text, inside)] + text[behind(text, inside) : end(item)]
    return "".join(f"{' ' * column}{line.strip()}\n" for line in COMMENTED.findall(around))
