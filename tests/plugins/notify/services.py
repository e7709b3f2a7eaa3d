"""Which servers stand for the services that people are told through? HTTP and SMTP of real sockets, TLS included."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import msgspec
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Posted(msgspec.Struct, frozen=True):
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Planned(msgspec.Struct, frozen=True):
    """An answer to give instead of 200."""

    code: int
    body: bytes = b""
    headers: dict[str, str] = {}


class Service(ThreadingHTTPServer):
    """A server on a free port that keeps what comes; `planned` are the next answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.posted: list[Posted] = []
        self.planned: list[Planned] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        service = cast("Service", self.server)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        service.posted.append(Posted(self.path, {name.lower(): text for name, text in self.headers.items()}, body))
        planned = service.planned.pop(0) if service.planned else Planned(200, b"ok")
        self.send_response(planned.code)
        for name, text in {**planned.headers, "Content-Length": str(len(planned.body))}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(planned.body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def serving() -> Iterator[Service]:
    """A service while the block lasts."""
    server = Service()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Received(msgspec.Struct, frozen=True):
    """One mail that came: from whom, to whom, and the mail itself."""

    sender: str
    people: list[str]
    mail: EmailMessage


class Post:
    """A mail server's inbox; it knows one person, and takes no mail for `nobody@example.org`."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.encrypted: list[bool] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 nobody is here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = cast("bytes", envelope.content)
        mail = message_from_bytes(content, policy=policy.default)
        self.received.append(Received(envelope.mail_from or "", list(envelope.rcpt_tos), mail))
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 taken"


def _let_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ann", b"hunter22")
    return AuthResult(success=known, handled=False)


@contextmanager
def posting(way: str, certificate: tuple[Path, Path]) -> Iterator[tuple[Post, int]]:
    """A mail server on a free port: `plain`, `starttls` or `tls`."""
    post, trust = Post(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trust.load_cert_chain(*certificate)
    upgrade = trust if way == "starttls" else None

    def greet() -> SMTP:
        must = way == "starttls"
        return SMTP(
            post, authenticator=_let_in, auth_require_tls=must, tls_context=upgrade, require_starttls=must, loop=loop
        )

    loop = asyncio.new_event_loop()
    listening = loop.create_server(greet, "127.0.0.1", 0, ssl=trust if way == "tls" else None)
    server = loop.run_until_complete(listening)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield post, server.sockets[0].getsockname()[1]
    finally:
        # Not before its sessions are over: they would wake it twice.
        asyncio.run_coroutine_threadsafe(_over(), loop).result(10)
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _over() -> None:
    """Wait for the end of what is still being said; each session is a task."""
    own = asyncio.current_task()
    if said := [task for task in asyncio.all_tasks() if task is not own]:
        await asyncio.wait(said, timeout=5)


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    certificate, key = folder / "localhost.pem", folder / "localhost.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key
