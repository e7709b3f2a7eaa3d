"""Can somebody who names an address have a server call what only the server reaches, by any spelling of it?"""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator, Sequence

import httpx
import pytest

from penstock.errors.project import WrongSetting
from penstock.errors.work import AddressRefused
from penstock.services import outward, pinned
from penstock.services.access import oidc
from penstock.services.access.oidc import Provider
from penstock.services.secrets import vault
from penstock.services.secrets.vault import OfVault
from penstock.testing import Harness

# Every one is read as an address of the link, or as one where clouds tell machines their own secrets.
SPELLED = (
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518",
    "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[fe80::1]",
    "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16", "192.0.0.192", "0.0.0.0", "224.0.0.1", "[::]",
)  # fmt: skip


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """Sends whoever asks on to where clouds tell machines their secrets, or tells the name that was asked for."""

    def do_GET(self) -> None:
        """Answer."""
        moved = self.path == "/moved"
        self.send_response(302 if moved else 200)
        if moved:
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
        body = (self.headers["Host"] or "").encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """A server of this machine."""
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made.server_address[1]
    made.shutdown()
    made.server_close()


def says(*places: str) -> tuple[Callable[[str, int], Sequence[str]], list[str]]:
    """A way to resolve names that gives one place after the other, and what was asked."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return places[:1] if len(asked) == 1 else places[1:]

    return resolve, asked


@pytest.mark.parametrize("host", SPELLED)
def test_no_spelling_of_such_an_address_is_called(host: str) -> None:
    with pytest.raises((AddressRefused, httpx.InvalidURL)), httpx.Client(transport=pinned.transport()) as client:
        client.get(f"http://{host}/latest/meta-data/")
    with pytest.raises((AddressRefused, OSError)) as refused:
        outward.line_to(f"http://{host}/", 1.0)
    assert not isinstance(refused.value, TimeoutError | ConnectionError)


def test_a_name_with_one_bad_place_among_good_ones_is_refused() -> None:
    with pytest.raises(AddressRefused, match=r"169\.254"):
        outward.place_of("both.example", 80, resolve=lambda host, port: ["10.0.0.1", "::ffff:169.254.169.254"])


def test_a_name_is_resolved_once_and_that_place_is_called(port: int) -> None:
    resolve, asked = says("127.0.0.1", "169.254.169.254")

    with httpx.Client(transport=pinned.transport(resolve)) as client:
        answer = client.get(f"http://rebinds.example:{port}/")

    assert (answer.text, asked) == (f"rebinds.example:{port}", ["rebinds.example"])


def test_a_redirect_is_looked_at_again_where_one_is_followed(port: int) -> None:
    with httpx.Client(transport=pinned.transport(), follow_redirects=True) as client, pytest.raises(AddressRefused):
        client.get(f"http://127.0.0.1:{port}/moved")


def test_neither_an_expression_nor_a_login_nor_a_source_of_secrets_calls_one(port: int) -> None:
    told = "id: f\nnamespace: shop\ninputs: [{id: a, type: STRING, defaults: \"{{ http('ADDRESS') }}\"}]\n"
    told += "tasks: [{id: t, type: log, message: m}]\n"
    with Harness() as harness:
        for host in SPELLED[:3]:
            with pytest.raises(Exception, match=r"must not be called|does not answer"):
                harness.start(told.replace("ADDRESS", f"http://{host}/latest/"))
        moved = harness.run(told.replace("ADDRESS", f"http://127.0.0.1:{port}/moved"))
        assert moved.document.inputs == {"a": f"127.0.0.1:{port}"}  # what is there itself: nobody was followed
        provider = Provider(issuer="http://169.254.169.254", client_id="x", client_secret="", callback="x", scopes=())
        with pytest.raises(AddressRefused):
            oidc.begin(harness.core, provider)
        source = OfVault(vault.Place(address="https://169.254.169.254:8200", token="t"), harness.clock.steady)
        with pytest.raises(AddressRefused):
            source.get("shop", "KEY")
        with pytest.raises(WrongSetting), contextlib.suppress(AddressRefused):
            OfVault(vault.Place(address="http://169.254.169.254", token="t"), harness.clock.steady)
