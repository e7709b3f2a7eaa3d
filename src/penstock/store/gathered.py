"""How do rows of many runs reach their tables in few statements? Those that need no answer wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from penstock.store.port import Row, Tx


class Gathered:
    """A transaction that writes the rows of one query together, whatever was said between them; close with `flush`.

    For what does not hang on its order: rows of runs that nobody else knows yet. What is asked sees all that was
    written before it.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._waiting: dict[str, list[Mapping[str, object]]] = {}

    @property
    def kind(self) -> str:
        """`sqlite` or `postgres`."""
        return self._tx.kind

    def flush(self) -> None:
        """Write what waits, queries in the order in which they first came."""
        waiting, self._waiting = self._waiting, {}
        for query, rows in waiting.items():
            self._tx.many(query, rows)

    def one(self, query: str, **params: object) -> Row | None:
        """Run a query and give its first row, or nothing."""
        self.flush()
        return self._tx.one(query, **params)

    def all(self, query: str, **params: object) -> list[Row]:
        """Run a query and give every row."""
        self.flush()
        return self._tx.all(query, **params)

    def run(self, query: str, **params: object) -> int:
        """Run a statement and tell how many rows it touched."""
        self.flush()
        return self._tx.run(query, **params)

    def many(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Run one statement for each of `rows`, with those of the same query before it."""
        self._waiting.setdefault(query, []).extend(rows)

    def soon(self, query: str, **params: object) -> Callable[[], int]:
        """Run a statement no later than the next query; what is given tells how many rows it touched."""
        self.flush()
        return self._tx.soon(query, **params)

    def afterwards(self, query: str, **params: object) -> Callable[[], list[Row] | None]:
        """Run a query right behind COMMIT."""
        return self._tx.afterwards(query, **params)

    def wake(self) -> None:
        """Wake workers that sleep, once this is committed."""
        self._tx.wake()
