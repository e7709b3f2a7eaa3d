"""How is a run told so that two engines can be compared? Steps by their place, states, what each handed on.

    {"state": "FAILED", "steps": {"each": "SUCCESS", "each/r[a]": "FAILED ×2"}, "outputs": {"each/r[a]": {…}},
     "gives": {…}, "inputs": {…}, "labels": {…}, "children": […]}

or {"refused": […]}, or {"notStarted": "…"}. What is empty or null is left out.
Ids and addresses of files are not told.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeAlias

from penstock.engine.values import duration_micros
from penstock.services.document import RunDocument, StepDocument
from penstock.services.secrets.given import STARS

Told: TypeAlias = dict[str, Any]

_ROUND = re.compile(r".*\[[^]/]*\]$")
_ADDRESS = re.compile(r"^(?:kestra|blob|file|penstock|mem)://\S+$")
_ADDED = re.compile(r"listener-\d+|.+-values|.+-group")
# A run of a batch is a child there, and no task; what else only one side says of batches.
_BATCH = re.compile(r".*_items\[\d+\]/[^/]+_batch")
_OWN = ("executionId", "uri")
_SPAN = re.compile(r"-?P(?=[0-9T])[0-9.WDTHMS]+")


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
    steps = [step for step in document.steps if _is_told(step, by_key)]
    groups = {step.parent for step in document.steps} | {step.key for step in document.steps if step.type == "folder"}
    called = Counter(child.step for child in document.children)
    lines = [
        (
            _our_place(step, by_key),
            step.status.upper(),
            1 if step.key in groups else max(len(step.attempts), called[step.key]),
            step.outputs,
        )
        for step in steps
    ]
    return _told(
        document.status,
        lines,
        document.outputs,
        _in_seconds(document.inputs),
        document.labels,
        children,
        _ids(document),
    )


def _in_seconds(inputs: Told) -> Told:
    """Inputs as expressions see them: durations, which are kept as ISO text, are seconds."""
    spans = {name: text for name, text in inputs.items() if isinstance(text, str) and _SPAN.fullmatch(text)}
    return {**inputs, **{name: duration_micros(text) / 1e6 for name, text in spans.items()}}


def _their_run(run: Told) -> Told:
    runs = run.get("taskRuns") or []
    by_id = {one["id"]: one for one in runs}
    lines = [
        (_their_place(one, by_id), one["state"], len(one.get("attempts") or []), one.get("outputs") or {})
        for one in runs
    ]
    # Flows of other cases, with triggers that fire at any run, live in the same engine.
    children = [
        child for child in run.get("children") or [] if child.get("namespace") in (None, "oracle", run.get("namespace"))
    ]
    others = [_their_run(child) for child in _called(children)]
    for child in children:
        if "loop" in child:
            lines += _rounds(child, by_id, _value(child["loop"].get("value")))
    ids = {run["id"], *by_id, *(child["id"] for child in children)}
    outputs, inputs, labels = run.get("outputs") or {}, run.get("inputs") or {}, run.get("labels") or {}
    return _told(run["state"], lines, outputs, inputs, labels, others, ids)


def _called(children: list[Told]) -> list[Told]:
    """The runs that came of a run, those that came of the rounds of its loops among them."""
    within = [inner for child in children if "loop" in child for inner in _called(child.get("children") or [])]
    return [child for child in children if "loop" not in child] + within


def _rounds(child: Told, outer: Told, value: str) -> list[tuple[str, str, int, Told]]:
    """The task runs of one round of a loop, which the newer engine keeps as an execution of its own."""
    runs = child.get("taskRuns") or []
    own = {one["id"] for one in runs}
    by_id = {**outer, **{one["id"]: one if one.get("parent") in own else {"value": value, **one} for one in runs}}
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
    above = by_key.get(step.parent or "")
    value = step.value if above is not None and _own_word(above, by_key) else None
    if isinstance(value, dict) and value.keys() == {"key", "value"}:
        value = value["value"]  # an entry of a map goes by its value
    own = step.task + (f"[{_value(value)}]" if value is not None else "")
    while above is not None and _own_word(above, by_key):
        if above.task == f"{step.task}-group" or _comes_before(step, above, by_key):
            above = by_key.get(above.parent or "")
        elif above.task.endswith("-group"):
            return f"{above.task.removesuffix('-group')}/{own}"
        else:
            above = by_key.get(above.parent or "")
    return f"{_our_place(above, by_key)}/{own}" if above else own


def _comes_before(step: StepDocument, group: StepDocument, by_key: dict[str, StepDocument]) -> bool:
    """Is this what a pause has done as it begins? There it stands beside the pause."""
    keys, pause = list(by_key), group.key.removesuffix("-group")
    return pause != group.key and pause in by_key and keys.index(step.key) < keys.index(pause)


def _is_told(step: StepDocument, by_key: dict[str, StepDocument]) -> bool:
    return not (_own_word(step, by_key) or step.status == "waiting" or _BATCH.fullmatch(step.key))


def _own_word(step: StepDocument, by_key: dict[str, StepDocument]) -> bool:
    """A step that is none there: a loop's single round, or a group that the reading of old words adds."""
    above = by_key.get(step.parent or "")
    a_round = bool(_ROUND.match(step.key)) and above is not None and above.task == step.task
    return a_round or bool(_ADDED.fullmatch(step.task))


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
        "outputs": {place: kept for place, made in handed.items() if (kept := _without_empty(made))},
        "gives": _without_empty(_plain(outputs, ids)),
        "inputs": _given(_plain(inputs, ids)),
        "labels": {name: text for name, text in labels.items() if not name.startswith("system.")},
        "children": sorted(children, key=lambda child: json.dumps(child, sort_keys=True)),
    }
    return {name: value for name, value in told.items() if value}


def _given(inputs: Told) -> Told:
    """Inputs with those of dotted names within each other, and without those that nobody gave."""
    nested: Told = {}
    for name, value in inputs.items():
        *above, last = name.split(".")
        within = nested
        for part in above:
            within = within.setdefault(part, {})
        if value is not None:
            within[last] = value
    return _without_empty(nested)


def _without_empty(told: Told) -> Told:
    """The engine leaves out what is null or has nothing in it, at some versions and places."""
    return {name: value for name, value in told.items() if value is not None and value != {}}


def _plain(value: object, ids: set[str]) -> Any:
    match value:
        case {"type": "io.kestra.datatype:aes_encrypted"}:
            return STARS
        case {"files": dict(files)} if any(str(address).startswith("nsfile:") for address in files.values()):
            return {}  # what was put into a project; there an upload hands on nothing
        case {"on": _, "to": state}:
            return {"on": "<time>", "to": state}  # when a pause went on, and to which end
        case {"splits": file, "uris": _}:
            return {"splits": _plain(file, ids)}
        case {"subflowOutputs": file, "uri": _}:
            return {"subflowOutputs": _plain(file, ids)}
        case {"terminatedIterations": _} | {"iterations": _}:
            return {}  # a loop's counts are told by expressions here, not by the run's document
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
