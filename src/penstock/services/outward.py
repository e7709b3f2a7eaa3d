"""How does a server call an address elsewhere? Its name is resolved once, what is not to be reached is not, and no
redirect is followed.
"""

from __future__ import annotations

import functools
import ipaddress
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from penstock.errors.work import AddressRefused, Unanswered

if TYPE_CHECKING:
    import http.client
    import ssl

PATIENCE: Final = 10.0
LARGEST: Final = 64 * 1024
PORTS: Final = {"http": 80, "https": 443}
# Where clouds tell a machine its own secrets, besides the addresses of one link.
METADATA: Final = ("100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::254/128")
FORBIDDEN: Final = tuple(ipaddress.ip_network(each) for each in METADATA)
# Networks in whose addresses an older one may be written.
EMBEDDING: Final = tuple(ipaddress.ip_network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))

Host = ipaddress.IPv4Address | ipaddress.IPv6Address
Net = ipaddress.IPv4Network | ipaddress.IPv6Network


class Guard(msgspec.Struct, frozen=True):
    """Which addresses may be called that somebody else has chosen: not this machine, its link and what clouds tell it,
    unless `allow` (networks) names them.
    """

    allow: tuple[str, ...] = ()

    def refuses(self, host: Host) -> bool:
        """Whether an address may not be called."""
        plain = _plain(host)
        if any(plain in net for net in _networks(self.allow) if net.version == plain.version):
            return False
        return (
            plain.is_loopback
            or plain.is_link_local
            or plain.is_unspecified
            or plain.is_multicast
            or plain.is_reserved
            or any(plain in net for net in FORBIDDEN if net.version == plain.version)
        )


class Answer(msgspec.Struct, frozen=True):
    """What came back: the status, and the beginning of the body."""

    status: int
    text: str = ""

    @property
    def taken(self) -> bool:
        """Whether what was sent has arrived."""
        return 200 <= self.status < 300

    @property
    def worth_trying(self) -> bool:
        """Whether the same may be taken when it is sent again."""
        return self.status in (401, 403, 404, 408, 425, 429) or self.status >= 500


def check(url: str) -> SplitResult:
    """Answer the parts of an address that may be called as far as its form tells. Raises AddressRefused."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"This is no address: {error}.") from None
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise AddressRefused("This is no address of HTTP.", hint="It begins with http:// or https://.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("An address that is called must not hold a name or a password.")
    if any(sign.isspace() or not sign.isprintable() for sign in url.strip()):
        raise AddressRefused("An address has no spaces.")
    return parts


def addresses(host: str, port: int) -> list[str]:
    """Where a name leads, as the machine is told."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]).partition("%")[0] for each in found]


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    guard: Guard | None = None,
    patience: float = PATIENCE,
    resolve: Callable[[str, int], Sequence[str]] = addresses,
) -> Answer:
    """Send a body to an address; without a `guard` it is one of the settings. Raises AddressRefused, Unanswered."""
    import http.client

    parts = check(url)
    assert parts.hostname
    place = _resolved(parts, guard, resolve)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    line = _line(parts, patience)
    try:
        line.sock = _connected(place, parts, patience)
        line.request("POST", path, body, {"User-Agent": "penstock", **headers})
        answered = line.getresponse()
        return Answer(answered.status, answered.read(LARGEST).decode("utf-8", "replace")[:200])
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(f"{parts.hostname} does not answer: {str(error) or type(error).__name__}.") from error
    finally:
        line.close()


def _resolved(parts: SplitResult, guard: Guard | None, resolve: Callable[[str, int], Sequence[str]]) -> tuple[str, int]:
    """Where a name leads; one that leads to several places must not lead to any that is refused."""
    assert parts.hostname
    port = parts.port or PORTS[parts.scheme]
    try:
        places = resolve(parts.hostname, port)
    except (OSError, UnicodeError) as error:
        raise Unanswered(f"{parts.hostname} is not known: {error}.") from error
    for place in places:
        if guard is not None and guard.refuses(ipaddress.ip_address(place)):
            hint = "`alerts.allow` in penstock.yaml names networks that may be called nevertheless."
            raise AddressRefused(f"{parts.hostname} is at {place}, which must not be called from here.", hint=hint)
    return places[0], port


def _connected(place: tuple[str, int], parts: SplitResult, patience: float) -> socket.socket:
    made = socket.create_connection(place, patience)
    if parts.scheme == "http":
        return made
    try:
        return _trust().wrap_socket(made, server_hostname=parts.hostname)
    except OSError:
        made.close()
        raise


@functools.cache
def _trust() -> ssl.SSLContext:
    """Whom to believe, read once: it takes longer than a call."""
    import ssl

    return ssl.create_default_context()


def _line(parts: SplitResult, patience: float) -> http.client.HTTPConnection:
    import http.client

    kind = http.client.HTTPConnection if parts.scheme == "http" else http.client.HTTPSConnection
    assert parts.hostname
    return kind(parts.hostname, parts.port or PORTS[parts.scheme], timeout=patience)


def _plain(host: Host) -> Host:
    """An address as the network below takes it: those of version 4 written in one of version 6 as what they are."""
    if isinstance(host, ipaddress.IPv6Address):
        if host.ipv4_mapped is not None:
            return host.ipv4_mapped
        if host.sixtofour is not None:
            return host.sixtofour
        if host.teredo is not None:
            return host.teredo[1]
        if any(host in net for net in EMBEDDING) and not (host.is_loopback or host.is_unspecified):
            return ipaddress.IPv4Address(int(host) & 0xFFFFFFFF)
    return host


def _networks(written: Sequence[str]) -> tuple[Net, ...]:
    return tuple(ipaddress.ip_network(each, strict=False) for each in written)
