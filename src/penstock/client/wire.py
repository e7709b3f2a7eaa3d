"""How does a call reach a server, and its answer come back? Kept connections, retries where they are safe, errors as
ours.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from penstock import __version__
from penstock.client.faults import fault_of
from penstock.client.ways import Way, stands, way_to
from penstock.errors.api import TooBusy, TooManyCalls
from penstock.errors.client import ServerUnreachable, StrangeAnswer
from penstock.errors.store import CommitUnknown, StoreBusy, StoreGone

T = TypeVar("T")
JSON: Final = "application/json"
TIMEOUT: Final = 30.0
PAUSES: Final = (0.1, 0.5, 1.5)
PIECE: Final = 256 * 1024
# What was refused before it was begun may be asked for again, whatever it was; what may have been done only where
# doing it twice is doing it once.
NOT_BEGUN: Final = (TooBusy, TooManyCalls)
PASSES: Final = (StoreBusy, StoreGone, CommitUnknown)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One call: what to send where. `safe` says that it may be sent twice and is done once."""

    method: str
    path: str
    query: Mapping[str, object] = {}
    body: object = None
    text: str | None = None
    file: Any = None
    headers: Mapping[str, str] = {}
    safe: bool = False


@dataclass(slots=True)
class Given:
    """An answer whose body is still on its way; close it."""

    wire: Wire
    connection: http.client.HTTPConnection
    response: http.client.HTTPResponse

    def read(self) -> bytes:
        """All of the body. Raises ServerUnreachable where it does not come."""
        with self.wire.telling():
            body = self.response.read()
        return gzip.decompress(body) if self.response.headers.get("Content-Encoding") == "gzip" else body

    def pieces(self) -> Iterator[bytes]:
        """The body piece by piece, as it comes; raises likewise."""
        while piece := self._piece():
            yield piece

    def lines(self, patience: float, until: float | None = None) -> Iterator[bytes]:
        """The body line by line, as it comes, until a moment of the clock `time.monotonic`; raises likewise, also when
        nothing comes for so many seconds.
        """
        while True:
            left = patience if until is None else min(patience, until - time.monotonic())
            if left <= 0:
                return
            if self.connection.sock is not None:
                self.connection.sock.settimeout(left)
            if not (line := self._line()):
                return
            yield line

    def close(self) -> None:
        """Keep the connection for the next call, if nothing is left on it."""
        if self.response.isclosed() and not self.response.will_close and self.connection.sock is not None:
            self.connection.sock.settimeout(self.wire.timeout)
            self.wire.keep(self.connection)
        else:
            self.connection.close()

    def _piece(self) -> bytes:
        with self.wire.telling():
            return self.response.read(PIECE)

    def _line(self) -> bytes:
        with self.wire.telling():
            return self.response.readline()


@dataclass(slots=True)
class Wire:
    """The way to one server; any thread may call, and `close` ends what is kept open."""

    url: str
    token: str = field(default="", repr=False)
    timeout: float = TIMEOUT
    tls: ssl.SSLContext | None = None
    pauses: tuple[float, ...] = PAUSES
    way: Way = field(init=False)
    _idle: list[http.client.HTTPConnection] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self.way = way_to(self.url)
        self.url = self.url.rstrip("/")

    def ask(self, asked: Ask, shape: type[T]) -> T:
        """Make a call and read its answer. Raises the errors of the server, and ServerUnreachable."""
        headers = {"Accept-Encoding": "gzip"} | dict(asked.headers)
        with self.given(msgspec.structs.replace(asked, headers=headers)) as answer:
            body = answer.read()
        if shape is type(None):
            return msgspec.convert(None, shape)
        try:
            return msgspec.json.decode(body or b"null", type=shape)
        except msgspec.MsgspecError as error:
            raise StrangeAnswer(f"The answer to {asked.method} {asked.path} is not understood: {error}.") from None

    @contextlib.contextmanager
    def given(self, asked: Ask) -> Iterator[Given]:
        """Make a call, and give its answer while its body comes. Raises like `ask`."""
        made = self._patiently(asked)
        try:
            yield made
        finally:
            made.close()

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Tell what goes wrong on the way as an error of ours."""
        try:
            yield
        except (OSError, http.client.HTTPException) as error:
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ServerUnreachable(f"{self.url} cannot be reached, or does not answer: {said}.") from error

    def keep(self, connection: http.client.HTTPConnection) -> None:
        """Keep a connection that nobody uses."""
        with self._lock:
            self._idle.append(connection)

    def close(self) -> None:
        """End all connections that nobody uses; safe to call twice."""
        with self._lock:
            idle, self._idle = self._idle, []
        for each in idle:
            each.close()

    def _patiently(self, asked: Ask) -> Given:
        for pause in self.pauses:
            try:
                return self._once(asked)
            except NOT_BEGUN:
                pass
            except PASSES:
                if not asked.safe:
                    raise
            except ServerUnreachable as error:
                refused = isinstance(error.__cause__, ConnectionRefusedError)
                if isinstance(error.__cause__, ssl.SSLError) or not (asked.safe or refused):
                    raise
            time.sleep(pause)
        return self._once(asked)

    def _once(self, asked: Ask) -> Given:
        connection = self._connection()
        body, media = _body(asked)
        own = {"Accept": f"{JSON}, */*;q=0.5", "User-Agent": f"penstock/{__version__}"}
        headers = own | self.way.headers | dict(asked.headers)
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if media:
            headers.setdefault("Content-Type", media)
        if asked.file is not None:
            headers["Content-Length"] = str(asked.file.seek(0, 2))
            asked.file.seek(0)
        made: Given | None = None
        try:
            with self.telling():
                connection.request(asked.method, self._target(asked), body, headers)
                made = Given(self, connection, connection.getresponse())
            if made.response.status < 300:
                return made
            raise fault_of(made.response.status, made.read(), f"{asked.method} {asked.path}")
        except BaseException:
            made.close() if made else connection.close()
            raise

    def _target(self, asked: Ask) -> str:
        query = urlencode(list(_parameters(asked.query)))
        return self.way.target(f"{asked.path}{f'?{query}' if query else ''}")

    def _connection(self) -> http.client.HTTPConnection:
        """A kept connection that still stands, else a new one."""
        while True:
            with self._lock:
                if not self._idle:
                    break
                kept = self._idle.pop()
            if stands(kept):
                return kept
            kept.close()
        return self.way.connection(self.timeout, self.tls)


def path(*parts: str) -> str:
    """An address below `/v1`, each part written so that it is one part."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def _body(asked: Ask) -> tuple[bytes | BinaryIO | None, str]:
    if asked.file is not None:
        file: BinaryIO = asked.file
        return file, "application/octet-stream"
    if asked.text is not None:
        return asked.text.encode(), "application/yaml"
    if asked.body is not None:
        return msgspec.json.encode(asked.body), JSON
    return (b"", "") if asked.method in ("POST", "PUT") else (None, "")


def _parameters(query: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Parameters as they are sent; what is empty is left out."""
    for name, value in query.items():
        if value is None or value == "" or value is False:
            continue
        for each in value if isinstance(value, list | tuple) else [value]:
            yield name, _written(each)


def _written(value: object) -> str:
    match value:
        case bool():
            return "true"
        case str():
            return str(value)
        case _:
            return str(msgspec.to_builtins(value))
