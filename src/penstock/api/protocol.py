"""How long and how large may what comes before a call be? A head is bounded in bytes and in time, as a body is."""

from __future__ import annotations

import asyncio
from typing import Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD: Final = 64 * 1024
HEAD_WITHIN: Final = 30.0


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed where a head does not come to its end; what is no HTTP is refused, and no fault."""

    _head: int = 0
    _within: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has come, and says soon what they want."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """They have gone."""
        self._waited()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless it is no head that anybody needs."""
        before = self._head
        try:
            super().data_received(data)
        except (UnicodeDecodeError, httptools.HttpParserError):
            self._waited()
            self.send_400_response("Invalid HTTP request received.")
            return
        if self._within is not None:
            self._head = before + len(data)
            if self._head > LONGEST_HEAD:
                self._waited()
                self.send_400_response("The head of this request is too large.")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._head = 0
        self._wait()

    def on_headers_complete(self) -> None:
        """It has come to its end."""
        self._waited()
        super().on_headers_complete()

    def _wait(self) -> None:
        if self._within is None:
            self._within = self.loop.call_later(HEAD_WITHIN, self._give_up)

    def _waited(self) -> None:
        if self._within is not None:
            self._within.cancel()
            self._within = None

    def _give_up(self) -> None:
        self._within = None
        if not self.transport.is_closing():
            self.transport.close()
