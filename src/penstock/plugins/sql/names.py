"""How is a name written in a statement? As it is where that is safe, else between the database's own marks."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from penstock.plugins.sql.reserved import RESERVED
from penstock.sdk.task import TaskFailed

# What every database takes as it is, unless it is a word of its own.
PLAIN: Final = re.compile(r"[a-z_][a-z0-9_$]*")


class Naming(msgspec.Struct, frozen=True):
    """What a database puts around a name that is no plain one, and which plain ones are none; `marks` are one sign, or
    one that opens and one that closes.
    """

    marks: str = '"'
    reserved: frozenset[str] = RESERVED

    def quoted(self, name: str) -> str:
        """A name between the marks, whatever is in it."""
        opens, closes = self.marks[0], self.marks[-1]
        return f"{opens}{name.replace(closes, closes * 2)}{closes}"


USUAL: Final = Naming()


def identifier(name: str, naming: Naming = USUAL) -> str:
    """The name of a table or a procedure, its schema before it, safe to stand in a statement."""
    outside = re.escape(f'."{naming.marks}')
    parts = re.findall(rf"{_between(naming.marks)}|{_between(USUAL.marks)}|[^{outside}]+", name.strip())
    if not parts or ".".join(parts) != name.strip():
        raise TaskFailed(f'"{name}" cannot name anything in a database.')
    return ".".join(column(part, naming) for part in parts)


def column(name: str, naming: Naming = USUAL) -> str:
    """One name, safe to stand in a statement: exactly as it is given, so between marks unless it is in lower case and
    no reserved word. One that is between marks already stays, between the usual ones it gets the database's own.
    """
    if re.fullmatch(_between(naming.marks), name):
        return name
    if re.fullmatch(_between(USUAL.marks), name):
        return naming.quoted(name[1:-1].replace('""', '"'))
    return name if PLAIN.fullmatch(name) and name not in naming.reserved else naming.quoted(name)


def text(content: str) -> str:
    """A text between quotation marks, those inside doubled."""
    return "'" + content.replace("'", "''") + "'"


def _between(marks: str) -> str:
    opens, closes = re.escape(marks[0]), re.escape(marks[-1])
    return rf"{opens}(?:[^{closes}]|{closes}{closes})*{closes}"
