"""Where does a named query come from, and how does each database see it?

A query is named `noun.name`; its text stands in `sql/noun.sql`, or in `sql/<database>/noun.sql` where the words differ.
`:name` is a value, `IN :names[]` a list of values. `noun.name+clause` puts clauses of the same file at `/*and*/`: that
query's own (`name+clause`), or those that serve every query of the file (`any+clause`).
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Final

import msgspec

FOLDER: Final = Path(__file__).parent / "sql"
NAME: Final = re.compile(r"^-- name: ([\w+]+)\n", re.MULTILINE)
REMARK: Final = re.compile(r"^--.*\n", re.MULTILINE)
LIST: Final = re.compile(r"\bIN :(\w+)\[\]")
VALUE: Final = re.compile(r"(?<![:\w]):([a-z_]\w*)")
OVERWRITES: Final = re.compile(r"ON CONFLICT \(([^)]*)\) DO UPDATE")


class Statement(msgspec.Struct, frozen=True):
    """A query as one database's driver takes it, and which of its values are lists."""

    text: str
    lists: tuple[str, ...]


class Numbered(msgspec.Struct, frozen=True):
    """A query whose values are numbered ($1, $2 …), with their names in that order.

    Of one spread over several rows these are the names of a single row: each row has as many numbers of its own.
    """

    text: str
    names: tuple[str, ...]


@functools.cache
def statement(kind: str, name: str) -> Statement:
    """Give the query of this name for `sqlite` or `postgres`; KeyError when there is none."""
    text = _named(kind, name)
    lists = tuple(dict.fromkeys(LIST.findall(text)))
    if kind == "sqlite":
        return Statement(LIST.sub(r"IN (SELECT value FROM json_each(:\1))", text), lists)
    text = LIST.sub(r"= ANY(:\1)", text.replace("%", "%%"))
    return Statement(VALUE.sub(r"%(\1)s", text), lists)


@functools.cache
def numbered(name: str) -> Numbered:
    """Give a query as PostgreSQL itself writes it: nothing of it is looked at again when it is sent."""
    text = LIST.sub(r"= ANY(:\1)", _named("postgres", name))
    names = tuple(dict.fromkeys(VALUE.findall(text)))
    return Numbered(VALUE.sub(lambda found: f"${names.index(found[1]) + 1}", text), names)


@functools.cache
def spread(name: str, rows: int) -> Numbered | None:
    """Give an INSERT of so many rows at once; nothing for a query that is no plain INSERT … VALUES (…)."""
    text = _named("postgres", name)
    start = text.find("VALUES (")
    if start < 0:
        return None
    start += len("VALUES ")
    end = _closing(text, start) + 1
    head, row, tail = text[:start], text[start:end], text[end:]
    if VALUE.search(head) or VALUE.search(tail):
        return None
    names = tuple(dict.fromkeys(VALUE.findall(row)))

    def of_row(number: int) -> str:
        return VALUE.sub(lambda found: f"${number * len(names) + names.index(found[1]) + 1}", row)

    return Numbered(head + ", ".join(map(of_row, range(rows))) + tail, names)


@functools.cache
def key_of(name: str) -> tuple[str, ...] | None:
    """Name the columns by which an INSERT finds the row that it overwrites; nothing for one that overwrites none."""
    found = OVERWRITES.search(_named("postgres", name))
    return tuple(found[1].split(", ")) if found else None


def _named(kind: str, name: str) -> str:
    noun, _, rest = name.partition(".")
    head, *clauses = rest.split("+")
    texts = texts_of(kind, noun)
    found = [texts.get(f"{head}+{clause}") or texts[f"any+{clause}"] for clause in clauses]
    return texts[head].replace("/*and*/", "".join(f"\n  AND {text}" for text in found))


def _closing(text: str, start: int) -> int:
    """Where the bracket that opens at `start` closes."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if not depth:
            return place
    raise AssertionError("a query's brackets match")


@functools.cache
def texts_of(kind: str, noun: str) -> dict[str, str]:
    """Every query of a noun by name, the database's own words in the place of the shared ones."""
    texts: dict[str, str] = {}
    for path in (FOLDER / f"{noun}.sql", FOLDER / kind / f"{noun}.sql"):
        if path.exists():
            _, *parts = NAME.split(path.read_text(encoding="utf-8"))
            texts |= {name: REMARK.sub("", text).strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}
    return texts
