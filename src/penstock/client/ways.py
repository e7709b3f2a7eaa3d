"""By which way does one come to a server? Straight, or by the proxy that the environment names; with TLS or without."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import select
import ssl
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from penstock.errors.client import BadServerAddress


class Way(msgspec.Struct, frozen=True):
    """The way to a server: its address, and that of a proxy, where one stands before it."""

    server: SplitResult
    proxy: SplitResult | None = None

    @property
    def host(self) -> str:
        """The server's host."""
        return self.server.hostname or ""

    @property
    def open(self) -> bool:
        """Whether others on the way can read what is sent."""
        return self.server.scheme == "http" and not _is_here(self.host)

    def connection(self, timeout: float, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
        """A connection, which is opened when it is used first."""
        first = self.proxy or self.server
        host = first.hostname or ""
        if self.server.scheme == "http":
            return http.client.HTTPConnection(host, first.port, timeout=timeout)
        context = tls or ssl.create_default_context()
        secure = http.client.HTTPSConnection(host, first.port, timeout=timeout, context=context)
        if self.proxy is not None:
            secure.set_tunnel(self.host, self.server.port, self.credentials)
        return secure

    def target(self, path: str) -> str:
        """What is asked for on a connection, for a path of the server."""
        whole = self.server.path.rstrip("/") + path
        # A proxy has to be told which server is meant, where it does not only hand on what it cannot read.
        by_proxy = self.proxy is not None and self.server.scheme == "http"
        return f"{self.server.scheme}://{self.server.netloc}{whole}" if by_proxy else whole

    @property
    def headers(self) -> dict[str, str]:
        """What each call says to the proxy."""
        return self.credentials if self.server.scheme == "http" else {}

    @property
    def credentials(self) -> dict[str, str]:
        """By what the proxy knows who comes."""
        if self.proxy is None or self.proxy.username is None:
            return {}
        pair = f"{unquote(self.proxy.username)}:{unquote(self.proxy.password or '')}"
        return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def way_to(url: str) -> Way:
    """The way to a server, as the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY) says. Raises BadServerAddress."""
    try:
        server = urlsplit(url)
        known = server.scheme in ("http", "https") and server.hostname and (server.port or 1)
    except ValueError:
        known = None
    if not known or server.query or server.fragment or server.username is not None:
        raise BadServerAddress(f'"{url[:200]}" is no address of a server.')
    named = getproxies().get(server.scheme, "")
    if not named or _is_here(server.hostname or "") or proxy_bypass(server.netloc):
        return Way(server)
    return Way(server, urlsplit(named if "://" in named else f"http://{named}"))


def stands(connection: http.client.HTTPConnection) -> bool:
    """Whether a kept connection still stands: a server that has closed it, or says anything unasked, makes it
    readable.
    """
    if connection.sock is None:
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
