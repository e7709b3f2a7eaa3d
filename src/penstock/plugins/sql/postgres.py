"""How is PostgreSQL spoken to? Through psycopg: parameters bound by the server, large results streamed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from penstock.errors.task import MissingExtra
from penstock.plugins.sql.statements import Style, bind, positional
from penstock.sdk.task import TaskFailed

if TYPE_CHECKING:
    import psycopg

LEVELS: Final = {"DEBUG": "debug", "LOG": "info", "INFO": "info", "NOTICE": "info", "WARNING": "warn"}
OUTSIDE: Final = (
    " It can run outside of a transaction: `autocommit: true`, or `transaction: false` where there is that."
)
HINTS: Final = {"2D000": OUTSIDE, "25001": OUTSIDE}


class PostgresAnswer:
    """A cursor's answer; open while its session is."""

    def __init__(self, cursor: psycopg.Cursor[Any], rows: Iterator[Sequence[object]] | None = None) -> None:
        self._cursor = cursor
        self._rows = rows

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, none when the statement gives no rows."""
        return tuple(column.name for column in self._cursor.description or ())

    @property
    def changed(self) -> int:
        """Rows that the statement changed."""
        return max(self._cursor.rowcount, 0)

    def rows(self) -> Iterator[Sequence[object]]:
        """The rows as they come."""
        return iter(self._cursor) if self._rows is None else self._rows


class PostgresSession:
    """One connection to PostgreSQL."""

    style = Style.PYFORMAT

    def __init__(
        self, conninfo: str, options: Mapping[str, str], autocommit: bool, log: Callable[[str, str], None]
    ) -> None:
        library = driver()
        try:
            self.connection: psycopg.Connection[Any] = library.connect(conninfo, autocommit=True, **options)
        except library.Error as error:
            raise TaskFailed(f"PostgreSQL cannot be reached: {_told(error)}") from error
        self.connection.add_notice_handler(
            lambda notice: log(notice.message_primary or "", LEVELS.get(str(notice.severity_nonlocalized), "info"))
        )
        self._error: type[psycopg.Error] = library.Error
        self._json = library.types.json.Jsonb
        # A server that looks whether we are still there ends a statement whose task was killed.
        with contextlib.suppress(library.Error):
            self.connection.execute("SET client_connection_check_interval = '1s'")
        self.connection.autocommit = autocommit

    def execute(self, sql: str, parameters: Mapping[str, object], size: int) -> PostgresAnswer:
        """Run one statement and take its whole answer."""
        cursor = self.connection.cursor()
        try:
            cursor.execute(bind(sql, parameters, self.style), self._bound(parameters))
        except self._error as error:
            raise TaskFailed(_told(error)) from error
        return PostgresAnswer(cursor)

    def stream(self, sql: str, parameters: Mapping[str, object], size: int) -> PostgresAnswer:
        """Run one statement whose rows arrive as they are read; the server keeps the rest."""
        cursor = self.connection.cursor()
        try:
            rows: Iterator[Sequence[object]] = cursor.stream(bind(sql, parameters, self.style), self._bound(parameters))
            first = next(rows, None)
        except self._error as error:
            raise TaskFailed(_told(error)) from error
        return PostgresAnswer(cursor, self._rest(first, rows))

    def many(self, sql: str, rows: Sequence[Sequence[object]]) -> int:
        """Run one statement for each row; gives the rows changed."""
        with self.connection.cursor() as cursor:
            try:
                cursor.executemany(positional(sql, self.style), [[self._cell(cell) for cell in row] for row in rows])
            except self._error as error:
                raise TaskFailed(_told(error)) from error
            return max(cursor.rowcount, 0)

    def commit(self) -> None:
        """Make the work last."""
        try:
            self.connection.commit()
        except self._error as error:
            raise TaskFailed(_told(error)) from error

    def close(self) -> None:
        """End the connection; what is not committed is undone."""
        self.connection.close()

    def _rest(self, first: Sequence[object] | None, rows: Iterator[Sequence[object]]) -> Iterator[Sequence[object]]:
        try:
            if first is not None:
                yield first
                yield from rows
        except self._error as error:
            raise TaskFailed(_told(error)) from error

    def _bound(self, parameters: Mapping[str, object]) -> dict[str, object] | None:
        return {name: self._cell(value) for name, value in parameters.items()} or None

    def _cell(self, value: object) -> object:
        """PostgreSQL takes lists as arrays; maps, and lists of them, as JSON."""
        holds_maps = isinstance(value, list) and any(isinstance(item, dict) for item in value)
        return self._json(value) if isinstance(value, dict) or holds_maps else value


def driver() -> Any:
    """The driver; MissingExtra when it is not installed."""
    try:
        import psycopg
    except ImportError:
        raise MissingExtra(
            "PostgreSQL needs the package psycopg.", hint="Install it with `pip install 'penstock[postgres]'`."
        ) from None
    return psycopg


def _told(error: psycopg.Error) -> str:
    about = error.diag
    parts = [about.message_primary or str(error).strip(), about.message_detail or "", about.message_hint or ""]
    code = f" ({about.sqlstate})" if about.sqlstate else ""
    return " ".join(part for part in parts if part) + code + HINTS.get(about.sqlstate or "", "")
