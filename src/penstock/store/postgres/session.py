"""How is a server reached, and how long is an answer waited for? A way that swallows bytes never says that it is gone.

The kernel notices a peer that has vanished: keepalives, and TCP_USER_TIMEOUT for what was sent. Neither helps against a
proxy or balancer that takes bytes and passes nothing on, so what has no answer for long is asked about by another way.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from penstock.errors.store import DriverMissing
from penstock.store.port import Row

if TYPE_CHECKING:
    import psycopg
    from psycopg.abc import PQGen

    Session = psycopg.Connection[Row]

T = TypeVar("T")
# Less than a worker's lease leaves it, so that one silent connection does not cost all that it does.
ANSWER = 5.0
# No transaction of ours stands idle but that of a process which stands still, or whose way is cut; and while it holds a
# run, a claim or a limit, others wait for it.
IDLE = 5
# Half a pipeline leaves a session active although it only waits for the other half.
AT_WORK = "SELECT state = 'active' AND wait_event IS DISTINCT FROM 'ClientRead' FROM pg_stat_activity WHERE pid = %s"
# The server notices a machine of ours that has vanished as soon as we notice it: half a pipeline of its is no idle
# transaction, and holds its locks for as long as the connection lives.
SETTINGS = (
    f"SET jit = off; SET idle_in_transaction_session_timeout = '{IDLE}s'; SET lock_timeout = '10s'; "
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3; "
    "SET tcp_user_timeout = '15s'"
)


def connect(dsn: str) -> Session:
    """Open a connection; DriverMissing when psycopg is not installed."""
    try:
        from psycopg.types.numeric import Int8Dumper
    except ImportError as missing:
        raise DriverMissing(
            "The package psycopg, which speaks to PostgreSQL, is not installed.",
            hint='`pip install "penstock[postgres]"` brings it.',
        ) from missing
    session = _impatient().connect(
        dsn,
        autocommit=True,
        prepare_threshold=None,
        connect_timeout=5,
        application_name="penstock",
        keepalives_idle=10,
        keepalives_interval=3,
        keepalives_count=3,
        tcp_user_timeout=15_000,
    )
    # One type for every whole number, so that a query is prepared once and not once for each width of its values.
    session.adapters.register_dumper(int, Int8Dumper)
    session.execute(SETTINGS, prepare=False)
    return session


@functools.cache
def _impatient() -> type[Session]:
    import psycopg

    # What it says about lost connections is told by our own notices; on stderr it would stand between their lines.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())

    class Impatient(psycopg.Connection[Row]):
        """A connection that asks by another way what has become of its query when no answer comes."""

        def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
            """Take the steps of a query until it is answered; OperationalError when it will not be."""
            return super().wait(_watched(self, gen, _is_at_work), *args, **kwargs)

    return Impatient


@functools.cache
def _asking() -> type[Session]:
    import psycopg

    class Asking(psycopg.Connection[Row]):
        """A connection that gives up when no answer comes."""

        def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
            """Take the steps of a query until it is answered; OperationalError when it is not in time."""
            return super().wait(_watched(self, gen, lambda _session: False), *args, **kwargs)

    return Asking


def _watched(session: Session, gen: PQGen[T], goes_on: Callable[[Session], bool]) -> PQGen[T]:
    """The same steps; where no answer came for long, and it does not go on, the connection is closed."""
    import psycopg

    try:
        wants = next(gen)
        until = time.monotonic() + ANSWER
        while True:
            ready = yield wants
            if not ready and time.monotonic() > until:
                if not goes_on(session):
                    session.close()
                    raise psycopg.OperationalError(f"there was no answer within {ANSWER:g} s")
                until = time.monotonic() + ANSWER
            wants = gen.send(ready)
    except StopIteration as end:
        value: T = end.value
        return value


def _is_at_work(session: Session) -> bool:
    """Ask the server by another way. What it does not work at is ended there, too: it may hold locks that others
    want, and what it did is known then.
    """
    import psycopg

    info = session.info
    try:
        with _asking().connect(info.dsn, password=info.password, autocommit=True, connect_timeout=5) as other:
            row = other.execute(AT_WORK, (info.backend_pid,)).fetchone()
            if row is not None and row[0]:
                return True
            other.execute("SELECT pg_terminate_backend(%s)", (info.backend_pid,))
    except psycopg.Error:
        pass  # not to be reached by another way either
    return False
