"""How often does Python look for garbage in circles? Seldom while a command imports, as usual while it stays."""

from __future__ import annotations

import gc
from typing import Final

USUAL: Final = gc.get_threshold()
# So many objects are made between two looks. Python's own number, 700 in 3.11, is a quarter of a short command's time.
SELDOM: Final = 50_000


def seldom() -> None:
    """For what imports much, and leaves no garbage by that."""
    gc.set_threshold(SELDOM, *USUAL[1:])


def as_usual() -> None:
    """For what stays: garbage may hold connections and files, and what was imported is not looked through again."""
    gc.freeze()
    gc.set_threshold(*USUAL)
