"""Where does a statement end? At its `;`, unless that is one of a block, of a batch, or the client has another mark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from penstock.plugins.sql.statements import STANDARD, Grammar, Lexis, bare, tokens

END: Final = ";"
SLASH: Final = re.compile(r"^[ \t]*/[ \t]*$", re.MULTILINE)
PLSQL: Final = re.compile(
    r"(?:BEGIN|DECLARE)\b|CREATE\s+(?:OR\s+REPLACE\s+)?(?:\w+\s+)?(?:FUNCTION|PROCEDURE|PACKAGE|TRIGGER|TYPE)\b",
    re.IGNORECASE,
)
DELIMITER: Final = re.compile(r"DELIMITER[ \t]+(\S+)[^\n]*", re.IGNORECASE)
GO: Final = re.compile(r"^[ \t]*GO(?:[ \t]+(\d+))?[ \t]*;?[ \t]*(?:--[^\n]*)?$", re.IGNORECASE | re.MULTILINE)
TO_THE_END: Final = re.compile(
    r"(?:CREATE(?:\s+OR\s+ALTER)?|ALTER)\s+(?:PROC|PROCEDURE|FUNCTION|TRIGGER|VIEW)\b", re.IGNORECASE
)
VARIABLE: Final = re.compile(r"DECLARE\s+@", re.IGNORECASE)
# What is made by CREATE and has statements inside, and what has none, whatever its parts are called.
ROUTINES: Final = frozenset({"FUNCTION", "PROCEDURE", "TRIGGER", "EVENT", "TASK"})
OTHERS: Final = frozenset(
    {"TABLE", "VIEW", "INDEX", "DATABASE", "SCHEMA", "USER", "ROLE", "SEQUENCE", "TYPE", "DOMAIN", "STAGE", "STREAM"}
)
LOOPS: Final = frozenset({"IF", "WHILE", "LOOP", "REPEAT", "FOR"})
CLOSED: Final = LOOPS | {"CASE"}
# After these a statement of a block begins; IF and REPEAT elsewhere are functions.
INSIDE: Final = frozenset({END, ":", "BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT", "SQLEXCEPTION", "FOUND"})
# After these the body of a routine may begin that has no BEGIN.
HEAD: Final = frozenset({")", "'", "ROW", "DETERMINISTIC", "DATA", "SQL", "DEFINER", "INVOKER", "DO", ":"})
# After these BEGIN and END are names of something.
QUERYING: Final = frozenset({"SELECT", "DISTINCT", "WHERE", "AND", "OR", "BY", "SET", "IN", "OUT", "INOUT", "VARIADIC"})
NAMING: Final = frozenset({*ROUTINES, *QUERYING, "EXISTS", *".@#,=<>+-*/(%|&!"})
NO_BLOCK: Final = frozenset({"TRAN", "TRANSACTION", "DISTRIBUTED", "DIALOG", "CONVERSATION", "WORK", "NAME"})


def split(sql: str, lexis: Lexis = STANDARD) -> list[str]:
    """The statements of a text, without what ends them; a compound statement stays whole."""
    match lexis.grammar:
        case Grammar.BATCHES:
            found = [each for batch in _batches(sql, lexis) for each in _of_batch(batch, lexis)]
        case Grammar.SLASHES:
            found = [each for part in SLASH.split(sql) for each in _of_script(part, lexis)]
        case Grammar.STANDARD | Grammar.CLIENT | Grammar.SCRIPTS:
            found = list(_of_script(sql, lexis))
    return [statement.strip() for statement in found if bare(statement, lexis)]


def _of_script(sql: str, lexis: Lexis) -> Iterator[str]:
    start = at = 0
    mark = END
    blocks = _Blocks(sql, lexis)
    while token := next(tokens(sql, lexis, at, mark), None):
        kind, text, begin, end = token
        if kind == "word" and blocks.first and lexis.grammar is Grammar.SLASHES and PLSQL.match(sql, begin):
            break  # what stands in a block of PL/SQL is not ours to cut, and its last `;` belongs to it
        if lexis.grammar is Grammar.CLIENT and text.upper() == "DELIMITER" and (said := _delimiter(sql, begin)):
            yield sql[start:begin]
            mark, start, blocks = said[1], said.end(), _Blocks(sql, lexis)
        elif kind == "end" and (mark != END or not blocks.open):
            yield sql[start:begin]
            start, blocks = end, _Blocks(sql, lexis)
        else:
            blocks.read(kind, text.upper(), sql[at:begin].strip(), end)
        at = max(start, end)
    yield sql[start:]


def _delimiter(sql: str, at: int) -> re.Match[str] | None:
    """What the client is told of its mark, in a line of its own."""
    return None if sql[sql.rfind("\n", 0, at) + 1 : at].strip() else DELIMITER.match(sql, at)


class _Blocks:
    """The blocks of one statement that are open, as far as it has been read; `first` until there was a word."""

    def __init__(self, sql: str, lexis: Lexis) -> None:
        self.open: list[str] = []
        self.first = True
        self._sql = sql
        self._lexis = lexis
        self._before = END
        self._makes = self._routine = False

    def read(self, kind: str, text: str, gap: str, end: int) -> None:
        """Go on by a token, with what stands before it."""
        if gap:
            self._before = gap[-1]
        if kind == "parameter" and not gap and self._lexis.grammar is Grammar.CLIENT and self._before[-1].isalnum():
            kind, text, self._before = "word", text[1:], ":"  # no parameter: what follows a label at once
        match kind:
            case "word":
                self._word(text, end)
                self.first = False
            case "comment":
                pass
            case "cast":
                self._before = "="
            case _:
                self._before = "'" if kind in ("text", "escape", "dollar") else END if kind == "end" else "`"

    def _word(self, word: str, end: int) -> None:
        before, self._before = self._before, word
        if before in (".", "@") or (before == "END" and word in CLOSED):
            self._before = "`"
        elif self.first:
            self._makes = word in ("CREATE", "ALTER")
            if self._stands_alone(word, end):
                self.open.append(word)
        elif self._makes and not self._routine and word in ROUTINES | OTHERS:
            self._makes = self._routine = word in ROUTINES
        elif self._routine or self.open:
            self._inside(word, before)

    def _inside(self, word: str, before: str) -> None:
        begins = before in INSIDE if self.open else before in HEAD
        if before in ("THEN", "ELSE") and self.open and self.open[-1] == "choice":
            begins = False
        match word:
            case "CASE":
                self.open.append("CASE" if begins else "choice")
            case "BEGIN" if before not in NAMING:
                if self.open and self.open[-1] == "DECLARE":
                    self.open.pop()
                self.open.append(word)
            case "END" if before not in NAMING and self.open:
                self.open.pop()
            case "DECLARE" if self._lexis.grammar is Grammar.SCRIPTS and (begins or before == "AS"):
                self.open.append(word)
            case "FOR" if not self.open:
                pass  # of a trigger: for each row
            case _ if word in LOOPS and begins:
                self.open.append(word)

    def _stands_alone(self, word: str, end: int) -> bool:
        """Whether a statement that begins so is a block, without a routine around it."""
        match self._lexis.grammar:
            case Grammar.CLIENT if word == "BEGIN":
                return _next_word(self._sql, end, self._lexis) == "NOT"
            case Grammar.SCRIPTS if word == "BEGIN":
                return _next_word(self._sql, end, self._lexis) not in NO_BLOCK | {""}
            case Grammar.CLIENT:
                return word in CLOSED
            case Grammar.SCRIPTS:
                return word in CLOSED or word == "DECLARE"
            case _:
                return False


def _batches(sql: str, lexis: Lexis) -> Iterator[str]:
    """What stands between lines of GO, as often as they say."""
    start = 0
    for kind, text, begin, _ in tokens(sql, lexis):
        if kind == "word" and text.upper() == "GO" and begin >= start:
            line = sql.rfind("\n", 0, begin) + 1
            if said := GO.match(sql, line):
                yield from [sql[start:line]] * int(said[1] or 1)
                start = said.end()
    yield sql[start:]


def _of_batch(sql: str, lexis: Lexis) -> list[str]:
    """The statements of a batch of T-SQL. Variables, and what RETURN leaves out, end with the batch: so does what has
    them, since each statement is sent as a batch of its own.
    """
    parts: list[str] = []
    start = last = depth = 0
    first, before = True, ""
    for kind, text, begin, end in tokens(sql, lexis):
        word = text.upper() if kind == "word" and not sql[last:begin].endswith(("@", ".", "#")) else ""
        last = end
        if word == "GOTO":
            return [sql]
        if word == "RETURN" or (word == "DECLARE" and VARIABLE.match(sql, begin)):
            break
        if first and word and TO_THE_END.match(sql, begin):
            break
        following = _next_word(sql, end, lexis) if word in ("BEGIN", "END") or kind == "end" else ""
        if word == "CASE" or (word == "BEGIN" and following not in NO_BLOCK):
            depth += 1
        elif word == "END" and following != "CONVERSATION":
            depth = max(0, depth - 1)
        if kind == "end" and not depth and following != "ELSE" and before != "TRY":
            parts.append(sql[start:begin])
            start, first, before = end, True, ""
        elif word:
            first, before = False, word
    return [*parts, sql[start:]]


def _next_word(sql: str, at: int, lexis: Lexis) -> str:
    """The word that comes next, in capitals; empty when something else does."""
    for kind, text, begin, end in tokens(sql, lexis, at):
        if sql[at:begin].strip():
            break
        if kind != "comment":
            return text.upper() if kind == "word" else ""
        at = end
    return ""
