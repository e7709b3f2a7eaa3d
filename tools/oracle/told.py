"""How is a run told so that two engines can be compared? Steps by their place, states, what each handed on.

    {"state": "FAILED", "steps": {"each": "SUCCESS", "each/r[a]": "FAILED ×2"}, "outputs": {"each/r[a]": {…}},
     "gives": {…}, "inputs": {…}, "labels": {…}, "children": […]}

or {"refused": […]}, or {"notStarted": "…"}. What is empty is left out. Ids and addresses of files are not told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from penstock.services.document import RunDocument, StepDocument

Told: TypeAlias = dict[str, Any]

_ROUND = re.compile(r".*\[[^]/]*\]$")
_ADDRESS = re.compile(r"^(?:kestra|blob|file|penstock|mem)://\S+$")
_OWN = ("executionId", "uri")


def theirs(answer: Told) -> Told:
    """Tell what the real engine did."""
    if "refused" in answer:
        return {"refused": sorted(line for flow in answer["refused"] for line in flow.get("problems", []))}
    if "notStarted" in answer:
        return {"notStarted": answer["notStarted"]}
    if "execution" not in answer:
        return {"error": str(answer.get("error", answer))[:300]}
    told = _their_run(answer["execution"])
    return {**told, "timedOut": True} if answer.get("timedOut") else told


def ours(document: RunDocument, children: Iterable[Told]) -> Told:
    """Tell what we did: a run, and the runs that came of it, told already."""
    by_key = {step.key: step for step in document.steps}
    steps = [step for step in document.steps if not _round(step, by_key)]
    lines = [(_our_place(step, by_key), step.status.upper(), len(step.attempts), step.outputs) for step in steps]
    return _told(document.status, lines, document.outputs, document.inputs, document.labels, children, _ids(document))


def _their_run(run: Told, inside: str = "") -> Told:
    runs = run.get("taskRuns") or []
    by_id = {one["id"]: one for one in runs}
    lines = [
        (_their_place(one, by_id), one["state"], len(one.get("attempts") or []), one.get("outputs") or {})
        for one in runs
    ]
    children = run.get("children") or []
    for child in children:
        if "loop" in child:
            lines += _rounds(child, by_id, _value(child["loop"].get("value")))
    others = [_their_run(child) for child in children if "loop" not in child]
    ids = {run["id"], *by_id, *(child["id"] for child in children)}
    outputs, inputs, labels = run.get("outputs") or {}, run.get("inputs") or {}, run.get("labels") or {}
    return _told(run["state"], lines, outputs, inputs, labels, others, ids)


def _rounds(child: Told, outer: Told, value: str) -> list[tuple[str, str, int, Told]]:
    """The task runs of one round of a loop, which the newer engine keeps as an execution of its own."""
    runs = child.get("taskRuns") or []
    by_id = {**outer, **{one["id"]: {"value": value, **one} for one in runs}}
    lines = [
        (_their_place(by_id[one["id"]], by_id), one["state"], len(one.get("attempts") or []), one.get("outputs") or {})
        for one in runs
    ]
    for inner in child.get("children") or []:
        if "loop" in inner:
            lines += _rounds(inner, by_id, _value(inner["loop"].get("value")))
    return lines


def _their_place(run: Told, by_id: Told) -> str:
    value = run.get("value")
    own = run["taskId"] + (f"[{_value(value)}]" if value is not None else "")
    above = by_id.get(run.get("parent") or "")
    return f"{_their_place(above, by_id)}/{own}" if above else own


def _our_place(step: StepDocument, by_key: dict[str, StepDocument]) -> str:
    own = step.task + (f"[{_value(step.value)}]" if step.value is not None else "")
    above = by_key.get(step.parent or "")
    while above is not None and _round(above, by_key):
        above = by_key.get(above.parent or "")
    return f"{_our_place(above, by_key)}/{own}" if above else own


def _round(step: StepDocument, by_key: dict[str, StepDocument]) -> bool:
    """A loop's single round is a step here, and none there."""
    return bool(_ROUND.match(step.key)) and step.parent in by_key and by_key[step.parent or ""].task == step.task


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _ids(document: RunDocument) -> set[str]:
    return {document.id, *(child.id for child in document.children)}


def _told(
    state: str,
    lines: list[tuple[str, str, int, Told]],
    outputs: Told,
    inputs: Told,
    labels: dict[str, str],
    children: Iterable[Told],
    ids: set[str],
) -> Told:
    steps: Told = {}
    handed: Told = {}
    for place, status, tries, made in sorted(lines, key=lambda line: (line[0], line[1])):
        at = place
        while at in steps:
            at += "'"
        steps[at] = f"{status} ×{tries}" if tries > 1 else status
        handed[at] = _plain(made, ids)
    told = {
        "state": state.upper(),
        "steps": steps,
        "outputs": {place: made for place, made in handed.items() if made},
        "gives": _plain(outputs, ids),
        "inputs": _plain(inputs, ids),
        "labels": {name: text for name, text in labels.items() if not name.startswith("system.")},
        "children": sorted(children, key=lambda child: json.dumps(child, sort_keys=True)),
    }
    return {name: value for name, value in told.items() if value}


def _plain(value: object, ids: set[str]) -> Any:
    match value:
        case dict():
            return {
                key: "<own>" if key in _OWN and inner else _plain(inner, ids) for key, inner in sorted(value.items())
            }
        case list() | tuple():
            return [_plain(inner, ids) for inner in value]
        case str():
            for one in ids:
                value = value.replace(one, "<id>")
            return "<file>" if _ADDRESS.match(value) else value
        case _:
            return value
