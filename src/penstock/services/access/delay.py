"""How are passwords kept from being guessed? Each failure is counted, and after some of them the next try has to wait.

Counted by user and by address, in the store, so that it holds for all servers together. A user waits a minute at most,
so that nobody can keep another one out for long; an address waits up to a quarter of an hour. This machine's own
address is not counted: behind a proxy it is everybody's.
"""

from __future__ import annotations

import ipaddress
from typing import Final

import msgspec

from penstock.errors.access import TooManyLogins
from penstock.model.policy import SECOND
from penstock.services.core import Core
from penstock.store import credentials
from penstock.store.credentials import Wrong
from penstock.store.port import Tx

FORGOTTEN: Final = 3_600 * SECOND


class Patience(msgspec.Struct, frozen=True):
    """How many failures are free, and the longest wait in microseconds."""

    free: int
    longest: int

    def wait(self, count: int) -> int:
        """How long the next try has to wait after so many failures: a second, then twice as long each time."""
        return min(SECOND << min(count - self.free, 20), self.longest) if count >= self.free else 0


OF_USERS: Final = Patience(5, 60 * SECOND)
OF_ADDRESSES: Final = Patience(20, 900 * SECOND)


def counted(core: Core, name: str, origin: str) -> None:
    """Count a try as failed before it is made, so that many at once count, too. Raises TooManyLogins."""
    now = core.clock.now()
    watched = _watched(name, origin)

    def work(tx: Tx) -> None:
        known = credentials.wrong(tx, watched)
        until = max((one.until for one in known.values()), default=0)
        if until > now:
            seconds = -((now - until) // SECOND)
            raise TooManyLogins("Too many logins have failed.", seconds=seconds)
        for what, patience in watched.items():
            before = known.get(what)
            count = 1 + (before.count if before and before.last_at > now - FORGOTTEN else 0)
            credentials.note_wrong(tx, Wrong(what, count, now, now + patience.wait(count)))

    core.store.write(work)


def forgiven(core: Core, name: str, origin: str) -> None:
    """Take the try back that was right: the user starts anew, the address has one failure less."""
    user, *addresses = _watched(name, origin)

    def work(tx: Tx) -> None:
        credentials.forgive(tx, user)
        for one in credentials.wrong(tx, addresses).values():
            credentials.note_wrong(tx, Wrong(one.what, max(one.count - 1, 0), one.last_at, 0))

    core.store.write(work)


def _watched(name: str, origin: str) -> dict[str, Patience]:
    watched = {f"user:{name[:100]}": OF_USERS}
    network = _network(origin)
    return watched | {f"from:{network}": OF_ADDRESSES} if network else watched


def _network(origin: str) -> str:
    """An address as it is counted: of IPv6 the network of 64 bits, as one machine has all of it."""
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return origin[:100]
    if address.is_loopback:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address.ipv4_mapped)
    return str(address)
