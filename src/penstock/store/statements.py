"""Where does a named query come from, and how does each database see it?

A query is named `noun.name`; its text stands in `sql/noun.sql`, or in `sql/<database>/noun.sql` where the words differ.
`:name` is a value, `IN :names[]` a list of values. `noun.name+clause` puts clauses of the same file at `/*and*/`.
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


class Statement(msgspec.Struct, frozen=True):
    """A query as one database's driver takes it, and which of its values are lists."""

    text: str
    lists: tuple[str, ...]


@functools.cache
def statement(kind: str, name: str) -> Statement:
    """Give the query of this name for `sqlite` or `postgres`; KeyError when there is none."""
    noun, _, rest = name.partition(".")
    head, *clauses = rest.split("+")
    texts = texts_of(kind, noun)
    text = texts[head].replace("/*and*/", "".join(f"\n  AND {texts[f'{head}+{clause}']}" for clause in clauses))
    lists = tuple(dict.fromkeys(LIST.findall(text)))
    if kind == "sqlite":
        return Statement(LIST.sub(r"IN (SELECT value FROM json_each(:\1))", text), lists)
    text = LIST.sub(r"= ANY(:\1)", text.replace("%", "%%"))
    return Statement(VALUE.sub(r"%(\1)s", text), lists)


@functools.cache
def texts_of(kind: str, noun: str) -> dict[str, str]:
    """Every query of a noun by name, the database's own words in the place of the shared ones."""
    texts: dict[str, str] = {}
    for path in (FOLDER / f"{noun}.sql", FOLDER / kind / f"{noun}.sql"):
        if path.exists():
            _, *parts = NAME.split(path.read_text(encoding="utf-8"))
            texts |= {name: REMARK.sub("", text).strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}
    return texts
