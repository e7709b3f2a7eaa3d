"""Is every call answered, whatever stands in its address, its headers, its body: soon, once, and not by a fault?"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.api.route import Kind, Route
from penstock.api.routes.table import SERVED
from penstock.api.serve import Server
from tests.api.house import WAITS, House, who
from tests.api.lines import HEAD, PATIENCE, Answer, answers, call

ROWS = [row for row in SERVED if row.kind is not Kind.STREAM]
# It follows the call on the same line: an answer longer or shorter than it says would swallow or spoil this one's.
NEXT = call("GET", "/live", last=True)
# The id of a run is not known before there is one.
RUN = "0123456789abcdefghjkmnpqrs"
THERE = {
    "namespace": "shop", "flow": "hello", "run": RUN, "id": "say", "step": "say", "name": "operator", "key": "a",
    "trigger": "hook", "code": "PS-303", "page": "reader.js", "revision": "1",
}  # fmt: skip
ODD = (
    "%00", "..", ".", "%2e%2e%2f", "a/b", "~", "*", "é", "x" * 3_000, "'; --", "%ff", "-1", "null", "", "2016-01-01",
)  # fmt: skip
NAMES = (
    "Accept", "Accept-Encoding", "Authorization", "Content-Encoding", "Cookie", "Expect", "Idempotency-Key", "If-Match",
    "If-None-Match", "If-Range", "Last-Event-ID", "Origin", "Range", "traceparent", "X-CSRF-Token", "X-Forwarded-For",
)  # fmt: skip
MEDIA = ("application/json", "application/yaml", "multipart/form-data; boundary=x", "text/plain", "*/*", "", "é;;=")
ASKED = ("namespace", "size", "page", "filters[labels][EQUALS]", "labels", "state", "revision", "minLevel", "q", "path")
HEADERS = (
    '"r1"',
    "*",
    'W/"',
    "bytes=0-",
    "bytes=5-2",
    "bytes=-0",
    "gzip;q=x",
    "Bearer ",
    "Basic ZQ==",
    ",",
    "100-continue",
)
texts = st.one_of(st.sampled_from((*THERE.values(), *ODD)), st.text(max_size=30))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=8,
)
header_values = st.one_of(
    st.sampled_from(HEADERS),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    st.text(st.characters(min_codepoint=160, max_codepoint=255), max_size=9),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server with flows and runs in its store, and the id of one of these."""
    folder: Path = tmp_path_factory.mktemp("fuzz")
    house = House(folder, str(folder / "penstock.db"))
    run = house.ran()
    house.ran(WAITS)
    # what is made when it is asked for first takes its seconds, which are no hanging
    for slow in ("/v1/schemas/flow", "/v1/types", "/openapi.json", "/api/v1/plugins", "/api/v1/plugins/schemas/flow"):
        house.client.get(slow)
    made = Server(house.app, who)
    made.start()
    yield made, run
    made.close()
    house.close()


@st.composite
def calls(draw: st.DrawFn) -> bytes:
    """A call of some row, right in its frame and in nothing else."""
    row = draw(st.sampled_from(ROWS))
    method = draw(st.sampled_from([row.method] * 20 + ["HEAD", "PATCH", "OPTIONS", "POST", "get"]))
    body = draw(bodies(row))
    head = [f"{method} {draw(addresses(row))} HTTP/1.1", "Host: x", "X-Test-Who: ann"]
    if body or draw(st.booleans()):
        head.append(f"Content-Length: {len(body)}")
    if body or row.body is not None:
        head.append(f"Content-Type: {draw(st.sampled_from((*[row.takes] * 20, *MEDIA)))}")
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True)):
        head.append(f"{name}: {draw(header_values)}")
    return "\r\n".join((*head, "", "")).encode("latin-1", "replace") + body


@st.composite
def addresses(draw: st.DrawFn, row: Route) -> str:
    """The address of a row with what is there at its places, or anything, and anything asked."""
    sure = draw(st.integers(0, 3)) > 0

    def filled(place: re.Match[str]) -> str:
        return _spelled(THERE.get(place[1], "x") if sure else draw(texts))

    path = re.sub(r"\{(\w+)\}", filled, row.path) + draw(st.sampled_from([""] * 20 + ["/", "/..", "%2f", ";a=b"]))
    known = ASKED if row.query is dict else [each.encode_name for each in _fields(row.query)]
    names = st.sampled_from(known) if known else texts
    few = 3 if known else draw(st.sampled_from((0, 0, 0, 1)))
    asked = draw(st.lists(st.tuples(names, st.one_of(texts, st.integers().map(str))), max_size=few))
    said = "&".join(f"{_spelled(name)}={_spelled(value)}" for name, value in asked)
    return f"{path}?{said}" if said else path


@st.composite
def bodies(draw: st.DrawFn, row: Route) -> bytes:
    """Nothing, anything, or JSON that looks like what a row takes."""
    fields = {each.encode_name: draw(values) for each in _fields(row.body) if each.required or draw(st.booleans())}
    fields |= {name: THERE[name] for name in ("namespace", "flow") if name in fields and draw(st.booleans())}
    likely: Any = st.just(fields) if fields else values
    found = draw(st.one_of(st.just(b""), st.binary(max_size=60), likely, likely))
    return found if isinstance(found, bytes) else json.dumps(found).encode("utf-8", "surrogatepass")


def _fields(shape: Any) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(shape) if hasattr(shape, "__struct_fields__") else ()


def _spelled(text: str) -> str:
    """A text as an address may spell it: what is spelled already stays so."""
    return quote(text, safe="%._~-", errors="replace")


def look(server: Server, run: str, sent: bytes) -> Answer:
    """Make a call with another behind it, look at both answers, and give the first."""
    first, *rest = answers(server, sent.replace(RUN.encode(), run.encode()) + NEXT)

    assert 200 <= first.status < 500 or first.status in (503, 507), (sent, first)
    if first.status >= 400 and "problem+json" in first.headers.get("content-type", "") and first.body:
        told = json.loads(first.body)
        assert told["status"] == first.status and told["code"].startswith("PS-"), sent
    if rest:
        assert [each.status for each in rest] == [200], (sent, rest)
    else:
        assert first.status in (400, 413) or "close" in first.headers.get("connection", ""), (sent, first)
    return first


@settings(max_examples=500, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(sent=calls())
def test_whatever_is_called_is_answered(served: tuple[Server, str], sent: bytes) -> None:
    look(*served, sent)


@settings(max_examples=150, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(sent=calls(), at=st.integers(0, 400), put=st.binary(min_size=1, max_size=8), cut=st.integers(0, 20))
def test_what_is_spoilt_on_the_way_hurts_nobody_else(
    served: tuple[Server, str], sent: bytes, at: int, put: bytes, cut: int
) -> None:
    server, _ = served
    came = b""
    with socket.create_connection((server.host, server.port), timeout=PATIENCE) as line:
        line.sendall(sent[:at] + put + sent[at + cut :])
        line.shutdown(socket.SHUT_WR)
        while piece := line.recv(65_536):
            came += piece

    assert not came or HEAD.match(came), came[:200]
    assert b" 500 " not in came[:20], (sent, came[:500])
    assert [each.status for each in answers(server, NEXT)] == [200]


@pytest.mark.long
@pytest.mark.timeout(3_600)
@settings(max_examples=30_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(sent=calls())
def test_whatever_is_called_is_answered_for_long(served: tuple[Server, str], sent: bytes) -> None:
    look(*served, sent)
