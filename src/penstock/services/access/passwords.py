"""How is a password kept? As an Argon2id hash; two at most are computed at once, since each takes 19 MiB."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Final

import msgspec

from penstock.errors.access import WeakPassword

if TYPE_CHECKING:
    from argon2 import PasswordHasher


class Cost(msgspec.Struct, frozen=True):
    """What a guess costs: passes over so many KiB of memory."""

    passes: int
    memory: int


# What OWASP asks of Argon2id where memory is dear.
COST: Final = Cost(2, 19 * 1024)
AT_ONCE: Final = threading.BoundedSemaphore(2)
SHORTEST: Final = 10
LONGEST: Final = 256
# Held against a password when there is nobody to log in: it takes as long as a wrong one.
NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$cGVuc3RvY2stbm9ib2R5MQ$Q3m0zB8uXlF1sKTh1oCkq6hYB0pQ2mR4yC0Hc2Jx8rE"


def hashed(name: str, password: str) -> str:
    """Give the hash that a new password is kept as. Raises WeakPassword."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"A password has {SHORTEST} to {LONGEST} characters.")
    if name and name.casefold() in password.casefold() and len(password) < len(name) + SHORTEST:
        raise WeakPassword("A password is more than the name of its owner.")
    try:
        with AT_ONCE:
            return _hasher(COST).hash(password)
    except UnicodeError:
        raise WeakPassword("A password is a text.") from None


def holds(kept: str, password: str) -> bool:
    """Whether a password is the one that was kept; without one nothing is, and that takes as long."""
    # its import takes longer than most commands
    from argon2.exceptions import InvalidHashError, VerificationError

    with AT_ONCE:
        try:
            _hasher(COST).verify(kept or NOBODY, password[: LONGEST + 1])
        except (VerificationError, InvalidHashError, UnicodeError):
            return False
    return bool(kept)


@functools.cache
def _hasher(cost: Cost) -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory, parallelism=1)
