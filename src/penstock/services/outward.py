"""How is an address called that settings, flows or people name? At a place that was looked at first.

A name is resolved once and the place that it has then is called, so that nothing else can be behind it a moment later.
What only this machine's link reaches, and what clouds tell a machine of itself, is not called; no redirect is followed.
"""

from __future__ import annotations

import contextlib
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
    unless `allow` (networks) names them; `setting` is where people say so.
    """

    allow: tuple[str, ...] = ()
    setting: str = ""

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


# For addresses that settings name: whoever wrote those may have services of their own on this machine.
INSIDE: Final = Guard(allow=("127.0.0.0/8", "::1/128"))
Resolve = Callable[[str, int], Sequence[str]]


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


def place_of(host: str, port: int, guard: Guard | None = INSIDE, resolve: Resolve = addresses) -> str:
    """The place of a name; none of its places may be one that is refused. Raises AddressRefused, OSError."""
    try:
        places = resolve(host, port)
    except UnicodeError as error:
        raise OSError(f"{host[:100]} is no name") from error
    if not places:
        raise OSError(f"{host} has no place")
    for place in places:
        if guard is not None and guard.refuses(ipaddress.ip_address(place)):
            hint = f"`{guard.setting}` in penstock.yaml names networks that may be called nevertheless."
            sentence = f"{host} is at {place}, which must not be called from here."
            raise AddressRefused(sentence, hint=hint if guard.setting else "")
    return places[0]


def line_to(
    address: str,
    patience: float,
    *,
    guard: Guard | None = INSIDE,
    trusted: ssl.SSLContext | None = None,
    resolve: Resolve = addresses,
) -> http.client.HTTPConnection:
    """A connection to an http or https address, to be closed by who asks. Raises AddressRefused, OSError."""
    import http.client

    parts = urlsplit(address)
    assert parts.hostname
    port = parts.port or PORTS[parts.scheme]
    made = socket.create_connection((place_of(parts.hostname, port, guard, resolve), port), patience)
    line = http.client.HTTPConnection(parts.hostname, port, timeout=patience)
    if parts.scheme == "https":
        line = http.client.HTTPSConnection(parts.hostname, port, timeout=patience)
        try:
            made = (trusted or _trust()).wrap_socket(made, server_hostname=parts.hostname)
        except OSError:
            made.close()
            raise
    line.sock = made
    return line


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    guard: Guard | None = None,
    patience: float = PATIENCE,
    resolve: Resolve = addresses,
) -> Answer:
    """Send a body to an address; without a `guard` it is one of the settings. Raises AddressRefused, Unanswered."""
    import http.client

    parts = check(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with contextlib.closing(line_to(url.strip(), patience, guard=guard, resolve=resolve)) as line:
            line.request("POST", path, body, {"User-Agent": "penstock", **headers})
            answered = line.getresponse()
            return Answer(answered.status, answered.read(LARGEST).decode("utf-8", "replace")[:200])
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(f"{parts.hostname} does not answer: {str(error) or type(error).__name__}.") from error


@functools.cache
def _trust() -> ssl.SSLContext:
    """Whom to believe, read once: it takes longer than a call."""
    import ssl

    return ssl.create_default_context()


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
