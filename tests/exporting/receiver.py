"""Who takes what is told in tests? An HTTP server on loopback that keeps every call, and answers as it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec


class Heard(msgspec.Struct, frozen=True):
    """One call: path, headers in lower case, body."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """What was heard, and which statuses are answered next (else 200)."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: list[int] = []
        self.url = ""
        self.arrived = threading.Semaphore(0)

    @property
    def taken(self) -> list[Heard]:
        """All that was heard."""
        return list(self.heard)

    def wait(self, seconds: float = 20.0) -> Heard:
        """The next call that nobody waited for yet."""
        assert self.arrived.acquire(timeout=seconds), "nobody has called"
        return self.heard[-1]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver for the length of the block."""
    receiver = Receiver()

    class Asked(BaseHTTPRequestHandler):
        """One call."""

        timeout = 10.0

        def do_POST(self) -> None:
            """Keep it."""
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status = receiver.answers.pop(0) if receiver.answers else 200
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.heard.append(Heard(self.path, headers, body))
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
            receiver.arrived.release()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is told of it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
