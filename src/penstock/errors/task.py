"""What can go wrong with a task type, its properties or its work? Codes PS-7xx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from penstock.errors import PenstockError
from penstock.errors.problem import Problem

NOTHING: Mapping[str, object] = MappingProxyType({})


class UnknownTaskType(PenstockError):
    """A task names a type that no installed package offers."""

    code = "PS-701"
    hint = "`penstock types` lists those that are installed."


class InvalidProperties(PenstockError):
    """Properties of a task do not fit what its type declares; `problems` has one entry for each."""

    code = "PS-702"

    def __init__(self, type_name: str, problems: Sequence[Problem]) -> None:
        told = " ".join(f"{each.sentence} {each.hint}".strip() for each in problems)
        super().__init__(f'Task type "{type_name}": {told}')
        self.type_name = type_name
        self.problems = tuple(problems)


class TaskFailed(PenstockError):
    """A task did its work and says that it failed; `kind` is a word of ErrorKind, `outputs` are kept."""

    code = "PS-703"

    def __init__(
        self,
        message: str,
        kind: str = "task",
        exit_code: int | None = None,
        outputs: Mapping[str, object] = NOTHING,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.exit_code = exit_code
        self.outputs = outputs


class MissingExtra(PenstockError):
    """A task type needs a library that is not installed."""

    code = "PS-704"


class BrokenTaskType(PenstockError):
    """An entry point promises a task type and does not give one."""

    code = "PS-705"


class NotOffered(PenstockError):
    """A property asks for something that this release does not offer."""

    code = "PS-706"


class Refused(PenstockError):
    """The worker declined what a task asked it for."""

    code = "PS-707"


class BadAddress(PenstockError):
    """An address (of a database, a server, a file) cannot be used."""

    code = "PS-708"


class UnreadableMessage(TaskFailed):
    """A message is not written as was said; its like may be passed by, unlike a registry that cannot be reached."""

    code = "PS-709"


class AnswerRefused(TaskFailed):
    """A server that a task steers answered, and said no; `status` is HTTP's, `told` all that it said."""

    code = "PS-710"

    def __init__(self, message: str, status: int, told: str) -> None:
        super().__init__(message)
        self.status, self.told = status, told


class NoAnswer(TaskFailed):
    """Nobody answers where a server that a task steers should be, for as long as was waited."""

    code = "PS-711"
    hint = "Is the address right, and the server up? The task goes on where it was when the run is restarted."


class Overtaken(TaskFailed):
    """A table was changed by somebody else between a look at it and the change that was made of what was seen."""

    code = "PS-712"
    hint = "Nothing was changed. Run it again; where others write all the time, allow more tries."


class Forgotten(TaskFailed):
    """A server was started again, and knows no more of what it was asked to do."""

    code = "PS-713"
    hint = "What is told to go on from where it was, does so when the task is done again."
