"""Of which statements does a script consist, and on which line of it does each begin?"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from penstock.plugins.sql.statements import tokens

# INSERT and its kin, and EXPLAIN-less sets of them, become jobs; CREATE TABLE … AS SELECT does, too.
WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE"})
SET_OF: Final = re.compile(r"(?:EXECUTE\s+STATEMENT\s+SET\b|BEGIN\s+STATEMENT\s+SET\b)", re.IGNORECASE)
AS_SELECT: Final = re.compile(r"(?is)CREATE\s+(?:OR\s+REPLACE\s+)?TABLE\b.*\bAS\s+(?:SELECT|WITH)\b")
PLACE_IN: Final = re.compile(r"\bline (\d+)(?:, column (\d+))?")
BEGINS: Final = re.compile(r"BEGIN\s+STATEMENT\s+SET\b", re.IGNORECASE)
EXECUTE: Final = re.compile(r"EXECUTE(?=\s+STATEMENT\s+SET\b)", re.IGNORECASE)


class Statement(msgspec.Struct, frozen=True):
    """One statement with the line and the column where it begins, from 1; `becomes_job`: Flink makes a job of it."""

    text: str
    line: int
    becomes_job: bool
    column: int = 1

    @property
    def where(self) -> str:
        """Where it begins, for people."""
        return f"line {self.line}, column {self.column}" if self.column > 1 else f"line {self.line}"

    @property
    def explained(self) -> Statement | None:
        """The statement that has Flink plan this one, and do nothing; each word stands where it stood. None where Flink
        has none: `BEGIN STATEMENT SET`.
        """
        if BEGINS.match(self.text):
            return None
        text = EXECUTE.sub(lambda match: " " * len(match[0]), self.text, count=1)
        return Statement(f"EXPLAIN\n{' ' * (self.column - 1)}{text}", self.line - 1, False)

    @property
    def head(self) -> str:
        """Its beginning, for people."""
        said = " ".join(self.text.split())
        return said if len(said) <= 60 else f"{said[:59]}…"

    def place(self, cause: str) -> str:
        """What Flink says of it, with its places as places of the script."""

        def placed(match: re.Match[str]) -> str:
            line, column = int(match[1]), match[2]
            if column is not None and line == 1:
                column = str(int(column) + self.column - 1)
            return f"line {line + self.line - 1}" + (f", column {column}" if column is not None else "")

        return PLACE_IN.sub(placed, cause)

    def shown(self, cause: str) -> str:
        """The line of it that an error tells of, with a mark below its column; empty where it tells of none."""
        places = [match for match in PLACE_IN.finditer(cause) if match[2] is not None]
        lines = self.text.splitlines()
        if not places or not 0 <= (number := int(places[-1][1]) - self.line) < len(lines):
            return ""
        # its first line begins within a line of the script
        before = " " * (self.column - 1) if number == 0 else ""
        line, column = f"{before}{lines[number]}", int(places[-1][2])
        return f"{places[-1][1]:>5} │ {line}\n      │ {' ' * (column - 1)}^"


def statements(script: str) -> list[Statement]:
    """The statements of a script, without what ends them; a set of statements is one, hints stay where they are."""
    found: list[Statement] = []
    start, within, after_end = 0, False, False
    for kind, text, begin, end in tokens(script):
        match kind:
            case "comment":
                pass
            case "end" if within:
                after_end = True
            case "end":
                _add(found, script, start, begin)
                start = end
            case _:
                # the END of a set follows a `;`, that of a CASE does not
                within = (within or SET_OF.match(script, begin) is not None) and not (
                    after_end and text.upper() == "END"
                )
                after_end = False
    _add(found, script, start, len(script))
    return found


def _add(found: list[Statement], script: str, start: int, end: int) -> None:
    text = script[start:end]
    first = next((begin for kind, _, begin, _ in tokens(text) if kind == "word"), None)
    if first is None:
        return
    # a comment before it is not a part of it, one within is
    line = script.count("\n", 0, start + first) + 1
    column = start + first - (script.rfind("\n", 0, start + first) + 1) + 1
    text = text[first:].strip()
    word = re.match(r"\w+", text)
    job = (word is not None and word[0].upper() in WRITES) or bool(SET_OF.match(text) or AS_SELECT.match(text))
    found.append(Statement(text, line, job, column))
