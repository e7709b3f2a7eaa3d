"""What can go wrong with a project, its settings or a call of the command line? Codes PS-6xx."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.errors import PenstockError
from penstock.errors.problem import Problem
from penstock.errors.report import render_problems


class WrongCall(PenstockError):
    """A command was called with something that it cannot take."""

    code = "PS-601"


class NoSuchFile(PenstockError):
    """A file that a command or a setting names is not there, or cannot be read."""

    code = "PS-602"


class BadSettings(PenstockError):
    """The file penstock.yaml says something that it cannot say; `problems` has one entry for each."""

    code = "PS-603"

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        super().__init__(f"{file} cannot be used: {len(problems)} {'problem' if len(problems) == 1 else 'problems'}.")
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return f"{super().__str__()}\n{render_problems(self.problems)}"


class UnknownSetting(PenstockError):
    """A key stands in penstock.yaml that means nothing there."""

    code = "PS-604"
    hint = "docs/en/reference/settings.md lists all of them."


class WrongSetting(PenstockError):
    """A key of penstock.yaml has a value that it cannot have."""

    code = "PS-605"


class LooseSecrets(PenstockError):
    """The file of secrets may be read by others than its owner."""

    code = "PS-606"


class InvalidFlows(PenstockError):
    """Flows that were to be used have errors; `problems` has one entry for each."""

    code = "PS-607"

    def __init__(self, sentence: str, problems: Sequence[Problem], *, hint: str = "") -> None:
        super().__init__(sentence, hint=hint)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return f"{super().__str__()}\n{render_problems(self.problems)}"


class FolderTaken(PenstockError):
    """A new project was to be written where there is one already."""

    code = "PS-608"
    hint = "Give another folder: `penstock init NAME`."


class SameFlowTwice(PenstockError):
    """Two files of a project hold the same flow."""

    code = "PS-609"


class BackupExists(PenstockError):
    """A backup or an export was to be written over a file that is there."""

    code = "PS-610"
    hint = "Give another name, or remove the file."


class NotForThisStore(PenstockError):
    """A command does something that this kind of database does by its own tools."""

    code = "PS-611"


class FlowElsewhere(PenstockError):
    """A flow stands among texts that are all to be of another namespace."""

    code = "PS-612"


class UnknownBranch(PenstockError):
    """The settings name no branch so that flows come from."""

    code = "PS-613"
    hint = "The key `git` of penstock.yaml names them."
