"""How does an error reach who called? As RFC 9457 has it: status, code, sentence, place, hint, and each problem."""

from __future__ import annotations

import inspect
from typing import Final

import msgspec

from penstock.errors import PenstockError, Problem, Severity, access, git, project, run, secrets, store, task, work
from penstock.errors import api as calls
from penstock.errors.expr import ExprError
from penstock.errors.flow import FlowError

MEDIA: Final = "application/problem+json"

# The nearest class in an error's ancestry decides; a test walks all of them.
STATUSES: Final[dict[type[PenstockError], int]] = {
    PenstockError: 500,
    # texts and values of people that are wrong in themselves
    ExprError: 422,
    FlowError: 422,
    project.InvalidFlows: 422,
    project.WrongCall: 422,
    project.SameFlowTwice: 422,
    project.FlowElsewhere: 422,
    run.BadId: 422,
    run.InvalidInput: 422,
    run.ImpureExpression: 422,
    run.BadSchedule: 422,
    run.TooDeep: 422,
    run.NothingToBackfill: 422,
    task.UnknownTaskType: 422,
    task.InvalidProperties: 422,
    task.BadAddress: 422,
    store.BadBlobAddress: 422,
    work.BadFileName: 422,
    work.AddressRefused: 422,
    access.BadPersonName: 422,
    access.WeakPassword: 422,
    access.BadRole: 422,
    access.NoPassword: 422,
    secrets.BadSecret: 422,
    # what is not there
    run.UnknownRun: 404,
    run.UnknownStep: 404,
    run.UnknownFlow: 404,
    run.UnknownSecret: 404,
    run.UnknownKey: 404,
    run.UnknownTrigger: 404,
    run.UnknownBackfill: 404,
    run.UnknownFile: 404,
    store.BlobMissing: 404,
    work.FileMissing: 404,
    project.NoSuchFile: 404,
    project.UnknownBranch: 404,
    git.WrongBranch: 422,
    access.UnknownPerson: 404,
    access.UnknownRole: 404,
    access.UnknownToken: 404,
    access.BadInvitation: 404,
    access.NoProvider: 404,
    secrets.NoSuchSecret: 404,
    # what cannot be done as things stand
    run.ForbiddenMove: 409,
    run.NothingToRestart: 409,
    run.FlowDisabled: 409,
    run.NothingToPause: 409,
    run.NotResumable: 409,
    run.NothingToMark: 409,
    run.CheckUnmet: 409,
    access.PersonExists: 409,
    access.LastOwner: 409,
    secrets.NoMasterKey: 409,
    secrets.BadMasterKey: 409,
    secrets.CannotUnseal: 409,
    # what passes
    store.StoreBusy: 503,
    store.StoreGone: 503,
    store.CommitUnknown: 503,
    store.StoreFull: 507,
    # calls themselves
    calls.BadRequest: 400,
    calls.Unfitting: 422,
    calls.NotSignedIn: 401,
    calls.MayNot: 403,
    access.WrongLogin: 401,
    access.TooManyLogins: 429,
    access.NotKnownHere: 403,
    access.ProviderFailed: 502,
    work.Unanswered: 502,
    secrets.SecretsUnreachable: 502,
    git.GitFailed: 502,
    calls.NoSuchAddress: 404,
    calls.WrongMethod: 405,
    calls.BodyTooLarge: 413,
    calls.WrongMediaType: 415,
    calls.Changed: 412,
    calls.TooBusy: 503,
    calls.TooManyCalls: 429,
    calls.ServerFault: 500,
    calls.BadRange: 416,
}


class PlaceDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where in a text: line and column count from 1."""

    line: int
    column: int
    file: str = ""
    text: str = ""


class OneProblem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a text; `path` leads to it in the text's own keys."""

    code: str
    detail: str
    severity: Severity = Severity.ERROR
    hint: str = ""
    path: str = ""
    place: PlaceDocument | None = None


class ProblemDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error as RFC 9457 has it: `type` is the address of its explanation, `detail` says what is wrong here."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str = ""
    instance: str = ""
    place: PlaceDocument | None = None
    problems: list[OneProblem] = []


def status_of(kind: type[PenstockError]) -> int:
    """The HTTP status of a class of errors."""
    return next(STATUSES[each] for each in kind.__mro__ if each in STATUSES)


def told(error: PenstockError, instance: str = "") -> ProblemDocument:
    """An error as who called gets it."""
    kind = type(error)
    several = error.problems if isinstance(error, project.InvalidFlows) else ()
    own = error.problem().place
    return ProblemDocument(
        type=f"/v1/errors/{error.code}",
        title=title_of(kind),
        status=status_of(kind),
        detail=error.sentence,
        code=error.code,
        hint=error.hint,
        instance=instance,
        place=PlaceDocument(own.line, own.column, own.file, own.text) if own else None,
        problems=[one(each) for each in several],
    )


def one(problem: Problem) -> OneProblem:
    """One problem of several."""
    place = problem.place
    return OneProblem(
        code=problem.code,
        detail=problem.sentence,
        severity=problem.severity,
        hint=problem.hint,
        path=problem.path,
        place=PlaceDocument(place.line, place.column, place.file, place.text) if place else None,
    )


def title_of(kind: type[PenstockError]) -> str:
    """What a class of errors is, in a sentence: the first of its docstring."""
    return inspect.cleandoc(kind.__doc__ or kind.__name__).split("\n\n")[0].replace("\n", " ")
