"""What does the client do when the way to its server breaks? It asks again only for what is done once all the same."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from penstock.client import Client
from penstock.client.shapes.parts import LogRow
from penstock.errors import PenstockError
from penstock.errors.client import ServerUnreachable, StrangeAnswer
from tests.api.house import HELLO, WAITS
from tests.client.conftest import Installation

CUT = b""
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{"items":[],"next":""}'
BUSY = b"HTTP/1.1 503 x\r\nContent-Length: 36\r\n\r\n" + b'{"code":"PS-829","detail":"so busy"}'


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives these answers, one on each connection, and what it was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for each in answers:
                connection, _ = server.accept()
                with connection:
                    asked.append(_request(connection))
                    connection.sendall(each)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        thread.join()


def _request(connection: socket.socket) -> bytes:
    said = b""
    while b"\r\n\r\n" not in said:
        said += connection.recv(65_536)
    return said


def test_what_only_looks_is_asked_again_when_the_way_breaks_or_the_server_is_busy() -> None:
    with answering(CUT, BUSY, OK) as (url, asked), Client(url) as client:
        assert list(client.flows.list()) == []

    assert len(asked) == 3


def test_what_may_have_been_done_is_not_asked_again() -> None:
    with answering(CUT) as (url, asked), Client(url) as client, pytest.raises(ServerUnreachable):
        client.runs.pause("01m7y2w5c5aqtb9975bds3hjzz")

    assert len(asked) == 1


def test_a_start_is_asked_again_under_the_same_key() -> None:
    with answering(CUT, BUSY, CUT, CUT) as (url, asked), Client(url) as client, pytest.raises(ServerUnreachable):
        client.runs.start("shop", "hello")

    keys = {line for each in asked for line in each.split(b"\r\n") if line.lower().startswith(b"idempotency-key")}
    assert len(asked) == 4
    assert len(keys) == 1


def test_what_answers_as_nobody_of_ours_does_is_told() -> None:
    page = b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>"
    with answering(page) as (url, _), Client(url) as client, pytest.raises(StrangeAnswer, match="404"):
        list(client.flows.list())


def test_an_error_that_only_a_newer_server_knows_keeps_its_code_and_sentence() -> None:
    body = b'{"code":"PS-899","detail":"The moon is wrong.","hint":"Wait for it."}'
    head = b"HTTP/1.1 409 x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with answering(head + body) as (url, _), Client(url) as client, pytest.raises(PenstockError) as refused:
        list(client.flows.list())

    assert str(refused.value) == "PS-899  The moon is wrong. Wait for it."


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with Client(f"http://127.0.0.1:{port}") as client, pytest.raises(ServerUnreachable, match=str(port)):
        list(client.flows.list())


def test_who_follows_goes_on_behind_what_was_told_though_the_server_begins_anew(
    installation: Installation, client: Client
) -> None:
    client.flows.push({"a.yml": HELLO, "b.yml": WAITS})
    run = client.runs.start("shop", "waits").id
    heard: list[object] = []
    begun, done = threading.Event(), threading.Event()

    def follow() -> None:
        for each in client.runs.follow(run):
            heard.append(each)
            begun.set()
        done.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert begun.wait(20)
    installation.again()
    client.runs.wait(client.runs.start("shop", "hello").id)
    client.runs.resume(run, "ask")
    assert done.wait(30)
    thread.join()

    assert [each.text for each in heard if isinstance(each, LogRow)] == ["it went on"]


def test_changes_are_heard(client: Client) -> None:
    found: list[str] = []
    listening = client.changes(["flow"])
    thread = threading.Thread(target=lambda: found.append(next(listening).key))
    thread.start()
    for number in range(200):
        client.flows.put("shop", "hello", f"{HELLO}# {number}\n")
        thread.join(0.05)
        if not thread.is_alive():
            break

    assert found == ["shop/hello"]
