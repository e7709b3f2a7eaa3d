"""Which runs have changed since somebody told of them last? The feed, from a place that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from penstock.model.run import Run
from penstock.model.trigger import looks_for
from penstock.services.core import Core
from penstock.store import feed, positions, runs
from penstock.store.feed import Position

AT_ONCE: Final = 200
# The name under which it is kept how far lineage was told.
LINEAGE: Final = "lineage"


class News(msgspec.Struct, frozen=True):
    """Runs that have changed, as they are now, by id; where the reader stands after them; whether there is more."""

    runs: Sequence[Run]
    further: Position
    more: bool


class Following:
    """A reader of the feed with a name; `look` gives what is new, `keep` goes on from behind it."""

    def __init__(self, core: Core, name: str) -> None:
        self._core = core
        self._name = name

    def look(self) -> News | None:
        """What is new; nothing where there is nothing. Runs that look for triggers are nobody's matter."""
        core = self._core
        position = core.store.read(lambda tx: positions.get(tx, self._name))
        if position is None:
            core.store.write(lambda tx: positions.begin(tx, self._name))
            return None
        waited = core.store.lease_now()
        items, further = core.store.read(lambda tx: feed.read(tx, position, waited, AT_ONCE))
        if not items:
            if further != position:
                self.keep(further)
            return None
        changed = sorted({item.key for item in items if item.what == "run"})
        found = core.store.read(lambda tx: runs.load_all(tx, changed)) if changed else []
        seen = sorted((run for run in found if not looks_for(run.flow)), key=lambda run: run.id)
        return News(seen, further, len(items) >= AT_ONCE)

    def keep(self, position: Position) -> None:
        """Go on from here, also after a restart."""
        self._core.store.write(lambda tx: positions.put(tx, self._name, position))
