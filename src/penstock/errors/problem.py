"""What does a problem in somebody's text look like? A frozen value: code, sentence, place, hint."""

from __future__ import annotations

import enum

import msgspec


class Severity(enum.StrEnum):
    """How bad a problem is: an error blocks, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Place(msgspec.Struct, frozen=True):
    """Where in a text: line and column count from 1; `text` is the whole line, for the caret."""

    line: int
    column: int
    file: str = ""
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.file else f"line {self.line}, column {self.column}"


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong with a text; all problems of a file are reported together."""

    code: str
    sentence: str
    place: Place | None = None
    hint: str = ""
    severity: Severity = Severity.ERROR
    path: str = ""
