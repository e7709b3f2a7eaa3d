"""How do the SQL task types speak to all databases with one voice? A session, open for a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from penstock.plugins.sql.address import Address, Database
from penstock.plugins.sql.arguments import Login
from penstock.plugins.sql.dialects import DIALECTS
from penstock.plugins.sql.duck import DuckSession
from penstock.plugins.sql.lite import LiteSession
from penstock.plugins.sql.postgres import PostgresSession
from penstock.plugins.sql.served import ServedSession
from penstock.plugins.sql.statements import Style
from penstock.sdk.context import Context


class Answer(Protocol):
    """What a statement gave: names of columns (none when it gives no rows), the rows as they come, rows changed."""

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def changed(self) -> int: ...

    def rows(self) -> Iterator[Sequence[object]]: ...


class Session(Protocol):
    """One connection; work since the last commit is undone when it is closed."""

    style: Style

    def execute(self, sql: str, parameters: Mapping[str, object], size: int) -> Answer: ...

    def stream(self, sql: str, parameters: Mapping[str, object], size: int) -> Answer: ...

    def many(self, sql: str, rows: Sequence[Sequence[object]]) -> int: ...

    def commit(self) -> None: ...

    def close(self) -> None: ...


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """How a session is opened: `autocommit` for statements that no transaction may hold, `more` for what only one
    database's tasks can say.
    """

    address: Address
    username: str = ""
    password: str = ""
    files: dict[str, Path] = {}
    autocommit: bool = False
    read_only: bool = False
    more: dict[str, str] = {}


def open_session(opening: Opening, context: Context) -> Session:
    """Open a session at an address."""
    address = opening.address
    match address.database:
        case Database.POSTGRES | Database.REDSHIFT:
            about = context.about
            options = {"application_name": f"penstock {about.flow}/{about.step}"[:63], **address.options}
            for name, value in (("user", opening.username), ("password", opening.password)):
                if value:
                    options[name] = value
            options.update({name: str(path) for name, path in opening.files.items()})
            return PostgresSession(address.conninfo, options, opening.autocommit, context.log)
        case Database.SQLITE:
            return LiteSession(_path(address, context), opening.autocommit)
        case Database.DUCKDB:
            return DuckSession(_path(address, context), opening.autocommit)
        case _:
            login = Login(
                username=opening.username,
                password=opening.password,
                autocommit=opening.autocommit,
                more=opening.more,
                workdir=str(context.workdir),
            )
            return ServedSession(DIALECTS[address.database], address.place, login)


def _path(address: Address, context: Context) -> str:
    return str(context.workdir / address.path) if address.path else ":memory:"
