"""How is a session led by the hand? Each side runs a verb in a thread of its own and waits before every statement."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from msgspec.structs import replace

from penstock.errors.store import CommitUnknown
from penstock.store.port import Listener, LogStore, Row, Store, Tx
from penstock.store.postgres.lane import PostgresTx
from tests.interleaving.footprint import NOTHING, Step, touched

T = TypeVar("T")
LONG: Final = 30.0


class Side:
    """One of two sides: its verb, the step it stands before, and what became of it."""

    def __init__(self, name: str, terminate: Callable[[int], None]) -> None:
        self.name = name
        self.terminate = terminate
        self.follows_feed = False
        self.pid = 0
        self.result: object = None
        self.error: BaseException | None = None
        self.ended = False
        self.blocked = False
        self.standing: Step | None = None
        self._looked: Step | None = None
        self._cut = ""
        self._going = threading.Condition()
        self._free = False
        self._thread: threading.Thread | None = None

    def begin(self, verb: Callable[[], object]) -> None:
        """Set out with a verb, as far as its first step."""
        self.pid, self.result, self.error, self.standing = 0, None, None, None
        self.ended = self.blocked = self._free = False
        self._thread = threading.Thread(target=self._run, args=(verb,), name=f"side {self.name}", daemon=True)
        self._thread.start()

    def rests(self, patience: float) -> bool:
        """Wait a moment until the side stands before a step or is at its end, and tell whether it does."""
        with self._going:
            return self._going.wait_for(lambda: self.standing is not None or self.ended, patience)

    def go(self, cut: str) -> Step:
        """Let the side do the step that it stands before."""
        with self._going:
            step, self.standing = self.standing, None
            assert step is not None
            self._cut, self._looked = cut, step
            self._going.notify_all()
            return step

    def looked(self) -> Step:
        """The last step, with all that a look has read by now."""
        assert self._looked is not None
        return self._looked

    def let_go(self) -> None:
        """Let the side run to its end without stopping."""
        with self._going:
            self._free = True
            self.standing = None
            self._going.notify_all()

    def join(self) -> None:
        """Wait for the end of the side."""
        assert self._thread is not None
        self._thread.join(LONG)
        assert not self._thread.is_alive(), f"side {self.name} does not come to its end"

    def stop_before(self, step: Step) -> str:
        """Called by the side: stand before a step until it may be done; tells how its COMMIT is to be cut."""
        with self._going:
            if self._free:
                return ""
            self.standing = step
            self._going.notify_all()
            assert self._going.wait_for(lambda: self.standing is None, LONG)
            cut, self._cut = self._cut, ""
            return cut

    def read_too(self, query: str, params: Mapping[str, object]) -> None:
        """Called by the side: a look goes on, and sees what it saw at first."""
        reads, _ = touched(query, [params])
        if self._looked is not None:
            self._looked = replace(self._looked, reads=self._looked.reads | reads)

    def _run(self, verb: Callable[[], object]) -> None:
        try:
            self.result = verb()
        except BaseException as error:  # told to whoever leads
            self.error = error
        with self._going:
            self.ended = True
            self._going.notify_all()


class LedTx:
    """A transaction that stops before each statement, or, where it only looks, before the first alone."""

    def __init__(self, tx: Tx, side: Side, *, looks: bool = False) -> None:
        assert isinstance(tx, PostgresTx)
        tx.begin()  # by itself: on a connection that an earlier order cut, the verb's own first statement is sent once
        self._tx = tx
        self._side = side
        self._looks = looks
        self._begun = False
        self.wrote = NOTHING

    @property
    def kind(self) -> str:
        return self._tx.kind

    def one(self, query: str, **params: object) -> Row | None:
        self._stop(query, [params])
        return self._tx.one(query, **params)

    def all(self, query: str, **params: object) -> list[Row]:
        self._stop(query, [params])
        return self._tx.all(query, **params)

    def run(self, query: str, **params: object) -> int:
        self._stop(query, [params])
        return self._tx.run(query, **params)

    def many(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Send these at once, so that nothing that may come between two statements is hidden in a round trip."""
        if rows:
            self._stop(query, rows)
            self._tx.many(query, rows)
            self._tx.flush()

    def soon(self, query: str, **params: object) -> Callable[[], int]:
        """Send this at once, for the same reason."""
        touched = self.run(query, **params)
        return lambda: touched

    def afterwards(self, query: str, **params: object) -> Callable[[], list[Row] | None]:
        """Leave this to the side, so that others may come between it and COMMIT."""
        return lambda: None

    def wake(self) -> None:
        """Wakes may be lost; here they always are."""

    def stop_before_commit(self) -> str:
        """Stand before COMMIT."""
        return self._side.stop_before(Step(self._side.name, "COMMIT", commits=True, writes=self.wrote))

    def _stop(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        self._side.pid = self._tx._session.info.backend_pid
        if self._looks and self._begun:
            for row in rows:
                self._side.read_too(query, row)
            return
        self._begun = True
        reads, writes = touched(query, rows)
        self.wrote |= writes
        if query == "feed.append" and not self._side.follows_feed:
            writes = NOTHING  # rows of the feed never wait for each other; only their numbers come in another order
        words = f"{'look ' if self._looks else ''}{query}"
        self._side.stop_before(Step(self._side.name, words, reads=reads, writes=writes))


class LedStore:
    """The store as one side sees it: real sessions, which go on when they are told to."""

    def __init__(self, real: Store, side: Side) -> None:
        self._real = real
        self._side = side

    @property
    def kind(self) -> str:
        return self._real.kind

    @property
    def logs(self) -> LogStore:
        return self._real.logs

    def write(self, work: Callable[[Tx], T]) -> T:
        """Commit, or lose the connection before COMMIT is sent or before it is answered."""
        cut = ""

        def led(tx: Tx) -> T:
            nonlocal cut
            mine = LedTx(tx, self._side)
            result = work(mine)
            cut = mine.stop_before_commit()
            if cut == "before":
                self._side.terminate(self._side.pid)
            return result

        result = self._real.write(led)
        if cut == "after":
            self._side.terminate(self._side.pid)
            raise CommitUnknown("The connection was lost at COMMIT.")
        return result

    def aside(self, work: Callable[[Tx], T]) -> T:
        return self._real.aside(work)

    def read(self, work: Callable[[Tx], T]) -> T:
        return self._real.read(lambda tx: work(LedTx(tx, self._side, looks=True)))

    def glance(self, work: Callable[[Tx], T]) -> T:
        return self._real.glance(lambda tx: work(LedTx(tx, self._side)))

    def lease_now(self) -> int:
        return self._real.lease_now()

    def wake(self) -> None:
        """Wakes may be lost; here they always are."""

    def listener(self) -> Listener:
        return self._real.listener()

    def forget_feed(self, before: int) -> None:
        self._real.forget_feed(before)

    def compact(self) -> None:
        self._real.compact()

    def backup(self, path: Path) -> list[Path]:
        return self._real.backup(path)

    def tend(self) -> None:
        """Days are nobody's business here."""

    def close(self) -> None:
        self._real.close()
