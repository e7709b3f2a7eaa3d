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
LINE_IN: Final = re.compile(r"\bline (\d+)\b")


class Statement(msgspec.Struct, frozen=True):
    """One statement with the line on which it begins, from 1; `becomes_job` where Flink makes a job of it."""

    text: str
    line: int
    becomes_job: bool

    @property
    def head(self) -> str:
        """Its beginning, for people."""
        said = " ".join(self.text.split())
        return said if len(said) <= 60 else f"{said[:59]}…"

    def place(self, cause: str) -> str:
        """What Flink says of it, with its lines as lines of the script."""
        return LINE_IN.sub(lambda match: f"line {int(match[1]) + self.line - 1}", cause)


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
    text = text[first:].strip()
    word = re.match(r"\w+", text)
    job = (word is not None and word[0].upper() in WRITES) or bool(SET_OF.match(text) or AS_SELECT.match(text))
    found.append(Statement(text, line, job))
