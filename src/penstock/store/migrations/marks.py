"""Why may nobody open this store, whole as it is? It has moved, is about to, or is being filled.

A mark is a row among the migrations, of a version that no Penstock will ever carry: older ones, which do not know of
marks, take the store for a newer one's and leave it alone, too.
"""

from __future__ import annotations

from typing import Final

import msgspec

from penstock.errors.store import StoreMoved

FIRST: Final = 1_000_000
MOVING, MOVED, FILLING, RESTORING = "moving", "moved", "filling", "restoring"


class Mark(msgspec.Struct, frozen=True):
    """What keeps a store shut: the name says why, `move` which undertaking it belongs to, `other` the other store as
    people know it.
    """

    name: str
    move: str
    other: str

    @property
    def text(self) -> str:
        """What is kept of it beside its name."""
        return f"{self.move} {self.other}"


def read(name: str, text: str) -> Mark:
    """Read a mark as it is kept."""
    move, _, other = text.partition(" ")
    return Mark(name, move, other)


def refusal(name: str, text: str, where: str) -> StoreMoved:
    """Say why a store is shut, and what opens it."""
    mark, here = read(name, text), where[:1].upper() + where[1:]
    match mark.name:
        case "moved":
            return StoreMoved(
                f"{here} has moved to {mark.other}.",
                hint="Say that address in penstock.yaml or PENSTOCK_STORE; `penstock db move --undo` comes back here.",
            )
        case "moving":
            return StoreMoved(
                f"{here} is on its way to {mark.other}, and not there yet.",
                hint="The same `penstock db move --to URL` goes on with it; `penstock db move --undo` gives it up.",
            )
        case "restoring":
            return StoreMoved(
                f"{here} is being restored from {mark.other}, and that has not ended.",
                hint="Call the same `penstock db restore` again.",
            )
        case _:
            return StoreMoved(
                f"{here} is being filled from {mark.other}, and not whole yet.",
                hint="What fills it is to be called again; it goes on where it stopped.",
            )
