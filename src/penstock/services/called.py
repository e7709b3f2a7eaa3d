"""Do calls of other flows fit those flows? Each is looked for among the files, and given what it declares."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from penstock.engine.values import convert
from penstock.errors import Place, Problem, Severity, nearest
from penstock.errors.run import InvalidInput, UnknownFlow
from penstock.model.flow import Flow
from penstock.model.node import Subflow
from penstock.model.plan import every_node
from penstock.services.project import Found, Manner, by_id, read_files


def check_calls(found: Sequence[Found], others: Iterable[Path], manner: Manner) -> list[Found]:
    """The same files, with a problem for each call that cannot go well: a flow that no file holds, inputs that it does
    not take, or lacks, or that are of the wrong type.
    """
    known = {each.reading.flow.name: each.reading.flow for each in found if each.reading.flow is not None}
    held: dict[str, list[Path]] | None = None
    told: list[Found] = []
    for each in found:
        problems: list[Problem] = []
        for node in every_node(each.reading.flow) if each.reading.flow else ():
            if not isinstance(node, Subflow) or "{" in node.namespace + node.flow:
                continue
            name = f"{node.namespace}.{node.flow}"
            if name not in known:
                held = by_id(others) if held is None else held
                read = (each.flow for path in held.get(node.flow, ()) for each in read_files(path, manner))
                known |= {flow.name: flow for flow in read if flow is not None}
            place = _place(each, node.id)
            if name not in known:
                sentence = f'The task "{node.id}" calls the flow {name}, which no file here holds.'
                hint = nearest(name, known) or "It must be in the store when the task runs: `penstock flows push`."
                problems.append(Problem(UnknownFlow.code, sentence, place=place, hint=hint, severity=Severity.WARNING))
            else:
                problems += _unfit(node, known[name], place)
        reading = each.reading
        if problems:
            bad = any(problem.severity is Severity.ERROR for problem in problems)
            flow = None if bad else reading.flow
            reading = msgspec.structs.replace(reading, flow=flow, problems=(*reading.problems, *problems))
        told.append(Found(each.path, reading) if problems else each)
    return told


def _unfit(node: Subflow, called: Flow, place: Place) -> Iterator[Problem]:
    """What of a call's inputs the called flow does not take as they are written."""
    declared = {each.id: each for each in called.inputs}
    for name, value in node.inputs.items():
        if "{" in name:
            return  # which inputs are given is known only when the run gets there
        if name in declared:
            try:
                if value is not None and not _has_template(value):
                    convert(declared[name].type, value, name)
            except InvalidInput as error:
                yield _problem(f'The task "{node.id}" calls {called.name}. {error.sentence}', place)
        elif not any(each.startswith(f"{name}.") for each in declared):
            sentence = f'The task "{node.id}" gives {called.name} the input "{name}", which it does not have.'
            hint = nearest(name, declared) or f"It has: {', '.join(declared) or 'none'}."
            yield _problem(sentence, place, hint, Severity.WARNING)  # it is not taken, and does no harm
    for each in called.inputs:
        given = any(each.id == name or each.id.startswith(f"{name}.") for name in node.inputs)
        if each.required and not each.has_default and not each.depends_on and not given:
            sentence = f'The task "{node.id}" calls {called.name} without its input "{each.id}" ({each.type}).'
            yield _problem(sentence, place, "Write it below `inputs`.")


def _problem(sentence: str, place: Place, hint: str = "", severity: Severity = Severity.ERROR) -> Problem:
    return Problem(InvalidInput.code, sentence, place=place, hint=hint, severity=severity)


def _has_template(value: object) -> bool:
    match value:
        case str():
            return "{{" in value or "{%" in value
        case dict():
            return any(_has_template(each) for each in (*value, *value.values()))
        case list():
            return any(_has_template(each) for each in value)
        case _:
            return False


def _place(found: Found, task: str) -> Place:
    """Where a task is named in its file."""
    match = re.search(rf"\bid[\"']?\s*:\s*[\"']?{re.escape(task)}[\"']?\s*(?:[,}}#\n\r]|$)", found.reading.source)
    if match is None:
        return Place(1, 1, str(found.path))
    before = found.reading.source[: match.start()]
    line = found.reading.source.splitlines()[before.count("\n")]
    return Place(
        found.reading.before + before.count("\n") + 1, match.start() - before.rfind("\n"), str(found.path), line
    )
