"""How does a test come between a task and the catalog? As a server that hands everything on, and may do more."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Told the number of a change that is asked for; before it is handed on, and after.
Hook = Callable[[int], None]


class Dropped(Exception):
    """The connection is to end without an answer."""


def nothing(_number: int) -> None:
    """Do nothing."""


@contextmanager
def between(address: str, before: Hook = nothing, after: Hook = nothing) -> Iterator[str]:
    """Stand between: gives the address to speak to. A hook that raises Dropped ends the connection."""
    asked = [0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._hand_on(None)

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            asked[0] += 1
            number = asked[0]
            try:
                before(number)
                self._hand_on(content, lambda: after(number))
            except Dropped:
                self.close_connection = True

        def _hand_on(self, content: bytes | None, done: Callable[[], None] = lambda: None) -> None:
            headers = {"Content-Type": "application/json"}
            try:
                request = urllib.request.Request(f"{address}{self.path}", data=content, headers=headers)
                with urllib.request.urlopen(request, timeout=30) as reply:
                    status, told = reply.status, reply.read()
            except urllib.error.HTTPError as error:
                status, told = error.code, error.read()
            done()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
