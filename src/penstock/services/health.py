"""Can this process do its work? What keeps it from that, part by part; nothing when all is well."""

from __future__ import annotations

import msgspec

from penstock.errors import PenstockError
from penstock.services.core import Core
from penstock.store import feed


class Ailing(msgspec.Struct, frozen=True):
    """A part that does not work, and a sentence about it that anybody may read."""

    part: str
    sentence: str


def troubles(core: Core) -> list[Ailing]:
    """What keeps this process from its work: one question to the store, and no guess."""
    try:
        core.store.glance(feed.head)
    except PenstockError as error:
        # the sentence may name a host: only the kind of trouble is told
        return [Ailing("store", f"The store does not answer ({error.code}).")]
    return []
