"""What matters in a text of SQL, and where does a parameter stand? Quotes and comments are passed by."""

from __future__ import annotations

import enum
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

STANDARD_QUOTES: Final = r"""
    | (?P<text>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*"|`[^`]*`)"""
BRACKETS: Final = r"|\[(?:[^\]]|\]\])*\]"
BACKSLASH_QUOTES: Final = r"""
    | (?P<text>'(?:[^'\\]|\\.|'')*')
    | (?P<name>"(?:[^"\\]|\\.|"")*"|`[^`]*`)"""
TOKENS: Final = r"""
      (?P<comment>{comment})
    | (?P<escape>\b[eE]'(?:[^'\\]|\\.|'')*'){quotes}
    | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$)
    | (?P<cast>::|:=)
    | (?P<parameter>:[A-Za-z_]\w*)
    | (?P<question>\?)
    | (?P<percent>%)
    | (?P<word>[A-Za-z_](?:(?!{mark})[\w$])*)
    """

# Statements that begin so change nothing, so that their rows may be taken while others come.
READS: Final = frozenset({"SELECT", "TABLE", "VALUES"})


class Style(enum.StrEnum):
    """How a driver wants parameters: `%(name)s`, `:name`, `$name`, `?`, `:name` (and `:1` for those in order)."""

    PYFORMAT = "pyformat"
    COLON = "colon"
    DOLLAR = "dollar"
    QMARK = "qmark"
    NUMBERED = "numbered"


class Grammar(enum.StrEnum):
    """How statements end: by `;` but for the bodies of routines; likewise, and as MySQL's client is told; likewise, and
    blocks that stand alone, as Snowflake has them; blocks by a line with a slash; batches by a line with GO.
    """

    STANDARD = "standard"
    CLIENT = "client"
    SCRIPTS = "scripts"
    SLASHES = "slashes"
    BATCHES = "batches"


class Lexis(msgspec.Struct, frozen=True):
    """In which way a database's text differs: `\\'` in quotes, MySQL's comments, how statements end."""

    backslash: bool = False
    hash_comments: bool = False
    grammar: Grammar = Grammar.STANDARD


STANDARD: Final = Lexis()


def pattern(lexis: Lexis, mark: str = ";") -> re.Pattern[str]:
    """What matters of a text in a database's words; `mark` is what ends a statement."""
    # What MySQL reads and others do not, `/*! … */`, is no comment.
    comment = r"--(?=\s|\Z)[^\n]*|\#[^\n]*|/\*(?!M?!)" if lexis.hash_comments else r"--[^\n]*|/\*"
    quotes = BACKSLASH_QUOTES if lexis.backslash else STANDARD_QUOTES
    if lexis.grammar is Grammar.BATCHES:
        quotes = quotes.removesuffix(")") + BRACKETS + ")"
    text = TOKENS.replace("{comment}", comment).replace("{quotes}", quotes).replace("{mark}", re.escape(mark))
    return re.compile(f"(?P<end>{re.escape(mark)}) | {text}", re.VERBOSE | re.DOTALL)


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


def tokens(sql: str, lexis: Lexis = STANDARD, at: int = 0, mark: str = ";") -> Iterator[tuple[str, str, int, int]]:
    """What matters of a text: kind, text, begin, end; quoted parts and comments come as one."""
    find = pattern(lexis, mark).search
    while match := find(sql, at):
        kind = match.lastgroup or ""
        end = match.end()
        if match["dollar"] is not None:
            kind = "text"
            close = sql.find(match[0], end)
            end = len(sql) if close < 0 else close + len(match[0])
        elif match["comment"] == "/*":
            end = _comment_end(sql, end, nested=not lexis.hash_comments)
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


def _comment_end(sql: str, at: int, *, nested: bool) -> int:
    depth = 1
    while depth and (match := re.compile(r"/\*|\*/").search(sql, at)):
        depth += -1 if match[0] == "*/" else int(nested)
        at = match.end()
    return at if depth == 0 else len(sql)
