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
        for what, patience in watched.items():
            count = credentials.try_login(tx, what, now, now - FORGOTTEN)
            if count is None:
                until = credentials.wrong(tx, [what])[what].until
                raise TooManyLogins("Too many logins have failed.", seconds=max(1, -((now - until) // SECOND)))
            if wait := patience.wait(count):
                credentials.wait(tx, what, now + wait)

    core.store.write(work)


def forgiven(core: Core, name: str, origin: str) -> None:
    """Take the try back that was right: the user starts anew, the address has one failure less."""
    user, *addresses = _watched(name, origin)

    def work(tx: Tx) -> None:
        credentials.forgive(tx, user)
        for what in addresses:
            credentials.forgive_one(tx, what)

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
