"""How is SQLite spoken to? Through the standard library, one file or memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from penstock.plugins.sql.statements import Style, bind
from penstock.sdk.task import TaskFailed


class LiteAnswer:
    """A cursor's answer; open while its session is."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, none when the statement gives no rows."""
        return tuple(column[0] for column in self._cursor.description or ())

    @property
    def changed(self) -> int:
        """Rows that the statement changed."""
        return max(self._cursor.rowcount, 0)

    def rows(self) -> Iterator[Sequence[object]]:
        """The rows as they come."""
        try:
            yield from self._cursor
        except sqlite3.Error as error:
            raise TaskFailed(str(error)) from error


class LiteSession:
    """One connection to SQLite; a transaction begins with the first statement and ends with commit."""

    style = Style.COLON

    def __init__(self, path: str, autocommit: bool) -> None:
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=60)
            if not autocommit:
                self._connection.execute("BEGIN")
        except sqlite3.Error as error:
            raise TaskFailed(f'SQLite cannot open "{path}": {error}.') from error
        self._autocommit = autocommit

    def execute(self, sql: str, parameters: Mapping[str, object], size: int) -> LiteAnswer:
        """Run one statement."""
        try:
            cursor = self._connection.execute(
                bind(sql, parameters, self.style), {name: _cell(value) for name, value in parameters.items()}
            )
        except sqlite3.Error as error:
            raise TaskFailed(str(error)) from error
        cursor.arraysize = size
        return LiteAnswer(cursor)

    stream = execute

    def many(self, sql: str, rows: Sequence[Sequence[object]]) -> int:
        """Run one statement for each row; gives the rows changed."""
        try:
            return max(self._connection.executemany(sql, [[_cell(cell) for cell in row] for row in rows]).rowcount, 0)
        except sqlite3.Error as error:
            raise TaskFailed(str(error)) from error

    def commit(self) -> None:
        """Make the work last, and begin the next transaction."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
            if not self._autocommit:
                self._connection.execute("BEGIN")
        except sqlite3.Error as error:
            raise TaskFailed(str(error)) from error

    def close(self) -> None:
        """End the connection; what is not committed is undone."""
        self._connection.close()


def _cell(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list) else value
