"""Does the source `vault` ask as the documentation of its API says, and keep its token to itself?

The server here is a small one of the tests' own that answers as documented; `tests/vault` asks a real one.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.app import open_app
from penstock.clock import ManualClock
from penstock.errors.project import WrongSetting
from penstock.errors.secrets import SecretsUnreachable
from penstock.model.policy import SECOND
from penstock.services.secrets import verbs
from penstock.services.secrets.vault import OfVault, Place
from penstock.settings.keys import Settings, Vault
from penstock.settings.read import Project

LIFE = 100


class Answers(http.server.BaseHTTPRequestHandler):
    """KV of version 2 below `secret`, and AppRole."""

    server: Server

    def do_GET(self) -> None:
        """Tell a secret."""
        self.server.asked.append(self.path)
        name = self.path.removeprefix("/v1/secret/data/")
        if self.headers.get("X-Vault-Token") not in self.server.tokens or name in self.server.forbidden:
            self._tell(403, {"errors": ["permission denied"]})
        elif name in self.server.odd:
            self._tell(*self.server.odd[name])
        elif name in self.server.kept:
            self._tell(200, {"data": {"data": self.server.kept[name], "metadata": {"version": 1}}})
        else:
            self._tell(404, {"errors": []})

    def do_POST(self) -> None:
        """Let a role in."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body != {"role_id": "us", "secret_id": "s3cret"}:
            self._tell(400, {"errors": ["invalid role or secret ID"]})
            return
        self.server.tokens = {f"t{len(self.server.entered)}"}
        self.server.entered.append(self.path)
        (token,) = self.server.tokens
        self._tell(200, {"auth": {"client_token": token, "lease_duration": LIFE}})

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _tell(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)


class Server(http.server.ThreadingHTTPServer):
    """The server; closes with the test."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.kept: dict[str, dict[str, object]] = {}
        self.odd: dict[str, tuple[Any, ...]] = {}
        self.forbidden: set[str] = set()
        self.tokens = {"root"}
        self.asked: list[str] = []
        self.entered: list[str] = []
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server with nothing in it."""
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def test_a_secret_is_looked_for_where_its_namespace_is_and_then_around_it(server: Server) -> None:
    server.kept = {
        "penstock/shop/daily/KEY": {"value": "daily"},
        "penstock/shop/KEY": {"value": "shop"},
        "penstock/KEY": {"value": "all"},
        "penstock/shop/db": {"user": "ann", "port": 1},
    }
    source = OfVault(Place(address=server.address, token="root"), ManualClock().steady)

    found = [source.get(namespace, "KEY") for namespace in ("shop.daily", "shop.weekly", "other")]

    assert found == ["daily", "shop", "all"]
    assert json.loads(source.get("shop.daily", "db") or "") == {"user": "ann", "port": 1}
    assert source.get("shop", "NONE") is None
    assert source.get("shop", "a b?c") is None and server.asked[-1].endswith("/penstock/a%20b%3Fc")
    asked = len(server.asked)
    assert [source.get("shop", name) for name in ("..", "../x")] == [None, None] and len(server.asked) == asked


def test_a_role_enters_once_and_again_when_its_token_has_come_to_its_end(server: Server) -> None:
    server.kept, server.tokens, clock = {"penstock/KEY": {"value": "all"}}, set(), ManualClock()
    source = OfVault(Place(address=server.address, role="us", secret="s3cret"), clock.steady)

    assert [source.get("shop", "KEY"), source.get("shop", "KEY"), len(server.entered)] == ["all", "all", 1]
    clock.advance(LIFE * SECOND)
    assert [source.get("shop", "KEY"), len(server.entered)] == ["all", 2]
    server.tokens = set()
    assert [source.get("shop", "KEY"), len(server.entered)] == ["all", 3]


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ({"token": "wrong"}, "does not let us read"),
        ({"role": "us", "secret": "wrong-one"}, "answers 400"),
        ({"token": "root", "mount": "sealed"}, "answers 503"),
        ({"token": "root", "mount": "moved"}, "answers 307"),
    ],
)
def test_a_server_that_refuses_is_an_error_and_no_missing_secret(
    server: Server, place: dict[str, str], told: str
) -> None:
    server.odd = {
        "/v1/sealed/data/penstock/shop/KEY": (503, {"errors": ["Vault is sealed"]}),
        "/v1/moved/data/penstock/shop/KEY": (307, {}, {"Location": f"{server.address}/v1/secret/data/elsewhere"}),
    }
    source = OfVault(Place(address=server.address, **place), ManualClock().steady)

    with pytest.raises(SecretsUnreachable, match=told) as error:
        source.get("shop", "KEY")

    assert "wrong" not in str(error.value) and "elsewhere" not in "".join(server.asked)


def test_what_a_policy_hides_of_the_namespaces_around_does_no_harm(server: Server) -> None:
    server.kept, server.forbidden = {"penstock/KEY": {"value": "all"}}, {"penstock/shop/daily/KEY"}
    source = OfVault(Place(address=server.address, token="root"), ManualClock().steady)

    assert source.get("shop.daily", "KEY") == "all"


def test_a_server_that_is_not_there_is_an_error(server: Server) -> None:
    server.server_close()
    source = OfVault(Place(address=server.address, token="root"), ManualClock().steady)

    with pytest.raises(SecretsUnreachable, match="does not answer"):
        source.get("shop", "KEY")


def test_the_settings_say_which_sources_come_first(server: Server, tmp_path: Path) -> None:
    server.kept = {"penstock/shop/ONE": {"value": "vault"}, "penstock/shop/TWO": {"value": "vault"}}
    vault = Vault(address=server.address, token="${TOKEN}")
    environ = {"TOKEN": "root", "PENSTOCK_SECRET_ONE": "env", "PENSTOCK_SECRET_THREE": "env"}

    def found(*sources: str) -> list[str | None]:
        settings = msgspec.convert({"secretSources": sources}, Settings)
        project = Project(root=tmp_path, settings=msgspec.structs.replace(settings, vault=vault))
        with open_app(project, environ) as app:
            verbs.put(app.core, "shop", "TWO", "store")
            return [app.core.secrets.get("shop", name) for name in ("ONE", "TWO", "THREE")]

    assert found("env", "store", "vault") == ["env", "store", "env"]
    assert found("vault", "store") == ["vault", "vault", None]


@pytest.mark.parametrize("address", ["http://vault.example.com", "vault:8200", "file:///etc/passwd", ""])
def test_a_token_goes_nowhere_in_the_clear(address: str) -> None:
    with pytest.raises(WrongSetting):
        OfVault(Place(address=address, token="root"), ManualClock().steady)
