"""Does a change of a table's state keep every file that may be needed, whatever a catalog answers or leaves unsaid?"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.schema import Schema
from pyiceberg.table import CommitTableRequest
from pyiceberg.table.metadata import new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.table.update import update_table_metadata
from pyiceberg.types import LongType, NestedField

from penstock.sdk.local import LocalContext, Told

Answer = Callable[["Server", Any], tuple[int, bytes] | None]


@dataclass
class Server:
    """A catalog that keeps tables in memory; `answers` come in place of what it would say to the next changes."""

    tables: dict[str, Any]
    answers: list[Answer] = field(default_factory=list)
    address: str = ""

    def told(self, name: str) -> bytes:
        metadata = self.tables[name]
        at = f"{metadata.location}/metadata/now.json"
        return json.dumps({"metadata-location": at, "metadata": json.loads(metadata.model_dump_json())}).encode()

    def changed(self, name: str, request: Any) -> tuple[int, bytes]:
        try:
            for each in request.requirements:
                each.validate(self.tables[name])
        except CommitFailedException as error:
            return 409, json.dumps({"error": {"message": str(error)}}).encode()
        self.tables[name] = update_table_metadata(self.tables[name], request.updates)
        return 200, self.told(name)

    def listed(self, path: str, query: dict[str, list[str]]) -> bytes:
        spaces = {tuple(name.split(".")[:-1]) for name in self.tables}
        if path == "/v1/config":
            return b'{"defaults": {}, "overrides": {}}'
        if path == "/v1/namespaces":
            parent = tuple(query["parent"][0].split("\x1f"))
            depth = len(parent) + 1
            return json.dumps(
                {
                    "namespaces": [
                        *{each[:depth] for each in spaces if each[: depth - 1] == parent and len(each) >= depth}
                    ]
                }
            ).encode()
        space = unquote(path.split("/")[3]).replace("\x1f", ".")
        names = [name.rpartition(".")[2] for name in self.tables if name.rpartition(".")[0] == space]
        return json.dumps({"identifiers": [{"namespace": space.split("."), "name": each} for each in names]}).encode()


class Listening(ThreadingHTTPServer):
    """Where a catalog is spoken to."""

    def __init__(self, of: Server) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.of = of


class Asked(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        of: Server = self.server.of
        split = urlsplit(self.path)
        name = self._name(split.path)
        self._say(200, of.told(name) if name else of.listed(split.path, parse_qs(split.query)))

    def do_POST(self) -> None:
        of: Server = self.server.of
        content = self.rfile.read(int(self.headers["Content-Length"]))
        name = self._name(urlsplit(self.path).path)
        request = CommitTableRequest.model_validate_json(
            json.dumps({"identifier": {"namespace": [], "name": name}, **json.loads(content)})
        )
        answer = of.answers.pop(0) if of.answers else lambda of, request: of.changed(name, request)
        said = answer(of, request)
        if said is None:  # a part of an answer, and no more
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"ff\r\n{")
            self.close_connection = True
        else:
            self._say(*said)

    def _name(self, path: str) -> str:
        parts = path.split("/")
        if len(parts) < 6:
            return ""
        return f"{unquote(parts[3])}.{unquote(parts[5])}".replace("\x1f", ".")

    def _say(self, status: int, said: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is told."""


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalContext]:
    with LocalContext(tmp_path) as context:
        yield context


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    of = Server({"shop.orders": made(tmp_path / "lake/shop/orders")})
    with Listening(of) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        of.address = f"http://127.0.0.1:{http.server_port}"
        for _ in range(4):
            load(of).append(pyarrow.table({"n": [1, 2]}))
        yield of
        http.shutdown()


def made(place: Path) -> Any:
    schema = Schema(NestedField(1, "n", LongType(), required=False))
    return new_table_metadata(
        location=f"file://{place}",
        schema=schema,
        partition_spec=UNPARTITIONED_PARTITION_SPEC,
        sort_order=UNSORTED_SORT_ORDER,
        properties={"format-version": "2"},
    )


def load(of: Server) -> Any:
    return load_catalog("c", type="rest", uri=of.address).load_table("shop.orders")


def lying(of: Server) -> set[Path]:
    place = Path(of.tables["shop.orders"].location.removeprefix("file://"))
    return {each for each in place.rglob("*") if each.is_file()}


def message(told: Told) -> str:
    assert told.failure is not None, told.outputs
    return str(told.failure["message"])


def asked(of: Server, **more: object) -> dict[str, object]:
    return {"uri": of.address, "table": "shop.orders", "patience": "PT1S", **more}


def lands_unheard(of: Server, request: Any) -> None:
    assert of.changed("shop.orders", request)[0] == 200


def lands_and_is_refused(of: Server, request: Any) -> tuple[int, bytes]:
    lands_unheard(of, request)
    return 409, b"{}"


@pytest.mark.parametrize("answer", [lands_unheard, lands_and_is_refused])
@pytest.mark.parametrize("kind", ["iceberg.compact", "iceberg.rewrite_manifests"])
def test_a_change_that_took_effect_is_found(server: Server, local: LocalContext, kind: str, answer: Answer) -> None:
    server.answers.append(answer)
    more = {"minFiles": 2} if kind == "iceberg.compact" else {}
    told = local.run(kind, asked(server, tries=1, **more))
    assert told.failure is None
    assert told.outputs["snapshots"] == [str(server.tables["shop.orders"].current_snapshot_id)]
    assert load(server).scan().to_arrow().num_rows == 8


def test_files_of_a_change_that_may_come_later_stay(server: Server, local: LocalContext) -> None:
    late: list[Any] = []

    def is_late(_of: Server, request: Any) -> tuple[int, bytes]:
        late.append(request)
        return 504, b"{}"

    def refuses(_of: Server, _request: Any) -> tuple[int, bytes]:
        return 403, b"{}"

    for answers in ([is_late], [is_late, refuses]):
        server.answers += answers
        assert local.run("iceberg.compact", asked(server, minFiles=2, tries=len(answers))).failure is not None
    before = len(server.tables["shop.orders"].snapshots)
    assert server.changed("shop.orders", late[1])[0] == 200
    assert len(server.tables["shop.orders"].snapshots) == before + 1
    assert load(server).scan().to_arrow().num_rows == 8


def test_files_of_a_change_that_is_refused_go(server: Server, local: LocalContext) -> None:
    before = lying(server)
    server.answers += [lambda _of, _request: (409, b"{}")] * 2
    assert local.run("iceberg.compact", asked(server, minFiles=2, tries=2)).failure is not None
    assert lying(server) == before
    server.answers.append(lambda _of, _request: (403, b"{}"))
    assert local.run("iceberg.rewrite_manifests", asked(server)).failure is not None
    assert lying(server) == before


def test_files_of_tables_below_are_not_taken_for_orphans(server: Server, local: LocalContext, tmp_path: Path) -> None:
    gone = asked(server, olderThan="PT0S", dryRun=True)
    assert local.run("iceberg.remove_orphans", gone).failure is None
    server.tables["shop.orders.old.y2025"] = made(tmp_path / "lake/shop/orders/old/y2025")
    refused = message(local.run("iceberg.remove_orphans", gone))
    assert 'The files of "shop.orders.old.y2025" lie among those of "shop.orders"' in refused


def test_a_name_keeps_its_limits_until_others_are_given(server: Server, local: LocalContext) -> None:
    first, second = (str(each.snapshot_id) for each in load(server).snapshots()[:2])

    def named(**more: object) -> tuple[object, int | None]:
        told = local.run("iceberg.set_ref", asked(server, name="audit", kind="BRANCH", **more))
        assert told.failure is None
        return told.outputs["changed"], server.tables["shop.orders"].refs["audit"].max_ref_age_ms

    assert named(at=first) == (True, None)
    assert named(at=first, keep="PT1H") == (True, 3_600_000)
    assert named(at=first, keep="PT1H") == named(at=first) == (False, 3_600_000)
    assert named(at=second) == (True, 3_600_000)
    assert named(at=second, keep="PT2H") == (True, 7_200_000)
