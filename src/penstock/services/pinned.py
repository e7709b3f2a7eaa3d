"""How does httpx, or a library made like it, call only places that were looked at first?"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, cast

from penstock.services.outward import PORTS, Resolve, addresses, place_of

if TYPE_CHECKING:
    import httpx


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
