"""Where does a call from a server or a worker go that settings or flows name? To a place that was looked at first.

A name is resolved once and the place that it has then is called, so that nothing else can be behind it a moment later.
What only this machine's link reaches, and what clouds tell a machine of itself, is not called.
"""

from __future__ import annotations

import importlib
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from penstock.errors.work import AddressRefused
from penstock.services.outward import PORTS, Guard, addresses

if TYPE_CHECKING:
    import http.client
    import ssl

    import httpx

# Who names these addresses may have services of their own on this machine.
INSIDE: Final = Guard(allow=("127.0.0.0/8", "::1/128"))
Resolve = Callable[[str, int], Sequence[str]]


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
            raise AddressRefused(f"{host} is at {place}, which must not be called from here.")
    return places[0]


def transport(resolve: Resolve = addresses, library: Any = None) -> httpx.BaseTransport:
    """What httpx, or a `library` that is made like it, sends its calls by: each goes to the place that its name had
    when it was looked at.
    """
    return cast("httpx.BaseTransport", Pinned(resolve, library or importlib.import_module("httpx")))


class Pinned:
    """The same, which httpx asks; it closes with its client."""

    def __init__(self, resolve: Resolve, library: Any) -> None:
        self._resolve = resolve
        self._library = library
        self._inner = library.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one call. Raises AddressRefused, httpx.HTTPError."""
        host, scheme = request.url.host, request.url.scheme
        if scheme not in PORTS:
            told = "an address of HTTP begins with http:// or https://"
            raise self._library.UnsupportedProtocol(told, request=request)
        try:
            place = place_of(host, request.url.port or PORTS[scheme], resolve=self._resolve)
        except OSError as error:
            raise self._library.ConnectError(str(error), request=request) from error
        if place != host:
            request.url = request.url.copy_with(host=place)
            request.extensions = {**request.extensions, "sni_hostname": host}
        answer: httpx.Response = self._inner.handle_request(request)
        return answer

    def close(self) -> None:
        """Let go of its connections; safe to call twice."""
        self._inner.close()

    def __enter__(self) -> Pinned:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def line_to(
    address: str, patience: float, *, guard: Guard | None = INSIDE, trusted: ssl.SSLContext | None = None
) -> http.client.HTTPConnection:
    """A connection to an http or https address, to be closed by who asks. Raises AddressRefused, OSError."""
    import http.client
    import ssl

    parts = urlsplit(address)
    assert parts.hostname
    port = parts.port or PORTS[parts.scheme]
    made = socket.create_connection((place_of(parts.hostname, port, guard), port), patience)
    line = http.client.HTTPConnection(parts.hostname, port, timeout=patience)
    if parts.scheme == "https":
        line = http.client.HTTPSConnection(parts.hostname, port, timeout=patience)
        try:
            made = (trusted or ssl.create_default_context()).wrap_socket(made, server_hostname=parts.hostname)
        except OSError:
            made.close()
            raise
    line.sock = made
    return line
