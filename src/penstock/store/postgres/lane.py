"""How does one connection to PostgreSQL serve one thread at a time, and come back after it was lost?"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from penstock.errors.store import StoreError, StoreGone
from penstock.store.port import Row, Tx
from penstock.store.postgres.faults import is_again, is_gone, place, translate
from penstock.store.postgres.listener import wake
from penstock.store.postgres.session import connect, locally
from penstock.store.postgres.wire import Sheet, Wire
from penstock.store.statements import key_of, numbered, spread

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from penstock.store.postgres.session import Session

T = TypeVar("T")
TRIES = 12
PATIENCE = 5.0
MOST_ROWS = 64
COMMIT = "COMMIT"


class Answer:
    """What the server says to a statement that went out with others; nothing before it has said it."""

    def __init__(self) -> None:
        self.said: PGresult | None = None


class PostgresTx:
    """An open transaction on one connection; what needs no answer goes out with the next that does, BEGIN the first,
    with the settings of a pooled connection behind it.

    Rows for one table travel in one statement: each statement costs ten times what a further row of it does.
    """

    kind = "postgres"

    def __init__(self, wire: Wire, begin: str = "") -> None:
        self._wire = wire
        self._session = wire.session
        self._begin: list[Sheet] = [(begin, ()), *locally(wire.session)] if begin else []
        self._later: list[tuple[str, list[Mapping[str, object]], Answer | None]] = []
        self._behind: list[tuple[Sheet, Answer]] = []

    def one(self, query: str, **params: object) -> Row | None:
        """Run a query and give its first row, or nothing."""
        return next(iter(self.all(query, **params)), None)

    def all(self, query: str, **params: object) -> list[Row]:
        """Run a query and give every row."""
        return self._wire.rows(self._execute(query, params))

    def run(self, query: str, **params: object) -> int:
        """Run a statement and tell how many rows it touched."""
        return self._execute(query, params).command_tuples or 0

    def many(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Run one statement for each of `rows`, no later than the next query or the end of the transaction."""
        if rows and self._later and self._later[-1][0] == query and self._later[-1][2] is None:
            self._later[-1][1].extend(rows)
        elif rows:
            self._later.append((query, list(rows), None))

    def soon(self, query: str, **params: object) -> Callable[[], int]:
        """Run a statement no later than the next query, and tell how many rows it touched when that is asked for."""
        answer = Answer()
        self._later.append((query, [params], answer))

        def told() -> int:
            if answer.said is None:
                self.flush()
            assert answer.said is not None
            return answer.said.command_tuples or 0

        return told

    def afterwards(self, query: str, **params: object) -> Callable[[], list[Row] | None]:
        """Run a query behind COMMIT, in the same round trip; its rows, or nothing where no answer came to it."""
        if self._session.pooled:
            return lambda: None  # its settings end with COMMIT
        asked, answer = numbered(query), Answer()
        self._behind.append(((asked.text, [params[name] for name in asked.names]), answer))
        return lambda: None if answer.said is None else self._wire.rows(answer.said)

    def wake(self) -> None:
        """Wake workers that sleep, behind COMMIT."""
        self._behind.append(((wake(self._session), ()), Answer()))

    @property
    def begun(self) -> bool:
        """Whether the server knows of this transaction."""
        return not self._begin

    def flush(self) -> None:
        """Send what waits, in one round trip."""
        self._send([])

    def begin(self) -> None:
        """Send BEGIN by itself, where nothing has been sent yet."""
        if self._begin:
            self._wire.ask(self._begin)
            self._begin = []

    def end(self) -> None:
        """Nothing more is asked. BEGIN never goes out with COMMIT: a connection that was lost long ago is no COMMIT
        whose answer nobody knows.
        """
        if self._later:
            self.begin()

    def commit(self) -> str:
        """Send what waits and COMMIT behind it, in one round trip; gives what the server says it did. A transaction
        in which nothing was said is none.
        """
        if not self.begun:
            self._answer(self._behind, self._wire.send([sheet for sheet, _ in self._behind])[0])
            return COMMIT
        waiting = self._sheets()
        last = [(COMMIT, ()), *(sheet for sheet, _ in self._behind)]
        answers, error = self._wire.send([*(sheet for sheet, _ in waiting), *last])
        if len(answers) <= len(waiting):
            assert error is not None
            raise error
        done, *behind = answers[len(waiting) :]
        self._answer(waiting, answers)
        self._answer(self._behind, behind)
        return (done.command_status or b"").decode()

    def _execute(self, query: str, params: dict[str, object]) -> PGresult:
        asked = numbered(query)
        return self._send([(asked.text, [params[name] for name in asked.names])])[-1]

    def _send(self, more: list[Sheet]) -> list[PGresult]:
        waiting = self._sheets()
        if not (waiting or more):
            return []
        first, self._begin = self._begin, []
        answers = self._wire.ask([*first, *(sheet for sheet, _ in waiting), *more])
        self._answer(waiting, answers[len(first) :])
        return answers

    def _answer(self, waiting: Sequence[tuple[Sheet, Answer | None]], answers: Sequence[PGresult]) -> None:
        for (_, answer), said in zip(waiting, answers, strict=False):
            if answer is not None:
                answer.said = said

    def _sheets(self) -> list[tuple[Sheet, Answer | None]]:
        later, self._later = self._later, []
        return [(sheet, answer) for query, rows, answer in later for sheet in sheets(query, rows)]


def sheets(query: str, rows: Sequence[Mapping[str, object]]) -> Iterator[tuple[str, list[object]]]:
    """Write rows as few statements, of 1, 2, 4 … rows so that few kinds are prepared; large ones go one by one."""
    if (key := key_of(query)) and len(rows) > 1:
        # One statement may not overwrite a row twice; of two for the same the later word stands anyway.
        rows = list({tuple(row[column] for column in key): row for row in rows}.values())
    done, most = 0, MOST_ROWS if not any(isinstance(value, bytes) for value in rows[0].values()) else 1
    while done < len(rows):
        count = min(most, 1 << (len(rows) - done).bit_length() - 1)
        asked = spread(query, count) if count > 1 else numbered(query)
        if asked is None:
            asked, count, most = numbered(query), 1, 1
        yield asked.text, [row[name] for row in rows[done : done + count] for name in asked.names]
        done += count


class Lane:
    """One connection, for one thread at a time; opened when first used and again after it was lost."""

    def __init__(self, dsn: str, begin: str = "BEGIN") -> None:
        self.where = place(dsn)
        self._dsn = dsn
        self._begin = begin
        self._reads_only = begin.endswith("READ ONLY")
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._wire: Wire | None = None
        self._inside = False
        self._closed = False

    def transact(self, work: Callable[[Tx], T]) -> T:
        """Do `work` in a transaction; quarrels over locks and connections lost before COMMIT run it again."""
        return self.keep_trying(lambda session: self._transact(self._wired(session), work))

    def look(self, work: Callable[[Tx], T]) -> T:
        """Do `work` that only reads."""
        return self.transact(work)

    def glance(self, work: Callable[[Tx], T]) -> T:
        """Do `work` that asks one question, which needs no transaction around it."""
        return self.keep_trying(lambda session: self._glance(self._wired(session), work))

    def keep_trying(self, act: Callable[[Session], T], patience: float = PATIENCE) -> T:
        """Do `act` on the connection until it is done, or until trying again has no sense."""
        import psycopg

        with self._lock:
            pause, until, lost = 0.005, time.monotonic() + patience, False
            for left in reversed(range(TRIES)):
                try:
                    return act(self.session())
                except psycopg.Error as error:
                    gone = is_gone(error)
                    if gone:
                        self._drop()
                        # An answer that never came has used the patience up, though another connection may well work.
                        until, lost = until if lost else time.monotonic() + patience, True
                    if not left or not (gone or is_again(error)) or time.monotonic() > until:
                        raise translate(error, self.where) from error
                # Uneven pauses, so that two who quarrelled do not meet again.
                time.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(pause * 2, 1.0)
            raise AssertionError("the last try returns or raises")

    def session(self) -> Session:
        """Give the connection, opened anew when it is not there."""
        if self._closed:
            raise StoreGone(f"The connection to {self.where} has been closed.")
        if self._session is None or self._session.closed:
            self._session = connect(self._dsn)
        return self._session

    def compact(self) -> None:
        """Nothing to do: the server sweeps by itself, and whole days of history are dropped."""

    def close(self) -> None:
        """Close the connection for good; safe to call twice."""
        with self._lock:
            self._closed = True
            self._drop()

    def _wired(self, session: Session) -> Wire:
        if self._wire is None or self._wire.session is not session:
            self._wire = Wire(session)
        return self._wire

    def _glance(self, wire: Wire, work: Callable[[Tx], T]) -> T:
        # Behind a pooler a transaction says the settings; as without one, the question may lock what it asks for.
        return self._transact(wire, work, "BEGIN") if wire.session.pooled else work(PostgresTx(wire))

    def _transact(self, wire: Wire, work: Callable[[Tx], T], begin: str = "") -> T:
        if self._inside:
            raise StoreError("A transaction cannot begin inside another one.")
        self._inside = True
        try:
            tx = PostgresTx(wire, begin or self._begin)
            try:
                result = work(tx)
                tx.end()
            except BaseException:
                if tx.begun:
                    self._roll_back(wire)
                raise
            self._commit(wire, tx)
            return result
        finally:
            self._inside = False

    def _commit(self, wire: Wire, tx: PostgresTx) -> None:
        import psycopg

        try:
            answer = tx.commit()
        except psycopg.Error as error:
            if is_gone(error) or wire.session.closed:
                self._drop()
                if self._reads_only:
                    return  # what was read has been read
                raise translate(error, self.where, committing=True) from error
            # One of the statements before it failed.
            self._roll_back(wire)
            raise
        if answer != COMMIT:
            # A statement failed, somebody swallowed the error, and PostgreSQL rolled back.
            raise StoreError(f"A transaction on {self.where} was rolled back instead of committed.")

    def _roll_back(self, wire: Wire) -> None:
        import psycopg

        try:
            wire.ask([("ROLLBACK", ())])
        except psycopg.Error:
            # The connection is gone, and the transaction with it.
            self._drop()

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
