"""How are databases spoken to whose drivers follow Python's DB-API? One session for all; a row of a table each."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from penstock.plugins.sql.arguments import Login
from penstock.plugins.sql.dialects import Convert, Dialect
from penstock.plugins.sql.ending import before_the_end
from penstock.plugins.sql.places import Place
from penstock.plugins.sql.statements import Style, bind, first_word, named, positional
from penstock.sdk.plain import plain
from penstock.sdk.task import TaskFailed


class ServedAnswer:
    """A cursor's answer; open while its session is."""

    def __init__(self, cursor: Any, convert: Sequence[Convert | None], error: type[Exception]) -> None:
        self._cursor = cursor
        self._convert = convert
        self._error = error
        self.columns = tuple(str(column[0]) for column in cursor.description or ())

    @property
    def changed(self) -> int:
        """Rows that the statement changed."""
        return max(int(self._cursor.rowcount), 0)

    def rows(self) -> Iterator[Sequence[object]]:
        """The rows as they come."""
        try:
            for row in self._cursor:
                yield (
                    [
                        cell if how is None or cell is None else how(cell)
                        for how, cell in zip(self._convert, row, strict=True)
                    ]
                    if self._convert
                    else row
                )
        except self._error as error:
            raise TaskFailed(told(error)) from error


class Changed:
    """The answer of a statement that gives no rows: how many it changed."""

    columns: tuple[str, ...] = ()

    def __init__(self, changed: int) -> None:
        self.changed = changed

    def rows(self) -> Iterator[Sequence[object]]:
        """None."""
        yield from ()


class ServedSession:
    """One connection; where the database has transactions, one begins at once and ends with commit."""

    def __init__(self, dialect: Dialect, place: Place, login: Login) -> None:
        self._dialect = dialect
        self._place = place
        self._library = dialect.library()
        self._error: type[Exception] = self._library.Error
        self.style = dialect.style
        self._lasting = login.autocommit or not dialect.transactions
        self._held = contextlib.ExitStack()
        self._asked: Any = None
        given = dialect.arguments(place, login)
        try:
            self._connection = dialect.connect(self._library, given, login)
            if dialect.ending is not None:
                self._held.enter_context(before_the_end(dialect.ending(self._library, self._connection, given)))
        except (self._error, OSError, ValueError) as error:
            raise TaskFailed(f"{dialect.title} cannot be reached: {told(error)}") from error

    def execute(self, sql: str, parameters: Mapping[str, object], size: int) -> ServedAnswer | Changed:
        """Run one statement."""
        return self._run(self._dialect.cursor(self._connection), sql, parameters)

    def stream(self, sql: str, parameters: Mapping[str, object], size: int) -> ServedAnswer | Changed:
        """Run one statement whose rows arrive as they are read."""
        return self._run(self._dialect.reading(self._library, self._connection, size), sql, parameters)

    def many(self, sql: str, rows: Sequence[Sequence[object]]) -> int:
        """Run one statement for each row; gives the rows changed."""
        self._hear_out()
        text = positional(sql, self.style, self._dialect.lexis)
        values = [tuple(cell(value) for value in row) for row in rows]
        cursor = self._connection.cursor()
        with self._telling():
            cursor.executemany(text, values)
        return len(rows) if cursor.rowcount is None or cursor.rowcount < 0 else int(cursor.rowcount)

    def commit(self) -> None:
        """Make the work last."""
        self._hear_out()
        if not self._lasting:
            with self._telling():
                self._connection.commit()

    def close(self) -> None:
        """End the connection; what is not committed is undone."""
        self._held.close()
        # Rows that nobody read, or a server that is gone: neither is a reason to fail now.
        with contextlib.suppress(self._error, OSError):
            self._connection.close()

    def _run(self, cursor: Any, sql: str, parameters: Mapping[str, object]) -> ServedAnswer | Changed:
        self._hear_out()
        self._asked = cursor
        lexis = self._dialect.lexis
        text = bind(sql, parameters, self.style, lexis)
        given = {name: cell(value) for name, value in parameters.items()}
        with self._telling():
            if not given:
                cursor.execute(text)
            elif self.style is Style.QMARK:
                cursor.execute(text, [given[name] for name in named(sql, lexis) if name in given])
            else:
                cursor.execute(text, given)
            if first_word(sql, lexis) in self._dialect.changes:
                return Changed(counted(cursor))
        return ServedAnswer(cursor, self._dialect.cells(cursor.description or (), self._place), self._error)

    def _hear_out(self) -> None:
        """Take what the last statement has to say beyond its first answer."""
        cursor, self._asked = self._asked, None
        if self._dialect.several and cursor is not None:
            with self._telling():
                while cursor.nextset():
                    pass

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (self._error, OSError) as error:
            raise TaskFailed(told(error)) from error


def counted(cursor: Any) -> int:
    """How many rows a statement changed, of a driver that says so, or of a server that answers with a row of counts."""
    rows = cursor.fetchall() if cursor.description else []
    if cursor.rowcount is not None and cursor.rowcount >= 0 and not rows:
        return int(cursor.rowcount)
    numbers = [each for each in chain.from_iterable(rows) if isinstance(each, int)]
    return sum(numbers) if numbers else max(int(cursor.rowcount or 0), 0)


def cell(value: object) -> object:
    """A value as a driver takes it: what has parts is JSON."""
    return json.dumps(plain(value), ensure_ascii=False) if isinstance(value, dict | list) else value


def told(error: Exception) -> str:
    """What a driver says of an error, its number in brackets."""
    match error.args:
        case (int() as code, str() | bytes() as said, *_):
            text = said.decode(errors="replace") if isinstance(said, bytes) else said
            return f"{text.strip()} ({code})"
        case _:
            return str(error).strip() or type(error).__name__
