"""Do the HTTP task types do their work against a real server?"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told


class Answers(BaseHTTPRequestHandler):
    """What the test server answers, by path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        match urlsplit(self.path).path:
            case "/echo":
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("latin-1")
                told = {"method": self.command, "path": self.path, "headers": headers, "body": body}
                self.answer(200, json.dumps(told).encode(), {"Content-Type": "application/json"})
            case "/missing":
                self.answer(404, b"nothing here")
            case "/empty":
                self.answer(200, b"")
            case "/large":
                self.answer(200, b"x" * 3_000_000, {"Content-Disposition": 'attachment; filename="../big.bin"'})
            case "/latin":
                self.answer(200, "é".encode("latin-1"), {"Content-Type": "text/plain; charset=iso-8859-1"})
            case "/away":
                port = str(self.headers["Host"]).rpartition(":")[2]
                self.answer(302, b"", {"Location": f"http://localhost:{port}/echo"})
            case "/near":
                self.answer(302, b"", {"Location": "/echo"})
            case "/file":
                self.answer(302, b"", {"Location": "file:///etc/passwd"})
            case "/short":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"only this")
                self.close_connection = True
            case "/slow":
                server = self.server
                assert isinstance(server, Server)
                server.gate.wait(20)
                self.answer(200, b"late")

    do_POST = do_PUT = do_DELETE = do_GET

    def answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    """A server on a free port; `gate` holds back its slow answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.gate = threading.Event()


@pytest.fixture
def site() -> Iterator[str]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.gate.set()
        server.shutdown()
        thread.join()


def ok(told: Told) -> dict[str, object]:
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def message(told: Told) -> str:
    assert told.failure is not None, told.outputs
    return str(told.failure["message"])


def echo(told: Told) -> dict[str, object]:
    said = json.loads(str(ok(told)["body"]))
    assert isinstance(said, dict)
    return said


def test_a_map_is_sent_as_json(local: LocalContext, site: str) -> None:
    said = echo(local.run("http.request", {"uri": f"{site}/echo", "method": "post", "body": {"day": 2}}))

    assert (said["method"], json.loads(str(said["body"]))) == ("POST", {"day": 2})
    assert isinstance(said["headers"], dict)
    assert said["headers"]["content-type"] == "application/json"


def test_parameters_and_headers_go_along(local: LocalContext, site: str) -> None:
    properties = {"uri": f"{site}/echo?a=1", "params": {"b": ["2", "ü"]}, "headers": {"X-Run": 7}}

    said = echo(local.run("io.kestra.plugin.core.http.Request", properties))

    assert parse_qs(str(said["path"]).partition("?")[2]) == {"a": ["1"], "b": ["2", "ü"]}
    assert isinstance(said["headers"], dict)
    assert said["headers"]["x-run"] == "7"


def test_a_form_with_a_file_is_sent_in_parts(local: LocalContext, site: str) -> None:
    form = {"name": "x", "file": local.put("a,b", "day.csv"), "inline": {"name": "i.txt", "content": "hello"}}

    said = echo(local.run("http.request", {"uri": f"{site}/echo", "method": "POST", "formData": form}))

    body = str(said["body"])
    assert 'name="name"\r\n\r\nx\r\n' in body
    assert 'filename="i.txt"' in body
    assert "a,b" in body


def test_a_form_without_files_is_sent_in_the_url_form(local: LocalContext, site: str) -> None:
    said = echo(local.run("http.request", {"uri": f"{site}/echo", "method": "POST", "formData": {"a": 1, "b": "x y"}}))

    assert said["body"] == "a=1&b=x+y"


def test_a_status_of_400_and_above_fails_with_the_answer_kept(local: LocalContext, site: str) -> None:
    told = local.run("http.request", {"uri": f"{site}/missing?token=secret"})

    assert message(told).endswith("/missing answered 404.")
    assert (told.outputs["code"], told.outputs["body"]) == (404, "nothing here")


@pytest.mark.parametrize(
    "allowed", [{"allowFailed": True}, {"options": {"allowFailed": True}}, {"options": {"allowedResponseCodes": [404]}}]
)
def test_a_failing_status_may_be_allowed(local: LocalContext, site: str, allowed: dict[str, object]) -> None:
    assert ok(local.run("http.request", {"uri": f"{site}/missing", **allowed}))["code"] == 404


@pytest.mark.parametrize(
    "options",
    [
        {"basicAuthUser": "u", "basicAuthPassword": "p"},
        {"auth": {"type": "BASIC", "username": "u", "password": "p"}},
    ],
)
def test_who_asks_is_said(local: LocalContext, site: str, options: dict[str, object]) -> None:
    said = echo(local.run("http.request", {"uri": f"{site}/near", "options": options}))

    assert isinstance(said["headers"], dict)
    assert said["headers"]["authorization"] == "Basic " + base64.b64encode(b"u:p").decode()


def test_who_asks_is_not_told_to_another_host(local: LocalContext, site: str) -> None:
    options = {"auth": {"type": "BEARER", "token": "t"}}

    said = echo(local.run("http.request", {"uri": f"{site}/away", "options": options}))

    assert isinstance(said["headers"], dict)
    assert "authorization" not in said["headers"]


def test_redirects_are_followed_only_when_wanted_and_never_to_files(local: LocalContext, site: str) -> None:
    stays = ok(local.run("http.request", {"uri": f"{site}/near", "options": {"followRedirects": False}}))
    leads_out = local.run("http.request", {"uri": f"{site}/file"})

    assert stays["code"] == 302
    assert leads_out.outcome is Outcome.FAILED or "root:" not in str(leads_out.outputs["body"])


def test_a_file_is_no_address(local: LocalContext) -> None:
    told = local.run("http.download", {"uri": "file:///etc/passwd"})

    assert "is no address of HTTP" in message(told)


def test_an_answer_is_text_in_its_own_charset(local: LocalContext, site: str) -> None:
    assert ok(local.run("http.request", {"uri": f"{site}/latin"}))["body"] == "é"


def test_an_answer_that_is_too_large_is_refused(local: LocalContext, site: str) -> None:
    told = local.run("http.request", {"uri": f"{site}/large", "options": {"maxContentLength": "1 MiB"}})

    assert "maxContentLength" in message(told)


def test_a_slow_answer_ends_at_the_time_limit(local: LocalContext, site: str) -> None:
    told = local.run("http.request", {"uri": f"{site}/slow", "options": {"readTimeout": "PT0.05S"}})

    assert "no answer in time" in message(told)


def test_a_server_that_is_not_there_is_told(local: LocalContext) -> None:
    told = local.run("http.request", {"uri": "http://127.0.0.1:1/"})

    assert "refused" in message(told)


def test_a_proxy_is_told_any_password_and_nobody_else_is(local: LocalContext, site: str) -> None:
    password = "p@ss:w/rd#%41?"
    proxy = {"address": "127.0.0.1", "username": "me@shop", "password": password}
    through = {"uri": "http://shop.test/echo", "options": {"proxy": {**proxy, "port": int(site.rpartition(":")[2])}}}
    flat = {"proxyAddress": "127.0.0.1", "proxyPort": 1, "proxyUsername": "me", "proxyPassword": password}

    said = echo(local.run("http.request", through))
    refused = local.run("http.request", {"uri": "http://shop.test/", "options": flat})

    headers = said["headers"]
    assert isinstance(headers, dict)
    told = {str(name).lower(): str(value) for name, value in headers.items()}["proxy-authorization"]
    assert base64.b64decode(told.removeprefix("Basic ")).decode() == f"me@shop:{password}"
    assert "refused" in message(refused)
    assert not any(part in repr(refused) for part in ("p@ss", "p%40ss"))


def test_a_download_is_stored_under_a_harmless_name(local: LocalContext, site: str) -> None:
    outputs = ok(local.run("http.download", {"uri": f"{site}/large"}))

    path = local.path(str(outputs["uri"]))
    assert (path.name, path.stat().st_size, outputs["length"]) == ("big.bin", 3_000_000, 3_000_000)


def test_an_empty_download_fails_unless_allowed(local: LocalContext, site: str) -> None:
    refused = local.run("http.download", {"uri": f"{site}/empty"})
    allowed = local.run("http.download", {"uri": f"{site}/empty", "failOnEmptyResponse": False})

    assert "empty file" in message(refused)
    assert ok(allowed)["length"] == 0


def test_a_download_that_breaks_off_is_a_failure(local: LocalContext, site: str) -> None:
    told = local.run("http.download", {"uri": f"{site}/short"})

    assert "broke off after 9" in message(told)
