"""Where does a statement end, and where does a parameter stand? SQL is cut and bound outside of quotes."""

from __future__ import annotations

import enum
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from penstock.sdk.task import TaskFailed

STANDARD_QUOTES: Final = r"""
    | (?P<text>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*"|`[^`]*`)"""
BACKSLASH_QUOTES: Final = r"""
    | (?P<text>'(?:[^'\\]|\\.|'')*')
    | (?P<name>"(?:[^"\\]|\\.|"")*"|`[^`]*`)"""
TOKENS: Final = r"""
      (?P<comment>{comment}|/\*)
    | (?P<escape>\b[eE]'(?:[^'\\]|\\.|'')*'){quotes}
    | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$)
    | (?P<cast>::|:=)
    | (?P<parameter>:[A-Za-z_]\w*)
    | (?P<question>\?)
    | (?P<percent>%)
    | (?P<end>;)
    | (?P<word>[A-Za-z_][\w$]*)
    """
PLAIN: Final = re.compile(r"[A-Za-z_][\w$]*")
BLOCK: Final = re.compile(
    r"(?:BEGIN|DECLARE)\b|CREATE\s+(?:OR\s+REPLACE\s+)?(?:\w+\s+)?(?:FUNCTION|PROCEDURE|PACKAGE|TRIGGER|TYPE)\b",
    re.IGNORECASE,
)
SLASH: Final = re.compile(r"^[ \t]*/[ \t]*$", re.MULTILINE)


class Style(enum.StrEnum):
    """How a driver wants parameters: `%(name)s`, `:name`, `$name`, `?`, `:name` (and `:1` for those in order)."""

    PYFORMAT = "pyformat"
    COLON = "colon"
    DOLLAR = "dollar"
    QMARK = "qmark"
    NUMBERED = "numbered"


class Lexis(msgspec.Struct, frozen=True):
    """In which way a database's text differs: `\\'` in quotes, `#` comments, blocks of BEGIN … END that stand alone."""

    backslash: bool = False
    hash_comments: bool = False
    blocks: bool = False


STANDARD: Final = Lexis()


def pattern(lexis: Lexis) -> re.Pattern[str]:
    """What matters of a text in a database's words."""
    comment = r"--(?=\s|\Z)[^\n]*|\#[^\n]*" if lexis.hash_comments else r"--[^\n]*"
    quotes = BACKSLASH_QUOTES if lexis.backslash else STANDARD_QUOTES
    text = TOKENS.replace("{comment}", comment).replace("{quotes}", quotes)
    return re.compile(text, re.VERBOSE | re.DOTALL)


def split(sql: str, lexis: Lexis = STANDARD) -> list[str]:
    """The statements of a text, without what ends them; a trigger's or procedure's BEGIN … END stays whole."""
    parts = SLASH.split(sql) if lexis.blocks else [sql]
    return [statement for part in parts for statement in _split(part, lexis) if bare(statement, lexis)]


def _split(sql: str, lexis: Lexis) -> list[str]:
    statements: list[str] = []
    start = depth = 0
    words: list[str] = []
    for kind, text, begin, end in tokens(sql, lexis):
        if kind == "word":
            if lexis.blocks and not words and BLOCK.match(sql, begin):
                # What stands in a block of PL/SQL is not ours to cut, and its last `;` belongs to it.
                return [*statements, sql[start:].strip()]
            depth = max(0, depth + _depth(text.upper(), words))
            words.append(text.upper())
        elif kind == "end" and depth == 0:
            statements.append(sql[start:begin].strip())
            start, words = end, []
    return [*statements, sql[start:].strip()]


def bare(sql: str, lexis: Lexis = STANDARD) -> str:
    """A statement without comments and space around."""
    kept: list[str] = []
    last = 0
    for kind, _, begin, end in tokens(sql, lexis):
        if kind == "comment":
            kept.append(sql[last:begin])
            last = end
    return "".join([*kept, sql[last:]]).strip()


def first_word(sql: str, lexis: Lexis = STANDARD) -> str:
    """The word that a statement begins with, in capitals; empty when it has none."""
    return next((text.upper() for kind, text, *_ in tokens(sql, lexis) if kind == "word"), "")


def bind(sql: str, parameters: Mapping[str, object], style: Style, lexis: Lexis = STANDARD) -> str:
    """A statement with its `:name` parameters written as the driver wants them; only those that are given count."""
    if not parameters:
        return sql

    def write(kind: str, text: str) -> str:
        if kind == "parameter" and text[1:] in parameters:
            match style:
                case Style.PYFORMAT:
                    return f"%({text[1:]})s"
                case Style.COLON | Style.NUMBERED:
                    return text
                case Style.DOLLAR:
                    return f"${text[1:]}"
                case Style.QMARK:
                    return "?"
        return text

    return _rewrite(sql, write, lexis, double_percent=style is Style.PYFORMAT)


def positional(sql: str, style: Style, lexis: Lexis = STANDARD) -> str:
    """A statement with its `?` placeholders written as the driver wants them."""
    if style not in (Style.PYFORMAT, Style.NUMBERED):
        return sql
    numbers = itertools.count(1)

    def write(kind: str, text: str) -> str:
        if kind != "question":
            return text
        return "%s" if style is Style.PYFORMAT else f":{next(numbers)}"

    return _rewrite(sql, write, lexis, double_percent=style is Style.PYFORMAT)


def used(sql: str, parameters: Mapping[str, object], lexis: Lexis = STANDARD) -> dict[str, object]:
    """Those of the parameters that a statement names."""
    names = set(named(sql, lexis))
    return {name: value for name, value in parameters.items() if name in names}


def named(sql: str, lexis: Lexis = STANDARD) -> list[str]:
    """The names of a statement's parameters as they come, each as often as it is written."""
    return [text[1:] for kind, text, *_ in tokens(sql, lexis) if kind == "parameter"]


def identifier(name: str, mark: str = '"') -> str:
    """A table's or procedure's name, with its schema, safe to stand in a statement; plain and quoted parts stay."""
    parts = re.findall(rf"{mark}(?:[^{mark}]|{mark}{mark})*{mark}|[^.{mark}]+", name.strip())
    if not parts or ".".join(parts) != name.strip():
        raise TaskFailed(f'"{name}" cannot name anything in a database.')
    return ".".join(part if PLAIN.fullmatch(part) or part[0] == mark else quoted(part, mark) for part in parts)


def quoted(text: str, mark: str = "'") -> str:
    """A text between quotation marks, those inside doubled."""
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def tokens(sql: str, lexis: Lexis = STANDARD) -> Iterator[tuple[str, str, int, int]]:
    """What matters of a text: kind, text, begin, end; quoted parts and comments come as one."""
    at = 0
    find = pattern(lexis).search
    while match := find(sql, at):
        kind = match.lastgroup or ""
        end = match.end()
        if match["dollar"] is not None:
            kind = "text"
            close = sql.find(match[0], end)
            end = len(sql) if close < 0 else close + len(match[0])
        elif match["comment"] == "/*":
            end = _comment_end(sql, end)
        yield kind, sql[match.start() : end], match.start(), end
        at = end


def _rewrite(sql: str, write: Callable[[str, str], str], lexis: Lexis, *, double_percent: bool) -> str:
    parts: list[str] = []
    last = 0
    for kind, text, begin, end in tokens(sql, lexis):
        parts.append(sql[last:begin])
        if kind in ("parameter", "question"):
            parts.append(write(kind, text))
        else:
            # psycopg reads % everywhere, in quoted text and comments too.
            parts.append(text.replace("%", "%%") if double_percent else text)
        last = end
    return "".join([*parts, sql[last:]])


def _comment_end(sql: str, at: int) -> int:
    depth = 1
    while depth and (match := re.compile(r"/\*|\*/").search(sql, at)):
        depth += 1 if match[0] == "/*" else -1
        at = match.end()
    return at if depth == 0 else len(sql)


def _depth(word: str, before: list[str]) -> int:
    """How a word changes the depth of BEGIN … END inside CREATE TRIGGER, PROCEDURE and FUNCTION."""
    if "CREATE" not in before[:1] or not {"TRIGGER", "PROCEDURE", "FUNCTION"} & set(before[:6]):
        return 0
    if word in ("BEGIN", "CASE"):
        return 1
    return -1 if word == "END" else 0
