"""What may stand in a task's place in a test? A fixture says what its attempt gives, or how it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from penstock.errors.project import WrongCall
from penstock.sdk.values import Duration


class Fixture(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an attempt ends: with `outputs`, or with a `message` of why it failed; `takes` lets the clock go on.

    `kind` is the error's (task, exit, timeout, …), `logs` are lines that it writes, `state` is what the next attempt
    finds.
    """

    status: Literal["success", "warning", "failed", "skipped", "lost"] = "success"
    outputs: dict[str, object] = {}
    logs: tuple[str, ...] = ()
    message: str = ""
    kind: str = "task"
    exit_code: int | None = None
    takes: str | float = 0
    state: dict[str, object] | None = None

    @property
    def micros(self) -> int:
        """How long the attempt takes."""
        return Duration.read(self.takes)


class Call(msgspec.Struct, frozen=True):
    """One attempt at a task: its key, number, type and rendered properties."""

    step: str
    attempt: int
    type: str
    properties: dict[str, object]


Given = (
    Fixture
    | Mapping[str, object]
    | BaseException
    | Sequence["Given"]
    | Callable[[Call], "Fixture | Mapping[str, object]"]
)


def gives(**outputs: object) -> Fixture:
    """A success with these outputs."""
    return Fixture(outputs=outputs)


def fails(message: str = "The fixture fails.", *, exit_code: int | None = None, kind: str = "task") -> Fixture:
    """A failure; with an exit code its kind is `exit`."""
    return Fixture(
        status="failed", message=message, exit_code=exit_code, kind="exit" if exit_code is not None else kind
    )


def warns(message: str = "The fixture warns.", **outputs: object) -> Fixture:
    """A success that warns."""
    return Fixture(status="warning", message=message, outputs=outputs)


def skips(message: str = "") -> Fixture:
    """The task finds nothing to do."""
    return Fixture(status="skipped", message=message)


def chosen(given: Given, call: Call) -> Fixture:
    """The fixture for one attempt: of a list the one of its number (the last stays), of a function what it answers."""
    match given:
        case Fixture():
            return given
        case Mapping():
            return _read(given, call)
        case BaseException():
            return fails(f"{type(given).__name__}: {given}" if str(given) else type(given).__name__)
        case str() | bytes():
            raise _odd(given, call)
        case Sequence() if given:
            return chosen(given[min(call.attempt, len(given)) - 1], call)
        case _ if callable(given):
            return _called(given, call)
        case _:
            raise _odd(given, call)


def _called(function: Callable[[Call], object], call: Call) -> Fixture:
    try:
        answer = function(call)
    except AssertionError:
        raise
    except Exception as error:
        return chosen(error, call)
    match answer:
        case Fixture() | Mapping():
            return chosen(answer, call)
        case None:
            return Fixture()
        case _:
            raise _odd(answer, call)


def _read(given: Mapping[str, object], call: Call) -> Fixture:
    try:
        return msgspec.convert(dict(given), Fixture)
    except msgspec.ValidationError as error:
        hint = "A mapping says `outputs`, `status`, `message`, `logs` …; gives(rows=3) is short for outputs alone."
        raise WrongCall(f'The fixture of "{call.step}" cannot be read: {error}.', hint=hint) from None


def _odd(given: object, call: Call) -> WrongCall:
    return WrongCall(
        f'The fixture of "{call.step}" is {given!r}.',
        hint="Give gives(…), fails(…), a mapping, an exception, a list of these, or a function of the call.",
    )
