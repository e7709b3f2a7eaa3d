"""How do older conditions look as one template? Those of triggers become `when` and `dependsOn`, listeners `If`s."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import yaml

from penstock.dialects.kestra.conditions import MULTIPLE, expression, short
from penstock.dialects.kestra.names import PACKAGES
from penstock.dialects.kestra.rewriting.edits import (
    COMMENTED,
    Edit,
    lines_at,
    meant,
    removed,
    replaced,
)
from penstock.dialects.kestra.rewriting.pages import begin, behind, end, entry, items, top_of, value, word
from penstock.dialects.kestra.writing.emit import emitted, indented
from penstock.model.flow import Flow
from penstock.model.node import If
from penstock.model.trigger import Condition

OLD: Final = ("conditions", "scheduleConditions")
WINDOWS: Final = {
    "DURATION_WINDOW": {"window": "every", "windowAdvance": "offset"},
    "SLIDING_WINDOW": {"window": "lookback"},
    "DAILY_TIME_DEADLINE": {"deadline": "deadline"},
    "DAILY_TIME_WINDOW": {"startTime": "from", "endTime": "to"},
}
ENDED_WELL: Final = ["SUCCESS", "WARNING"]


def as_one(conditions: tuple[Condition, ...]) -> str:
    """Conditions that must all hold, as one template; empty where they cannot be said so."""
    if len(conditions) == 1 and conditions[0].test:
        return conditions[0].test
    parts = [expression(each) for each in conditions]
    return f"{{{{ {' and '.join(parts)} }}}}" if parts and all(parts) else ""


def conditions(text: str, flow: yaml.MappingNode, model: Flow) -> Iterator[Edit]:
    """`conditions` of triggers, which are one template in `when`."""
    triggers = {each.id: each for each in model.triggers}
    for node in items(value(flow, "triggers")):
        found = triggers.get(word(node, "id"))
        written = [name for name in OLD if entry(node, name)]
        if found is None or not isinstance(node, yaml.MappingNode):
            continue
        yield from removed(text, node, "backfill")
        several = any(short(word(each, "type")) == MULTIPLE for each in items(value(node, "conditions")))
        if not written or several or not (when := as_one(found.when)):
            continue
        if entry(node, "when"):
            yield from replaced(text, node, "when", {"when": when})
            written = ["", *written]
        else:
            yield from replaced(text, node, written[0], {"when": when})
        for name in written[1:]:
            yield from removed(text, node, name)


def preconditions(text: str, flow: yaml.MappingNode, model: Flow) -> Iterator[Edit]:
    """`preconditions` of flows alone, which `dependsOn` and `window` say."""
    for node in items(value(flow, "triggers")):
        inner = value(node, "preconditions")
        if not isinstance(node, yaml.MappingNode) or not isinstance(inner, yaml.MappingNode):
            continue
        said = meant(text, inner)
        window = _window(said.get("timeWindow")) if isinstance(said, dict) else None
        if window is None or not isinstance(said, dict) or said.get("where") or said.get("resetOnSuccess") is False:
            continue
        flows = [{"states": ENDED_WELL, **each} if isinstance(each, dict) else each for each in said.get("flows", [])]
        ordered = [
            {**{name: each[name] for name in ("namespace", "flowId") if name in each}, **each}
            for each in flows
            if isinstance(each, dict)
        ]
        more: dict[str, object] = {"dependsOn": ordered}
        if window:
            more["window"] = window
        yield from replaced(text, node, "preconditions", more)


def _window(said: object) -> dict[str, object] | None:
    """A time window as version 2 writes it; None where it cannot."""
    if said is None:
        return {}
    if not isinstance(said, dict):
        return None
    words = WINDOWS.get(str(said.get("type", "DURATION_WINDOW")))
    rest = {name: each for name, each in said.items() if name != "type"}
    return None if words is None or rest.keys() - words.keys() else {words[name]: each for name, each in rest.items()}


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
