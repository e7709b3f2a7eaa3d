"""How are a worker's own figures read? At a port of its own, by whoever can reach it: they name nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from penstock.errors.api import NotServed
from penstock.telemetry.metrics import MEDIA, Metrics


@contextmanager
def exposed(metrics: Metrics, host: str, port: int) -> Iterator[str]:
    """Serve `/metrics` for the length of the block, and give its address. Raises NotServed."""
    # 15 ms that only who wants figures pays for
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Asked(BaseHTTPRequestHandler):
        """One call."""

        timeout = 10.0

        def do_GET(self) -> None:
            """Tell the figures; nothing else is here."""
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            body = metrics.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", MEDIA)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """A scrape is nothing to tell of."""

    try:
        server = ThreadingHTTPServer((host, port), Asked)
    except OSError as error:
        sentence = f"No figures can be served at {host}:{port}: {error.strerror or error}."
        raise NotServed(sentence, hint="Name another port; 0 takes any that is free.") from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="penstock-metrics", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
