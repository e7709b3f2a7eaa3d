"""Is what nobody should send refused, and never a fault of the server's?"""

from __future__ import annotations

import socket

import pytest

from penstock.api.protocol import LONGEST_HEAD
from penstock.api.serve import Server
from tests.api.house import House, who


@pytest.mark.parametrize(
    "path",
    [
        "/v1/runs/%00",
        "/v1/runs?text=%00",
        "/v1/flows/shop/%00",
        "/v1/runs?cursor=IgBcdTAwMDAi",
        "/v1/flows/shop/hello/revisions?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk",
        "/v1/flows/shop/hello?revision=99999999999999999999",
        "/v1/runs?since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z",
        "/v1/runs?since=2016-01-01",
        "/v1/runs?limit=-1",
        "/v1/runs?limit=1e3",
        "/v1/runs?label==",
        f"/v1/runs/{'x' * 5000}",
        "/v1/kv/" + "é" * 300,
        "/v1/runs?text=%ff%fe",
        "/v1/runs?text=%27%22%5C%25_",
    ],
)
def test_an_odd_address_is_refused_or_finds_nothing(either: House, path: str) -> None:
    either.push()

    answer = either.client.get(path)

    assert answer.status_code in (200, 400, 404, 422), answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"namespace": "shop"}',
        b'{"namespace": "shop", "flow": "hello", "labels": {"a": "\\u0000"}}',
        b'{"namespace": "shop", "flow": "hello", "labels": {"a": 1}}',
        b'{"namespace": "shop", "flow": "hello", "inputs": {"who": "\\ud800"}}',
        b'{"namespace": "shop", "flow": "hello", "priority": 99999999999999999999}',
        b'{"namespace": "shop", "flow": "hello", "logical_date": "yesterday"}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_an_odd_body_is_refused(either: House, body: bytes) -> None:
    either.push()

    answer = either.client.post("/v1/runs", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 415, 422), answer.text


def test_what_is_left_out_is_not_written_as_null(house: House) -> None:
    assert house.client.get("/v1/runs", params={"until": "null"}).status_code == 400
    assert house.client.get("/v1/runs", params={"text": "null"}).status_code == 200


def test_what_is_written_with_backslashes_is_no_nul(either: House) -> None:
    either.push()
    body = b'{"namespace": "shop", "flow": "hello", "inputs": {"who": "a\\\\u0000"}}'

    answer = either.client.post("/v1/runs", content=body, headers={"Content-Type": "application/json"})

    assert answer.json()["inputs"] == {"who": "a\\u0000"}


def test_a_flow_that_is_no_text_is_refused(house: House) -> None:
    for body in (b"\x00", b"\xff", b""):
        answer = house.client.put("/v1/flows/shop/hello", content=body, headers={"Content-Type": "application/yaml"})

        assert answer.status_code in (400, 422)
    assert house.client.post("/v1/validate/flows").status_code == 400


def test_what_is_no_http_is_refused_and_the_next_caller_served(house: House) -> None:
    server = Server(house.app, who)
    server.start()
    try:
        for sent in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /live HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (LONGEST_HEAD + 1),
        ):
            assert said(server, sent).startswith(b"HTTP/1.1 400")
        assert said(server, b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
    finally:
        server.close()


def said(server: Server, sent: bytes) -> bytes:
    """What a server answers to some bytes until it closes."""
    found = b""
    with socket.create_connection((server.host, server.port), timeout=10) as line:
        line.sendall(sent)
        while piece := line.recv(65_536):
            found += piece
    return found
