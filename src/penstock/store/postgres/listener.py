"""How is a worker on another machine woken? NOTIFY, sent only when somebody has said that they are about to sleep.

Who sleeps holds an advisory lock in shared mode; who wakes tries to take it alone, and only a refusal means a sleeper.
"""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING

from penstock.store.postgres.address import channel, own
from penstock.store.postgres.pulse import Pulse
from penstock.store.postgres.session import connect

if TYPE_CHECKING:
    from penstock.store.postgres.session import Session

SLEEPING = 0x50454E54


def wake(session: Session) -> str:
    """The statement that wakes who sleeps on the store of a session."""
    name, lock = channel(session.schema), own(session.schema, SLEEPING)
    return f"SELECT pg_notify('{name}', '') WHERE NOT pg_try_advisory_xact_lock({lock})"


class PostgresListener:
    """A connection of its own that listens; while it is lost, nothing arrives, and its owner polls. Behind a pooler,
    where nobody listens, it wakes its owner by itself now and then.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        # Its own descriptor stays the same while connections come and go: a closed one's number may be another file's.
        self._waiting = selectors.DefaultSelector()
        self._watched: int | None = None
        self._session: Session | None = None
        self._lying = False
        self._arms = False
        self._lock = ""
        self._pulse: Pulse | None = None
        self._closed = False
        self._connected()

    def fileno(self) -> int:
        """The descriptor to wait on, whether there is a connection or not."""
        return self._waiting.fileno()

    def arm(self) -> None:
        """Say that its owner is about to sleep; it must look for work once more after this, then wait."""
        import psycopg

        self._arms = True
        if self._pulse is not None:
            self._pulse.start()
            return
        try:
            if self._connected():
                self._lie_down()
        except psycopg.Error:
            self._drop()

    def drain(self) -> bool:
        """Take what has arrived, and say whether anything had; after a lost connection, that something may have."""
        import psycopg

        if self._pulse is not None:
            return self._pulse.drain()
        try:
            if self._session is None:
                return self._connected()
            woken = any(True for _ in self._session.notifies(timeout=0))
            # Somebody who never arms is woken always.
            if self._arms and self._lying:
                self._session.execute(f"SELECT pg_advisory_unlock_shared({self._lock})")
                self._lying = False
        except psycopg.Error:
            self._drop()
            return True
        return woken

    def close(self) -> None:
        """Stop listening; safe to call twice."""
        self._closed = True
        self._drop()
        if self._pulse is not None:
            self._pulse.close()
        self._waiting.close()

    def _connected(self) -> bool:
        import psycopg

        if self._session is None and self._pulse is None and not self._closed:
            try:
                self._session = connect(self._dsn)
                if self._session.pooled:
                    self._drop()
                    self._beat()
                    return False
                self._session.execute(f"LISTEN {channel(self._session.schema)}", prepare=False)
                self._watched = self._session.fileno()
                self._waiting.register(self._watched, selectors.EVENT_READ)
                self._lie_down()
            except psycopg.Error:
                self._drop()
        return self._session is not None

    def _beat(self) -> None:
        """Wake the owner by the clock from now on; it sleeps from the start."""
        self._pulse = Pulse()
        self._waiting.register(self._pulse, selectors.EVENT_READ)
        self._pulse.start()

    def _lie_down(self) -> None:
        if self._session and not self._lying:
            self._lock = own(self._session.schema, SLEEPING)
            self._session.execute(f"SELECT pg_advisory_lock_shared({self._lock})")
            self._lying = True

    def _drop(self) -> None:
        session, self._session = self._session, None
        watched, self._watched = self._watched, None
        self._lying = False
        if watched is not None:
            self._waiting.unregister(watched)
        if session is not None:
            session.close()
