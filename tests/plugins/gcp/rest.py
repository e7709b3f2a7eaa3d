"""What does Google's client say to BigQuery? A server on loopback takes its jobs down and answers as was planned."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

JOBS = re.compile(r".*/projects/([^/]+)/jobs(?:/([^/?]+))?(/cancel)?$")
QUERIES = re.compile(r".*/projects/([^/]+)/queries/([^/?]+)$")
SCHEMA = {
    "fields": [
        {"name": "id", "type": "INTEGER"},
        {"name": "price", "type": "NUMERIC"},
        {"name": "seen", "type": "TIMESTAMP"},
        {"name": "tags", "type": "STRING", "mode": "REPEATED"},
        {
            "name": "place",
            "type": "RECORD",
            "fields": [{"name": "x", "type": "FLOAT"}, {"name": "raw", "type": "BYTES"}],
        },
    ]
}


def row(number: int) -> dict[str, object]:
    """A row as the protocol has it."""
    place = {"f": [{"v": "1.5"}, {"v": "YWI="}]}
    cells = [str(number), "1.50", "1451703845000000", [{"v": "a"}, {"v": "b"}], place]
    return {"f": [{"v": each} for each in cells]}


class BigQuery(ThreadingHTTPServer):
    """`rows` is what a query gives, two a page; `refusals` come first, each a reason and a message; `held` keeps a job
    running until it is cancelled.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.jobs: list[dict[str, Any]] = []
        self.refusals: list[tuple[str, str]] = []
        self.rows = 3
        self.held = False
        self.read = threading.Event()
        self.cancelled = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = cast("BigQuery", self.server)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        path = urlsplit(self.path).path
        found = JOBS.match(path)
        assert found is not None, path
        if found[3]:
            server.cancelled.set()
            self._answer({"job": self._job(server.jobs[-1])})
            return
        server.jobs.append(body)
        if server.refusals:
            reason, message = server.refusals.pop(0)
            told = {"code": 400, "message": message, "errors": [{"reason": reason, "message": message}]}
            self._answer({"error": told}, 400)
        else:
            self._answer(self._job(body))

    def do_GET(self) -> None:
        server = cast("BigQuery", self.server)
        split = urlsplit(self.path)
        job = server.jobs[-1]
        if not QUERIES.match(split.path):
            self._answer(self._job(job))
            return
        server.read.set()
        if server.held:
            server.cancelled.wait(20)
        asked = parse_qs(split.query)
        start = int(asked.get("pageToken", ["0"])[0])
        most = min(int(asked.get("maxResults", ["2"])[0]), 2)
        told: dict[str, object] = {
            "jobReference": job["jobReference"],
            "jobComplete": True,
            "schema": SCHEMA,
            "totalRows": str(server.rows),
        }
        if most:
            told["rows"] = [row(number) for number in range(start, min(start + most, server.rows))]
        if most and start + most < server.rows:
            told["pageToken"] = str(start + most)
        self._answer(told)

    def _job(self, body: dict[str, Any]) -> dict[str, object]:
        server = cast("BigQuery", self.server)
        configuration = dict(body["configuration"])
        place = {"projectId": "shop", "datasetId": "_anonymous", "tableId": "answer"}
        configuration["query"] = {"destinationTable": place, **configuration["query"]}
        return {
            "kind": "bigquery#job",
            "jobReference": {"location": "US", **body["jobReference"]},
            "configuration": configuration,
            "status": {"state": "RUNNING" if server.held and not server.cancelled.is_set() else "DONE"},
            "statistics": {
                "startTime": "1451703845000",
                "endTime": "1451703846500",
                "query": {
                    "totalBytesProcessed": "1024",
                    "totalBytesBilled": "2048",
                    "statementType": "SELECT",
                    "referencedTables": [{"projectId": "shop", "datasetId": "sales", "tableId": "orders"}],
                },
            },
        }

    def _answer(self, body: object, code: int = 200) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def serving() -> Iterator[BigQuery]:
    """The server while the block lasts."""
    server = BigQuery()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.cancelled.set()
        server.shutdown()
        server.server_close()
        thread.join()
