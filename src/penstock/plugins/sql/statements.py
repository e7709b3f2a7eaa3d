"""Where does a statement end, and where does a parameter stand? SQL is cut and bound outside of quotes."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from penstock.sdk.task import TaskFailed

TOKEN: Final = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*)
    | (?P<escape>\b[eE]'(?:[^'\\]|\\.|'')*')
    | (?P<text>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*"|`[^`]*`)
    | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$)
    | (?P<cast>::|:=)
    | (?P<parameter>:[A-Za-z_]\w*)
    | (?P<question>\?)
    | (?P<percent>%)
    | (?P<end>;)
    | (?P<word>[A-Za-z_][\w$]*)
    """,
    re.VERBOSE | re.DOTALL,
)
PLAIN: Final = re.compile(r"[A-Za-z_][\w$]*")


class Style(enum.StrEnum):
    """How a driver wants a named parameter written: `%(name)s`, `:name`, `$name`."""

    PYFORMAT = "pyformat"
    COLON = "colon"
    DOLLAR = "dollar"


def split(sql: str) -> list[str]:
    """The statements of a text, without what ends them; a trigger's or procedure's BEGIN … END stays whole."""
    statements: list[str] = []
    start = depth = 0
    words: list[str] = []
    for kind, text, begin, end in tokens(sql):
        if kind == "word":
            depth = max(0, depth + _depth(text.upper(), words))
            words.append(text.upper())
        elif kind == "end" and depth == 0:
            statements.append(sql[start:begin].strip())
            start, words = end, []
    statements.append(sql[start:].strip())
    return [statement for statement in statements if bare(statement)]


def bare(sql: str) -> str:
    """A statement without comments and space around."""
    kept: list[str] = []
    last = 0
    for kind, _, begin, end in tokens(sql):
        if kind == "comment":
            kept.append(sql[last:begin])
            last = end
    return "".join([*kept, sql[last:]]).strip()


def bind(sql: str, parameters: Mapping[str, object], style: Style) -> str:
    """A statement with its `:name` parameters written as the driver wants them; only those that are given count."""
    if not parameters:
        return sql

    def write(kind: str, text: str) -> str:
        if kind == "parameter" and text[1:] in parameters:
            match style:
                case Style.PYFORMAT:
                    return f"%({text[1:]})s"
                case Style.COLON:
                    return text
                case Style.DOLLAR:
                    return f"${text[1:]}"
        return text

    return _rewrite(sql, write, double_percent=style is Style.PYFORMAT)


def positional(sql: str, style: Style) -> str:
    """A statement with its `?` placeholders written as the driver wants them."""
    if style is not Style.PYFORMAT:
        return sql
    return _rewrite(sql, lambda kind, text: "%s" if kind == "question" else text, double_percent=True)


def used(sql: str, parameters: Mapping[str, object]) -> dict[str, object]:
    """Those of the parameters that a statement names."""
    names = {text[1:] for kind, text, *_ in tokens(sql) if kind == "parameter"}
    return {name: value for name, value in parameters.items() if name in names}


def identifier(name: str) -> str:
    """A table's or procedure's name, with its schema, safe to stand in a statement; plain and quoted parts stay."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^."]+', name.strip())
    if not parts or ".".join(parts) != name.strip():
        raise TaskFailed(f'"{name}" cannot name anything in a database.')
    return ".".join(part if PLAIN.fullmatch(part) or part[0] == '"' else quoted(part, '"') for part in parts)


def quoted(text: str, mark: str = "'") -> str:
    """A text between quotation marks, those inside doubled."""
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def tokens(sql: str) -> Iterator[tuple[str, str, int, int]]:
    """What matters of a text: kind, text, begin, end; quoted parts and comments come as one."""
    at = 0
    while match := TOKEN.search(sql, at):
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


def _rewrite(sql: str, write: Callable[[str, str], str], *, double_percent: bool) -> str:
    parts: list[str] = []
    last = 0
    for kind, text, begin, end in tokens(sql):
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
