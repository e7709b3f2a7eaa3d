"""How is a session led whose statements have no names? One that changes the schema, piece by piece."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import psycopg

from tests.interleaving.footprint import NOTHING, Rows, Step
from tests.interleaving.sides import Side

if TYPE_CHECKING:
    from penstock.store.postgres.session import Session

NAMED: Final = re.compile(r"\b(?:FROM|INTO|TABLE|ON|UPDATE)\s+(?:IF NOT EXISTS )?([a-z_]+)", re.IGNORECASE)
LOCKED: Final = re.compile(r"\b(pg_advisory)_(?:xact_|un)?lock\b|\b(to_regclass)\b")


class BareSession:
    """A session that stops before each statement and before COMMIT; what stands outside a transaction counts at once.

    It is taken to write all that it names: a change of a table locks it against those who only read, too.
    """

    def __init__(self, real: Session, side: Side) -> None:
        self.pooled, self.schema = real.pooled, real.schema
        self._real = real
        self._side = side
        self._inside = False
        self._wrote: Rows = NOTHING

    def execute(self, text: str, params: Sequence[object] | None = None, **more: Any) -> psycopg.Cursor[Any]:
        """Do one statement after the other, each when it is let go; gives what the last one gave."""
        for piece in text.split(";\n"):
            self._stop(piece)
            done = self._real.execute(piece.encode(), params, **more)
        return done

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit at the end, or lose the connection before COMMIT is sent or before it is answered."""
        cut = ""
        with self._real.transaction():
            self._inside, self._wrote = True, NOTHING
            try:
                yield
                cut = self._side.stop_before(Step(self._side.name, "COMMIT", commits=True, writes=self._wrote))
            finally:
                self._inside = False
            if cut == "before":
                self._side.terminate(self._side.pid)
        if cut == "after":
            self._side.terminate(self._side.pid)
            raise psycopg.OperationalError("The connection was lost at COMMIT.")

    def _stop(self, piece: str) -> None:
        found = {name for names in (*NAMED.findall(piece), *LOCKED.findall(piece)) for name in _words(names)}
        touched: Rows = frozenset((name, "") for name in found)
        if self._inside:
            self._wrote |= touched
        self._side.pid = self._real.info.backend_pid
        words = " ".join(piece.split())[:60]
        self._side.stop_before(Step(self._side.name, words, reads=touched, writes=touched))


def led(session: Session, side: Side) -> Session:
    """The same session, as far as changes of the schema use it."""
    return cast("Session", BareSession(session, side))


def _words(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(name for name in names if name)
