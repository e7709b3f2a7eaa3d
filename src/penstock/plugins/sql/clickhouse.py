"""How is ClickHouse asked? Through its client's own verbs: its cursors change `%%` and read whole answers at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from penstock.plugins.sql.statements import READS, Lexis, first_word

LEXIS: Final = Lexis(backslash=True)
GIVES_ROWS: Final = READS | {"WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK", "FROM"}


def cursor(connection: Any) -> Cursor:
    """A cursor that takes a whole answer."""
    return Cursor(connection.client)


def reading(library: Any, connection: Any, size: int) -> Cursor:
    """A cursor whose rows come as they are read."""
    return Cursor(connection.client, streams=True)


class Cursor:
    """What a session wants of a cursor, over a client. Open until its rows are read."""

    def __init__(self, client: Any, *, streams: bool = False) -> None:
        self._client = client
        self._streams = streams
        self._stream: Any = None
        self._rows: Sequence[Sequence[object]] = ()
        self.description: list[tuple[Any, ...]] = []
        self.rowcount = -1

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """Ask for rows, or give an order; the rows wait to be read."""
        if first_word(sql, LEXIS) not in GIVES_ROWS:
            summary = self._client.command(sql, parameters=parameters)
            self.rowcount = int(getattr(summary, "written_rows", 0))
            return
        if self._streams:
            self._stream = self._client.query_rows_stream(sql, parameters=parameters)
            found = self._stream.source
        else:
            found = self._client.query(sql, parameters=parameters)
            self._rows = found.result_rows
        columns = zip(found.column_names, found.column_types, strict=True)
        self.description = [(name, kind.name, None, None, None, None, None) for name, kind in columns]

    def fetchall(self) -> list[Sequence[object]]:
        """All rows."""
        return list(self)

    def __iter__(self) -> Iterator[Sequence[object]]:
        if self._stream is None:
            yield from self._rows
            return
        with self._stream as rows:
            yield from rows
