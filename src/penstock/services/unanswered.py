"""What if nobody knows whether a COMMIT took effect? It is asked for again: keys, digests and fences make it once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from penstock.errors.store import CommitUnknown
from penstock.services.core import Core

T = TypeVar("T")


def repeat_unknown(core: Core, write: Callable[[], T], undo: Callable[[], None] = lambda: None) -> T:
    """Write, and when the answer to COMMIT was lost, look by writing again: fences and keys tell what was done.

    `undo` takes back what was prepared for it, where it has failed without any COMMIT that may have taken effect.
    """
    unsure = False
    while True:
        try:
            return write()
        except CommitUnknown:
            unsure = True
            core.cache.forget()
        except BaseException:
            if not unsure:
                undo()
            raise
