"""What has changed, told to everybody whom it concerns? Rows of the feed, each with the namespace that it is about."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from penstock.api.events import Event, Listening
from penstock.api.shapes.live import ChangeRow
from penstock.model.access import Scope
from penstock.model.trigger import LOOKS_FOR
from penstock.services.access.rights import covers
from penstock.services.core import Core
from penstock.services.document import instant
from penstock.store import feed, runs
from penstock.store.feed import Item, Position

BATCH: Final = 500
# Who was away for more rows than this begins anew: that is quicker than to be told each of them.
MOST_MISSED: Final = 5_000
OF_RUNS: Final = ("run", "claim")
# What is said to a run is no change of it yet.
UNTOLD: Final = ("event", feed.LOST, feed.MISSED)


@dataclass(eq=False, slots=True)
class Listener:
    """Who wants to hear of what: where they may see each kind of thing, the kinds and the namespace that they want.

    `last` is the newest row that they had before, where they come again; `since` the newest there was as they came.
    """

    scopes: Mapping[str, Scope]
    others: bool
    kinds: frozenset[str]
    namespace: str = ""
    last: int | None = None
    since: int = 0
    listening: Listening = field(default_factory=Listening)

    def wants(self, row: ChangeRow) -> bool:
        """Whether a change concerns them, and is theirs to see."""
        if (self.kinds and row.what not in self.kinds) or LOOKS_FOR in row.flow:
            return False
        if not self.others and not covers(self.scopes.get(row.what, Scope()), row.namespace):
            return False
        inside = row.namespace == self.namespace or row.namespace.startswith(f"{self.namespace}.")
        return not self.namespace or inside


class Changes:
    """The readers of the feed, and how far it has been read."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = threading.Lock()
        self._joining: list[Listener] = []
        self._listeners: list[Listener] = []
        self._position: Position | None = None

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners or self._joining)

    def join(self, listener: Listener, listening: Listening) -> None:
        """Let somebody hear from the next turn on."""
        listener.listening = listening
        listener.since = self._core.store.glance(feed.head)
        with self._lock:
            self._joining.append(listener)

    def leave(self, listener: Listener) -> None:
        """Tell somebody nothing more."""
        with self._lock:
            self._joining = [each for each in self._joining if each is not listener]
            self._listeners = [each for each in self._listeners if each is not listener]

    def rest(self) -> None:
        """Nobody listens: where the feed stood does not matter any more."""
        self._position = None

    def end(self) -> None:
        """Let everybody go."""
        for each in (*self._joining, *self._listeners):
            each.listening.end()

    def turn(self) -> bool:
        """Read on, and tell everybody what concerns them; whether anything was new."""
        news = False
        if not self.wanted:
            return news
        if self._position is None:
            self._position = self._begin()
        while True:
            found, self._position = self._read(self._position)
            self._tell(self._listeners, self._rows(found), self._position.after)
            news = news or bool(found)
            if len(found) < BATCH:
                break
        self._admit()
        return news

    def _begin(self) -> Position:
        """Stand at the end: what was there before is known to nobody, and only what appears late is still read."""
        head = self._core.store.glance(feed.head)
        position = feed.resume(head)
        while position.after < head:
            found, position = self._read(position)
            if not found:
                return Position(head, position.holes)
        return position

    def _read(self, position: Position) -> tuple[list[Item], Position]:
        now = self._core.clock.now()
        return self._core.store.read(partial(feed.read, position=position, now=now, limit=BATCH))

    def _admit(self) -> None:
        """Let those in who have come: behind what has been read, after being told what they have missed."""
        assert self._position is not None
        with self._lock:
            joining, self._joining = self._joining, []
            self._listeners += joining
        for each in joining:
            if each.last is None:
                self._make_good(each, each.since, self._position.after)
            else:
                self._resume(each, each.last, self._position.after)
            each.listening.put(Event("here", {}, str(self._position.after)))

    def _resume(self, listener: Listener, last: int, until: int) -> None:
        floor = self._core.store.glance(feed.floor)
        if last > until or last + 1 < floor or until - last > MOST_MISSED:
            listener.listening.put(Event("reload", {"why": "what was missed is not told any more"}))
        else:
            self._make_good(listener, feed.resume(last).after, until)

    def _make_good(self, listener: Listener, after: int, until: int) -> None:
        while after < until:
            found = self._core.store.glance(partial(feed.read_after, after_id=after, limit=BATCH))
            found = [each for each in found if each.id <= until]
            if not found:
                break
            after = found[-1].id
            self._tell([listener], self._rows(found), after)

    def _tell(self, listeners: list[Listener], rows: list[ChangeRow], last: int) -> None:
        if not rows:
            return
        for each in listeners:
            if wanted := [row for row in rows if each.wants(row)]:
                each.listening.put(Event("changes", wanted, str(last)))

    def _rows(self, items: list[Item]) -> list[ChangeRow]:
        """The newest change of each thing, with what it is about."""
        newest: dict[tuple[str, str], Item] = {}
        for item in items:
            key = (item.what, item.key)
            if item.what not in UNTOLD and (key not in newest or newest[key].version <= item.version):
                newest[key] = item
        if not newest or (not self._listeners and not self._joining):
            return []
        named = {key.partition("/")[0] for what, key in newest if what in OF_RUNS}
        found = {}
        if named:
            found = {each.id: each for each in self._core.store.glance(lambda tx: runs.briefs(tx, list(named)))}
        return [row for item in newest.values() if (row := _row(item, found)) is not None]


def _row(item: Item, found: Mapping[str, runs.Brief]) -> ChangeRow | None:
    about, _, rest = item.key.partition("/")
    at = instant(item.at) or ""
    if item.what not in OF_RUNS:
        # what is no run's has the name of its namespace first
        return ChangeRow(what=item.what, key=item.key, version=item.version, at=at, namespace=about if rest else "")
    run = found.get(about)
    if run is None:
        return None
    return ChangeRow(
        what=item.what,
        key=item.key,
        version=item.version,
        at=at,
        namespace=run.namespace,
        flow=run.flow,
        run=run.id,
        status=run.status,
        step=rest,
    )
