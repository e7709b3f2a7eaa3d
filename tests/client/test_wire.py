"""What does the client do when the way to its server breaks? It asks again only for what is done once all the same."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

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


def hurried(url: str, token: str = "", tls: ssl.SSLContext | None = None) -> Client:
    """A client that waits for nothing between two tries."""
    made = Client(url, token, tls=tls)
    made.wire.pauses = (0.0, 0.0, 0.0)
    return made


@contextmanager
def answering(*answers: bytes, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives these answers, one on each connection, and what it was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for each in answers:
                connection, _ = server.accept()
                spoken = partial(tls.wrap_socket, server_side=True) if tls else contextlib.nullcontext[socket.socket]
                with connection, contextlib.suppress(OSError), spoken(connection) as speaking:
                    asked.append(_request(speaking))
                    speaking.sendall(each)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.getsockname()[1]}", asked
        thread.join()


def _certificate(folder: Path) -> Path:
    """A certificate for this machine, with its key."""
    made = folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", made, "-out", folder / "public.pem", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    made.write_text(made.read_text() + (folder / "public.pem").read_text())
    return made


def _request(connection: socket.socket) -> bytes:
    said = b""
    while b"\r\n\r\n" not in said and (piece := connection.recv(65_536)):
        said += piece
    return said


def test_what_only_looks_is_asked_again_when_the_way_breaks_or_the_server_is_busy() -> None:
    with answering(CUT, BUSY, OK) as (url, asked), hurried(url) as client:
        assert list(client.flows.list()) == []

    assert len(asked) == 3


def test_what_may_have_been_done_is_not_asked_again() -> None:
    with answering(CUT) as (url, asked), hurried(url) as client, pytest.raises(ServerUnreachable):
        client.runs.pause("01m7y2w5c5aqtb9975bds3hjzz")

    assert len(asked) == 1


def test_a_start_is_asked_again_under_the_same_key() -> None:
    with answering(CUT, BUSY, CUT, CUT) as (url, asked), hurried(url) as client, pytest.raises(ServerUnreachable):
        client.runs.start("shop", "hello")

    keys = {line for each in asked for line in each.split(b"\r\n") if line.lower().startswith(b"idempotency-key")}
    assert len(asked) == 4
    assert len(keys) == 1


def test_what_answers_as_nobody_of_ours_does_is_told() -> None:
    page = b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>"
    with answering(page) as (url, _), hurried(url) as client, pytest.raises(StrangeAnswer, match="404"):
        list(client.flows.list())


def test_an_error_that_only_a_newer_server_knows_keeps_its_code_and_sentence() -> None:
    body = b'{"code":"PS-899","detail":"The moon is wrong.","hint":"Wait for it."}'
    head = b"HTTP/1.1 409 x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with answering(head + body) as (url, _), hurried(url) as client, pytest.raises(PenstockError) as refused:
        list(client.flows.list())

    assert str(refused.value) == "PS-899  The moon is wrong. Wait for it."


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with hurried(f"http://127.0.0.1:{port}") as client, pytest.raises(ServerUnreachable, match=str(port)):
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


def test_a_server_behind_tls_is_asked_where_its_certificate_is_known(tmp_path: Path) -> None:
    made = _certificate(tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(made)
    known = ssl.create_default_context(cafile=str(made))
    with answering(OK, tls=served) as (url, _), hurried(url, "secret", tls=known) as client:
        assert list(client.flows.list()) == []

    strange = pytest.raises(ServerUnreachable, match="certificate")
    with answering(CUT, tls=served) as (url, asked), hurried(url, "secret") as client, strange:
        list(client.flows.list())

    assert not any(asked), "nothing is told to a stranger"


def test_a_proxy_of_the_environment_is_asked_for_what_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(OK) as (url, asked):
        monkeypatch.setenv("http_proxy", url.replace("//", "//ann:p%40ss@"))
        monkeypatch.setenv("no_proxy", "near.example.org")
        with hurried("http://penstock.example.org/team/") as client:
            assert list(client.flows.list()) == []

    (said,) = asked
    assert said.startswith(b"GET http://penstock.example.org/team/v1/flows?limit=500 HTTP/1.1\r\n")
    assert base64.b64encode(b"ann:p@ss") in said
    assert hurried("http://near.example.org").wire.way.proxy is None
    assert hurried("http://localhost:8080").wire.way.proxy is None


def test_what_is_secret_goes_through_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = b"HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n"
    with answering(*[refused] * 4) as (url, asked):
        monkeypatch.setenv("https_proxy", url)
        with hurried("https://penstock.example.org", "secret") as client, pytest.raises(ServerUnreachable, match="403"):
            list(client.flows.list())

    assert {each.split(b"\r\n")[0] for each in asked} == {b"CONNECT penstock.example.org:443 HTTP/1.0"}
    assert not any(b"secret" in each for each in asked)
