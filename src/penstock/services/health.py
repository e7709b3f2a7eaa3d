"""Can this process do its work? What keeps it from that, part by part; nothing when all is well."""

from __future__ import annotations

import threading
import weakref
from typing import Final

import msgspec

from penstock.errors import PenstockError
from penstock.services.core import Core
from penstock.store import feed
from penstock.store.port import Store

# Who asks for health waits for a second or two, and a store that is away is tried for longer.
PATIENCE: Final = 1.0


class Ailing(msgspec.Struct, frozen=True):
    """A part that does not work, and a sentence about it that anybody may read."""

    part: str
    sentence: str


class _Look:
    """One question to a store, asked by a thread of its own; all who want to know meanwhile share it."""

    def __init__(self, core: Core) -> None:
        self.answered = threading.Event()
        self.found: list[Ailing] = []
        threading.Thread(target=self._ask, args=(core,), name="penstock-health", daemon=True).start()

    def _ask(self, core: Core) -> None:
        try:
            core.store.glance(feed.head)
        except PenstockError as error:
            # the sentence may name a host: only the kind of trouble is told
            self.found = [Ailing("store", f"The store does not answer ({error.code}).")]
        finally:
            self.answered.set()


_LOOKS: Final[weakref.WeakKeyDictionary[Store, _Look]] = weakref.WeakKeyDictionary()
_LOCK: Final = threading.Lock()


def troubles(core: Core) -> list[Ailing]:
    """What keeps this process from its work: one question to the store, for a second at most, and no guess."""
    with _LOCK:
        look = _LOOKS.get(core.store)
        if look is None or look.answered.is_set():
            look = _LOOKS[core.store] = _Look(core)
    if not look.answered.wait(PATIENCE):
        return [Ailing("store", f"The store has not answered within {PATIENCE:g} s.")]
    return look.found
