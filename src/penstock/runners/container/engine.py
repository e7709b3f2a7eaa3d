"""Where is a container engine, and how is it asked? HTTP over a socket, as Docker and Podman both speak it."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from penstock.errors.work import EngineRefused, NoEngine

NAMES: Final = ("CONTAINER_HOST", "DOCKER_HOST")
# Long enough for an engine on a machine that is busy; streams and waits have no end of their own.
PATIENCE: Final = 120.0
NOT_FOUND: Final = 404
REFUSES: Final = 400
JSON: Final = {"Content-Type": "application/json"}
TAR: Final = {"Content-Type": "application/x-tar"}

Query = Mapping[str, object]
Body = bytes | Iterable[bytes] | None


class _Socket(http.client.HTTPConnection):
    """A connection to a socket of this machine."""

    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__("engine", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    """A container engine at an address: unix://, tcp://, http:// or https://."""

    def __init__(self, address: str) -> None:
        self.address = address

    def call(self, method: str, path: str, body: object = None, **query: object) -> object:
        """Ask for something and give what is answered, JSON as values; EngineRefused, with its `status`."""
        data = None if body is None else msgspec.json.encode(body)
        with self.stream(method, path, data, query, JSON, PATIENCE) as answer:
            text = answer.read()
        return msgspec.json.decode(text) if text.lstrip()[:1] in (b"{", b"[") else text.decode(errors="replace")

    def stream(
        self,
        method: str,
        path: str,
        body: Body = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> http.client.HTTPResponse:
        """Ask for something that comes bit by bit; to be closed."""
        target = f"{path}?{urlencode({name: str(value) for name, value in query.items()})}" if query else path
        connection = self._connection(timeout)
        try:
            chunked = body is not None and not isinstance(body, bytes)
            connection.request(method, target, body, dict(headers or {}), encode_chunked=chunked)
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NoEngine(f"The container engine at {self.address} does not answer: {told(error)}.") from error
        if answer.status >= REFUSES:
            text = answer.read()
            connection.close()
            message = _message(text) or f"{answer.status} {answer.reason}"
            refused = f"The container engine refused: {message.rstrip('.')}."
            raise EngineRefused(refused, status=answer.status, message=message)
        return answer

    def _connection(self, timeout: float | None) -> http.client.HTTPConnection:
        where = urlsplit(self.address)
        match where.scheme:
            case "unix":
                return _Socket(where.path, timeout)
            case "https":
                return self._secure(where.hostname or "", where.port or 2376, timeout)
            case "tcp" | "http" if os.environ.get("DOCKER_TLS_VERIFY") and where.scheme == "tcp":
                return self._secure(where.hostname or "", where.port or 2376, timeout)
            case "tcp" | "http":
                return http.client.HTTPConnection(where.hostname or "", where.port or 2375, timeout=timeout)
            case other:
                sentence = f'A container engine cannot be reached by "{other}:" ({self.address}).'
                raise NoEngine(sentence, hint="Give a socket (unix:///…) or an address (tcp://host:port).")

    def _secure(self, host: str, port: int, timeout: float | None) -> http.client.HTTPConnection:
        folder = os.environ.get("DOCKER_CERT_PATH", "")
        authority = Path(folder) / "ca.pem" if folder else None
        context = ssl.create_default_context(cafile=str(authority) if authority and authority.is_file() else None)
        if folder and (Path(folder) / "cert.pem").is_file():
            context.load_cert_chain(Path(folder) / "cert.pem", Path(folder) / "key.pem")
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)


def find(address: str) -> Engine:
    """The engine at an address, or, when none is given, the first of the usual ones that answers. Raises NoEngine."""
    environ = os.environ
    given = address or next((environ[name] for name in NAMES if environ.get(name)), "")
    if given:
        return Engine(given if "://" in given else f"unix://{given}")
    tried: list[str] = []
    for path in usual():
        if not path.exists():
            continue
        try:
            with socket.socket(socket.AF_UNIX) as trial:
                trial.settimeout(PATIENCE)
                trial.connect(str(path))
        except PermissionError:
            tried.append(f"{path} may not be used by this user")
        except OSError as error:
            tried.append(f"nobody answers at {path} ({error.strerror})")
        else:
            return Engine(f"unix://{path}")
    why = "; ".join(tried) if tried else "neither DOCKER_HOST nor CONTAINER_HOST is set, and no usual socket is there"
    raise NoEngine(f"The task is to run in a container, and no container engine was found: {why}.")


def usual() -> list[Path]:
    """Where the sockets of engines usually are: this user's own first."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    own = [runtime / "docker.sock", runtime / "podman/podman.sock", Path.home() / ".docker/run/docker.sock"]
    return [*own, Path("/var/run/docker.sock"), Path("/run/podman/podman.sock")]


def told(error: BaseException) -> str:
    """What went wrong with a connection, as a person would say it."""
    return str(getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")


def _message(text: bytes) -> str:
    try:
        body = msgspec.json.decode(text, type=dict[str, object])
    except msgspec.MsgspecError:
        return text.decode(errors="replace").strip()
    return str(body.get("message") or body.get("cause") or "")
