"""How is a server reached, and how long is an answer waited for? A way that swallows bytes never says that it is gone.

Between us and the server may stand a pooler, which gives each transaction whichever of its connections is free. Then
nothing lasts beyond a transaction: settings are said in each, nothing is prepared, and nobody listens.

The kernel notices a peer that has vanished: keepalives, and TCP_USER_TIMEOUT for what was sent. Neither helps against a
proxy or balancer that takes bytes and passes nothing on, so what has no answer for long is asked about by another way.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from penstock.errors.store import DriverMissing
from penstock.store.port import Row
from penstock.store.postgres import address

if TYPE_CHECKING:
    import psycopg
    from psycopg.abc import PQGen

    class Session(psycopg.Connection[Row]):
        """A connection that knows which schema it works in, and whether it is a pooler's; `name` is then its own."""

        pooled: bool
        schema: str
        name: str


T = TypeVar("T")
# Less than a worker's lease leaves it, so that one silent connection does not cost all that it does.
ANSWER = 5.0
# No transaction of ours stands idle but that of a process which stands still, or whose way is cut; and while it holds a
# run, a claim or a limit, others wait for it.
IDLE = 5
# Half a pipeline leaves a session active although it only waits for the other half.
AT_WORK = "SELECT state = 'active' AND wait_event IS DISTINCT FROM 'ClientRead', pid FROM pg_stat_activity WHERE "
# The server notices a machine of ours that has vanished as soon as we notice it: half a pipeline of its is no idle
# transaction, and holds its locks for as long as the connection lives.
SETTINGS = (
    f"SET jit = off; SET idle_in_transaction_session_timeout = '{IDLE}s'; SET lock_timeout = '10s'; "
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3; "
    "SET tcp_user_timeout = '15s'"
)
# The same in each transaction, where a pooler stands between; by its name a transaction is found on the server.
LOCALLY = (
    f"SELECT set_config('jit', 'off', true), set_config('idle_in_transaction_session_timeout', '{IDLE}s', true), "
    "set_config('lock_timeout', '10s', true), set_config('application_name', $1, true), "
    "set_config('search_path', $2, true)"
)
# A pooler tells its clients a number of its own in the place of a process's.
WHO = "SELECT pg_backend_pid(), current_schema()"


def connect(dsn: str) -> Session:
    """Open a connection; DriverMissing when psycopg is not installed."""
    try:
        from psycopg.types.numeric import Int8Dumper
    except ImportError as missing:
        raise DriverMissing(
            "The package psycopg, which speaks to PostgreSQL, is not installed.",
            hint='`pip install "penstock[postgres]"` brings it.',
        ) from missing
    meant = address.read(dsn)
    session: Session = _impatient().connect(
        meant.dsn,
        autocommit=True,
        prepare_threshold=None,
        connect_timeout=5,
        application_name=f"penstock {meant.schema}".strip(),
        keepalives_idle=10,
        keepalives_interval=3,
        keepalives_count=3,
        tcp_user_timeout=15_000,
    )
    # One type for every whole number, so that a query is prepared once and not once for each width of its values.
    session.adapters.register_dumper(int, Int8Dumper)
    try:
        _settle(session, meant.schema)
    except BaseException:
        session.close()
        raise
    return session


def locally(session: Session) -> list[tuple[str, list[object]]]:
    """What is said first in each transaction of a pooled connection; nothing for one of our own."""
    return [(LOCALLY, [session.name, session.schema])] if session.pooled else []


@contextlib.contextmanager
def settled(session: Session) -> Iterator[None]:
    """Let the connection's settings hold: those of a pooled one do in a transaction alone."""
    if not session.pooled:
        yield
        return
    with session.transaction():
        for text, values in locally(session):
            session.execute(text.replace("$1", "%s").replace("$2", "%s"), values, prepare=False)
        yield


def _settle(session: Session, schema: str) -> None:
    row = session.execute(WHO, prepare=False).fetchone()
    assert row is not None
    session.pooled = row[0] != session.info.backend_pid
    session.schema = schema or str(row[1] or address.PUBLIC)
    session.name = f"penstock {session.schema} {os.urandom(6).hex()}"
    if not session.pooled:
        path = f"; SET search_path = {schema}" if schema else ""
        session.execute(SETTINGS + path, prepare=False)


@functools.cache
def _impatient() -> Any:
    import psycopg

    # What it says about lost connections is told by our own notices; on stderr it would stand between their lines.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())

    class Impatient(psycopg.Connection[Row]):
        """A connection that asks by another way what has become of its query when no answer comes."""

        pooled, schema, name = True, address.PUBLIC, "penstock of nobody"

        def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
            """Take the steps of a query until it is answered; OperationalError when it will not be."""
            return super().wait(_watched(self, gen, lambda: _is_at_work(self)), *args, **kwargs)

    return Impatient


@functools.cache
def _asking() -> Any:
    import psycopg

    class Asking(psycopg.Connection[Row]):
        """A connection that gives up when no answer comes."""

        def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
            """Take the steps of a query until it is answered; OperationalError when it is not in time."""
            return super().wait(_watched(self, gen, lambda: False), *args, **kwargs)

    return Asking


def _watched(session: psycopg.Connection[Row], gen: PQGen[T], goes_on: Callable[[], bool]) -> PQGen[T]:
    """The same steps; where no answer came for long, and it does not go on, the connection is closed."""
    import psycopg

    try:
        wants = next(gen)
        until = time.monotonic() + ANSWER
        while True:
            ready = yield wants
            if not ready and time.monotonic() > until:
                if not goes_on():
                    session.close()
                    raise psycopg.OperationalError(f"there was no answer within {ANSWER:g} s")
                until = time.monotonic() + ANSWER
            wants = gen.send(ready)
    except StopIteration as end:
        value: T = end.value
        return value


def _is_at_work(session: Any) -> bool:
    """Ask the server by another way. What it does not work at is ended there, too: it may hold locks that others
    want, and what it did is known then.
    """
    import psycopg

    info = session.info
    # A pooler's number is no process of the server's, or somebody else's.
    mine, which = ("application_name = %s", session.name) if session.pooled else ("pid = %s", info.backend_pid)
    at = {name: getattr(info, name) for name in ("host", "hostaddr") if getattr(info, name)}
    try:
        with _asking().connect(
            info.dsn, password=info.password, autocommit=True, connect_timeout=5, port=info.port, **at
        ) as other:
            row = other.execute(AT_WORK + mine, (which,)).fetchone()
            if row is not None and row[0]:
                return True
            if row is not None:
                other.execute("SELECT pg_terminate_backend(%s)", (row[1],))
    except psycopg.Error:
        pass  # not to be reached by another way either
    return False
