"""How is an HTTP request sent? With the standard library: own time limits, careful redirects, no file URLs."""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

import msgspec

from penstock.errors.task import BadAddress
from penstock.sdk.task import TaskFailed

PRIVATE: Final = ("authorization", "cookie", "proxy-authorization")
MOST_REDIRECTS: Final = 10


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """One request; times are seconds. `called` is what messages say in the place of an address that is a secret."""

    method: str
    uri: str
    headers: dict[str, str] = {}
    body: bytes | Path | None = None
    connect_timeout: float | None = None
    read_timeout: float | None = 10
    follow: bool = True
    verify: bool = True
    proxy: str = ""
    called: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came back; `stream` is read while the connection is open."""

    uri: str
    code: int
    headers: dict[str, list[str]]
    stream: Any
    charset: str = ""


@contextlib.contextmanager
def sent(sending: Sending) -> Iterator[Reply]:
    """Send a request; TaskFailed when no answer comes, whatever its status otherwise."""
    opener = _opener(sending)
    with contextlib.ExitStack() as stack:
        body: Any = sending.body
        headers = dict(sending.headers)
        if isinstance(body, Path):
            headers["Content-Length"] = str(body.stat().st_size)
            body = stack.enter_context(body.open("rb"))
        request = _Asked(sending.uri, body, headers, method=sending.method)
        try:
            answer = opener.open(request, timeout=sending.read_timeout)
        except urllib.error.HTTPError as error:
            answer = error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TaskFailed(
                f"{sending.called or f'{sending.method} {plain_uri(sending.uri)}'}: {_why(error)}."
            ) from error
        stack.callback(answer.close)
        yield Reply(
            uri=answer.geturl() or sending.uri,
            code=int(answer.status or 0),
            headers=_lists(answer.headers.items()),
            stream=answer,
            charset=answer.headers.get_content_charset() or "",
        )


def read_all(reply: Reply, most: int) -> bytes:
    """The whole body; TaskFailed when it is larger than allowed."""
    try:
        content: bytes = reply.stream.read(most + 1)
    except (OSError, http.client.HTTPException) as error:
        raise TaskFailed(f"The answer broke off: {_why(error)}.") from error
    if len(content) > most:
        raise TaskFailed(f"The answer is larger than the {most} bytes that maxContentLength allows.")
    return content


def pour(reply: Reply, target: IO[bytes], block: int = 256 * 1024) -> int:
    """Write the body to a file; gives its bytes, TaskFailed when it broke off before its promised end."""
    done = 0
    try:
        while content := reply.stream.read(block):
            target.write(content)
            done += len(content)
    except (OSError, http.client.HTTPException) as error:
        raise TaskFailed(f"The answer broke off after {done} bytes: {_why(error)}.") from error
    promised = reply.headers.get("content-length", [""])[0]
    if promised.isdigit() and done < int(promised):
        raise TaskFailed(f"The answer broke off after {done} of {promised} bytes.")
    return done


def basic(user: str, password: str) -> str:
    """The header that says who asks."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def plain_uri(uri: str) -> str:
    """An address without the password and the query in it, for messages."""
    split = urlsplit(uri)
    return split._replace(netloc=split.netloc.rpartition("@")[2], query="").geturl()


def _opener(sending: Sending) -> urllib.request.OpenerDirector:
    if urlsplit(sending.uri).scheme.lower() not in ("http", "https"):
        shown = sending.called or f'"{plain_uri(sending.uri)}"'
        raise BadAddress(f"{shown}: this is no address of HTTP.", hint="It begins with http:// or https://.")
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler({"http": sending.proxy, "https": sending.proxy} if sending.proxy else None),
        _Http(sending.connect_timeout),
        _Https(sending.connect_timeout, sending.verify),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        *((_Redirects(),) if sending.follow else ()),
    ):
        opener.add_handler(handler)
    return opener


class _Asked(urllib.request.Request):
    """A request to an address whose scheme the opener has looked at; files have no handler there anyway."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects; what says who asks does not go along to another host."""

    max_redirections = MOST_REDIRECTS

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and _origin(req.full_url) != _origin(newurl):
            for name in list(following.headers):
                if name.lower() in PRIVATE:
                    following.remove_header(name)
        return following


class _Http(urllib.request.HTTPHandler):
    """Plain HTTP with a time limit of its own for connecting."""

    def __init__(self, connect: float | None) -> None:
        super().__init__()
        self._connect = connect

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_patient(http.client.HTTPConnection, self._connect), req)


class _Https(urllib.request.AbstractHTTPHandler):
    """HTTP through TLS with a time limit of its own for connecting."""

    def __init__(self, connect: float | None, verify: bool) -> None:
        super().__init__()
        self._connect = connect
        self._verify = verify

    def https_open(self, req: urllib.request.Request) -> Any:
        # Not before it is needed: reading whom the machine trusts takes longer than a request on the machine itself.
        trust = ssl.create_default_context()
        if not self._verify:
            trust.check_hostname = False
            trust.verify_mode = ssl.CERT_NONE
        return self.do_open(_patient(http.client.HTTPSConnection, self._connect), req, context=trust)

    https_request = urllib.request.AbstractHTTPHandler.do_request_


def _patient(kind: Any, connect: float | None) -> Any:
    """A connection that waits `connect` for the connection, and its own time limit for each read."""

    def make(host: str, **options: Any) -> Any:
        connection = kind(host, **options)
        waits = options.get("timeout")

        def create(address: Any, timeout: Any = None, source: Any = None) -> socket.socket:
            made = socket.create_connection(address, connect if connect is not None else timeout, source)
            made.settimeout(waits if isinstance(waits, int | float) else None)
            return made

        connection._create_connection = create
        return connection

    return make


def _origin(uri: str) -> tuple[str, str | None, int | None]:
    split = urlsplit(uri)
    return split.scheme, split.hostname, split.port


def _lists(items: Any) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in items:
        lists.setdefault(str(name).lower(), []).append(str(value))
    return lists


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    return str(getattr(reason, "strerror", None) or reason) or type(reason).__name__


def header(headers: Mapping[str, str], name: str) -> str:
    """A header's value, whichever way its name is written."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")
