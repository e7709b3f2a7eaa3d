"""Is a server that is away, or only begins, waited for as long as was said, and then named with its address?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from penstock.sdk.local import LocalContext


class Beginning(BaseHTTPRequestHandler):
    """A JobManager that has not found out yet that it is the only one."""

    def do_GET(self) -> None:
        said = b'{"errors": ["Service temporarily unavailable due to an ongoing leader election. Please refresh."]}'
        self.send_response(503)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is told."""


@pytest.fixture
def beginning() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Beginning) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def waited(address: str) -> str:
    with LocalContext() as local:
        failure = local.run("flink.wait", {"jobManagerUrl": address, "names": ["a"], "patience": "PT0.3S"}).failure
    assert failure is not None
    return str(failure["message"])


def test_who_only_begins_is_named_with_the_address(beginning: str) -> None:
    assert f"Flink's JobManager at {beginning}: Service temporarily unavailable" in waited(beginning)


def test_who_is_away_is_named_with_the_address() -> None:
    assert "Flink's JobManager at http://127.0.0.1:1: Connection refused" in waited("http://127.0.0.1:1")
