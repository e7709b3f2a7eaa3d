"""How is DuckDB spoken to? Through its own package, in this process, one file or memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penstock.errors.task import MissingExtra
from penstock.plugins.sql.statements import Style, bind
from penstock.sdk.task import TaskFailed

if TYPE_CHECKING:
    import duckdb


class DuckAnswer:
    """A result; open while its session is."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, size: int, *, only_counts: bool) -> None:
        self._connection = connection
        self._size = size
        self.columns = () if only_counts else tuple(column[0] for column in connection.description or ())
        first = connection.fetchone() if only_counts and connection.description else None
        self.changed = int(first[0]) if first else 0

    def rows(self) -> Iterator[Sequence[object]]:
        """The rows as they come."""
        while self.columns and (block := self._connection.fetchmany(self._size)):
            yield from block


class DuckSession:
    """One connection to DuckDB; a transaction begins at once and ends with commit."""

    style = Style.DOLLAR

    def __init__(self, path: str, autocommit: bool) -> None:
        library = driver()
        self._error: type[duckdb.Error] = library.Error
        self._kinds = library.ExpectedResultType
        try:
            self._connection: duckdb.DuckDBPyConnection = library.connect(path)
            if not autocommit:
                self._connection.execute("BEGIN")
        except library.Error as error:
            raise TaskFailed(f'DuckDB cannot open "{path}": {error}') from error
        self._autocommit = autocommit

    def execute(self, sql: str, parameters: Mapping[str, object], size: int) -> DuckAnswer:
        """Run one statement."""
        text = bind(sql, parameters, self.style)
        try:
            kinds = [kind for one in self._connection.extract_statements(text) for kind in one.expected_result_type]
            self._connection.execute(text, dict(parameters) or None)
            names = [column[0] for column in self._connection.description or ()]
            # A statement that changes rows answers with one row, their number, under the name Count.
            counts = self._kinds.CHANGED_ROWS in kinds and names == ["Count"]
            return DuckAnswer(self._connection, size, only_counts=counts or self._kinds.QUERY_RESULT not in kinds)
        except self._error as error:
            raise TaskFailed(str(error)) from error

    stream = execute

    def many(self, sql: str, rows: Sequence[Sequence[object]]) -> int:
        """Run one statement for each row; gives the rows changed."""
        try:
            self._connection.executemany(sql, [list(row) for row in rows])
        except self._error as error:
            raise TaskFailed(str(error)) from error
        return len(rows)

    def commit(self) -> None:
        """Make the work last, and begin the next transaction."""
        if self._autocommit:
            return
        try:
            self._connection.execute("COMMIT")
            self._connection.execute("BEGIN")
        except self._error as error:
            raise TaskFailed(str(error)) from error

    def close(self) -> None:
        """End the connection; what is not committed is undone."""
        self._connection.close()


def driver() -> Any:
    """The package; MissingExtra when it is not installed."""
    try:
        import duckdb
    except ImportError:
        raise MissingExtra(
            "DuckDB needs the package duckdb.", hint="Install it with `pip install 'penstock[duckdb]'`."
        ) from None
    return duckdb
