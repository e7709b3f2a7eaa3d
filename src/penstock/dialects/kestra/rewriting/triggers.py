"""How do older conditions of triggers look today? One template in `when`, and `dependsOn` for runs that are awaited."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import yaml

from penstock.dialects.kestra.conditions import MULTIPLE, UPSTREAM, expression, short
from penstock.dialects.kestra.rewriting.edits import Edit, meant, removed, replaced
from penstock.dialects.kestra.rewriting.yaml_nodes import entry, items, value, word
from penstock.model.flow import Flow
from penstock.model.trigger import Condition, OnRuns, Upstream

OLD: Final = ("conditions", "scheduleConditions")
WINDOWS: Final = {
    "DURATION_WINDOW": {"window": "every", "windowAdvance": "offset"},
    "SLIDING_WINDOW": {"window": "lookback"},
    "DAILY_TIME_DEADLINE": {"deadline": "deadline"},
    "DAILY_TIME_WINDOW": {"startTime": "from", "endTime": "to"},
}
ENDED_WELL: Final = ["SUCCESS", "WARNING"]
EQUAL: Final = re.compile(r"(?P<left>[\w.]+) == (?P<q>['\"])(?P<text>[^'\"]*)(?P=q)")


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
        if several and isinstance(found, OnRuns):
            yield from _multiple(text, node, found)
        if not written or several or not (when := as_one(found.when)):
            continue
        if entry(node, "when"):
            yield from replaced(text, node, "when", {"when": when})
            written = ["", *written]
        else:
            yield from replaced(text, node, written[0], {"when": when})
        for name in written[1:]:
            yield from removed(text, node, name)


def _multiple(text: str, node: yaml.MappingNode, trigger: OnRuns) -> Iterator[Edit]:
    """A condition made of several runs, which `dependsOn` and `window` say, and what is asked besides, in `when`."""
    listed = items(value(node, "conditions"))
    wholes = [each for each in listed if short(word(each, "type")) == MULTIPLE]
    said = meant(text, wholes[0])
    waits = _depends_on(trigger.waits_for)
    when = as_one(trigger.when)
    bare = not any(entry(node, name) for name in ("when", "scheduleConditions", "preconditions", "dependsOn"))
    if not isinstance(said, dict) or len(wholes) > 1 or not waits or not bare or not trigger.reset:
        return
    older = {name: said[name] for name in ("window", "windowAdvance") if name in said}
    window = _window(said.get("timeWindow", older or None))
    if window is None or (trigger.when and not when):
        return
    more: dict[str, object] = {"dependsOn": waits}
    if trigger.least:
        more |= {"mode": "AT_LEAST", "minSatisfied": trigger.least}
    if window:
        more["window"] = window
    if when:
        more["when"] = when
    yield from replaced(text, node, "conditions", more)


def preconditions(text: str, flow: yaml.MappingNode, model: Flow) -> Iterator[Edit]:
    """`preconditions`, which `dependsOn` and `window` say where it is known of what namespace the runs are."""
    triggers = {each.id: each for each in model.triggers}
    for node in items(value(flow, "triggers")):
        inner, trigger = value(node, "preconditions"), triggers.get(word(node, "id"))
        if not isinstance(node, yaml.MappingNode) or not isinstance(inner, yaml.MappingNode):
            continue
        said = meant(text, inner)
        window = _window(said.get("timeWindow")) if isinstance(said, dict) else None
        if window is None or not isinstance(said, dict) or not isinstance(trigger, OnRuns) or not trigger.reset:
            continue
        listed = [each for each in said.get("flows") or [] if isinstance(each, dict)]
        filters = _depends_on(trigger.waits_for[len(listed) :])
        flows = [{"states": ENDED_WELL, **each} for each in listed]
        names = {(each.get("namespace"), each.get("flowId")) for each in (*flows, *(filters or ()))}
        if filters is None or (filters and len(names) < len(trigger.waits_for)):
            continue
        ordered = [{**{name: each[name] for name in ("namespace", "flowId") if name in each}, **each} for each in flows]
        more: dict[str, object] = {"dependsOn": [*ordered, *filters]}
        if window:
            more["window"] = window
        yield from replaced(text, node, "preconditions", more)


def _depends_on(waits: tuple[Upstream, ...]) -> list[dict[str, object]] | None:
    """What is waited for, as `dependsOn` says it; None where it cannot: it wants a namespace for each, and tells what
    has come by namespace and flow.
    """
    found = [_depends(each) for each in waits]
    made = [each for each in found if each is not None]
    names = {(each["namespace"], each.get("flowId")) for each in made}
    return made if len(names) == len(waits) else None


def _depends(wait: Upstream) -> dict[str, object] | None:
    rest = list(conjuncts(wait.when))
    said: dict[str, object] = {}
    for name, left in (("namespace", UPSTREAM.namespace), ("flowId", UPSTREAM.flow)):
        fitting = [each for each in rest if (found := EQUAL.fullmatch(each)) and found["left"] == left]
        if len(fitting) == 1 and (found := EQUAL.fullmatch(fitting[0])):
            said[name] = found["text"]
            rest.remove(fitting[0])
    for each in rest:
        told = [EQUAL.fullmatch(part) for part in each.split(" or ")]
        words = [found["text"] for found in told if found and found["left"] == UPSTREAM.state]
        if len(words) == len(told):
            said["states"] = words
            rest.remove(each)
            break
    if any("<?>" in each for each in rest) or "namespace" not in said:
        return None
    return said | ({"when": f"{{{{ {' and '.join(f'({each})' for each in rest)} }}}}"} if rest else {})


def conjuncts(conditions: tuple[Condition, ...]) -> list[str]:
    """All that must hold, one by one; what is no expression as `<?>`."""
    found: list[str] = []
    for each in conditions:
        found += _split(expression(each) or "<?>")
    return found


def _split(whole: str) -> list[str]:
    """The parts of an expression that `and` joins and nothing else does, without the parentheses around them."""
    depth, quote, cuts, closed = 0, "", [], 0
    for at, sign in enumerate(whole):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
            closed = closed or (0 if depth else at)
        elif not depth and (sign == "?" or whole.startswith(" or ", at)):
            return [whole]
        elif not depth and whole.startswith(" and ", at):
            cuts.append(at)
    if cuts:
        starts = [0, *(at + len(" and ") for at in cuts)]
        parts = [whole[begin:end] for begin, end in zip(starts, [*cuts, len(whole)], strict=True)]
        return [each for part in parts for each in _split(part.strip())]
    return _split(whole[1:-1].strip()) if whole.startswith("(") and closed == len(whole) - 1 else [whole]


def _window(said: object) -> dict[str, object] | None:
    """A time window as version 2 writes it; None where it cannot."""
    if said is None:
        return {}
    if not isinstance(said, dict):
        return None
    words = WINDOWS.get(str(said.get("type", "DURATION_WINDOW")))
    rest = {name: each for name, each in said.items() if name != "type"}
    return None if words is None or rest.keys() - words.keys() else {words[name]: each for name, each in rest.items()}
