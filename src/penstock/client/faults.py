"""How does a server's refusal become an error of ours? By its code: it is the error that the verb itself raises."""

from __future__ import annotations

from functools import cache
from typing import Final

import msgspec

from penstock.client.shapes.flows import FlowProblem, Place
from penstock.errors import (
    PenstockError,
    Problem,
    Severity,
    access,
    api,
    client,
    expr,
    flow,
    project,
    run,
    secrets,
    store,
    task,
    work,
)
from penstock.errors import Place as Spot

# Imported so that each of their classes is known by its code.
AREAS: Final = (access, api, client, expr, flow, project, run, secrets, store, task, work)


class Refused(msgspec.Struct, frozen=True):
    """A problem document, as far as it is read."""

    code: str
    detail: str
    hint: str = ""
    place: Place | None = None
    problems: list[FlowProblem] = []


def fault_of(status: int, body: bytes, asked: str) -> PenstockError:
    """The error that an answer tells; StrangeAnswer for one that is not of our kind."""
    try:
        told = msgspec.json.decode(body, type=Refused)
    except msgspec.MsgspecError:
        return client.StrangeAnswer(f"{asked} was answered {status}, and not as Penstock does.")
    kind = _kinds().get(told.code)
    if kind is None:
        # a newer server may know errors that are not known here: their code and sentence are told all the same
        kind = type("UnknownHere", (PenstockError,), {"code": told.code})
    error = kind.__new__(kind)
    PenstockError.__init__(error, told.detail, hint=told.hint, place=spot(told.place))
    if isinstance(error, project.InvalidFlows):
        error.problems = tuple(problem_of(each) for each in told.problems)
    return error


def problem_of(told: FlowProblem) -> Problem:
    """One problem of a text, as it was told."""
    severity = Severity(told.severity) if told.severity in set(Severity) else Severity.ERROR
    return Problem(told.code, told.detail, spot(told.place), told.hint, severity, told.path)


def spot(told: Place | None) -> Spot | None:
    """A place in a text, as it was told."""
    return Spot(told.line, told.column, told.file, told.text) if told else None


@cache
def _kinds() -> dict[str, type[PenstockError]]:
    """The classes of errors by their codes; of two with the same code the more general one."""
    found: dict[str, type[PenstockError]] = {}
    waiting: list[type[PenstockError]] = [PenstockError]
    while waiting:
        kind = waiting.pop(0)
        if "code" in vars(kind):
            found.setdefault(kind.code, kind)
        waiting += kind.__subclasses__()
    return found
