"""Is a login kept where only its owner finds it, used by every command, and made worthless in the end?"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any, cast

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoBackend
from keyring.errors import PasswordDeleteError

from penstock.client import Client
from tests.client.conftest import Installation, Penstock

PASSWORD = "correct horse battery staple"


class Ring(KeyringBackend):
    """A keyring that forgets with its test."""

    priority = 1

    def __init__(self) -> None:
        cast(Any, super()).__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError(username)


@pytest.fixture
def ring() -> Ring:
    """A keyring of the test's own."""
    made: Ring = cast(Any, Ring)()
    keyring.set_keyring(made)
    return made


@pytest.fixture
def no_ring() -> None:
    """A machine without a keyring."""
    keyring.set_keyring(cast(Any, NoBackend)())


@pytest.fixture(autouse=True)
def stranger(client: Client, penstock: Penstock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is known by the environment; Bob may look at the shop."""
    monkeypatch.delenv("PENSTOCK_SERVER")
    monkeypatch.delenv("PENSTOCK_TOKEN")
    if "bob" not in {each.name for each in client.people.list()}:
        client.people.add("bob", password=PASSWORD)
        client.people.grant("bob", "viewer")


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Have a text stand on standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.mark.usefixtures("no_ring")
def test_a_login_is_kept_in_a_file_of_the_owners_and_ended_by_logout(
    installation: Installation, client: Client, penstock: Penstock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = installation.server.url
    typed(monkeypatch, f"{PASSWORD}\n")
    done = penstock("client", "login", f"{url}/", "--name", "bob", "--password-stdin")
    file = tmp_path / "config" / "penstock" / "logins.json"

    assert (done.code, f"Logged in to {url} as bob" in done.err) == (0, True), done.err
    assert file.stat().st_mode & 0o777 == 0o600
    assert penstock("client", "list", "--json").json() == [{"url": url, "name": "bob"}]
    assert penstock("client", "flows", "list").code == 0
    assert penstock("runs", "list", "--server", url).code == 0
    refused = penstock("client", "kv", "set", "a", "b", "--in", "shop")
    assert (refused.code, "PS-823" in refused.err) == (2, True)
    assert [each.label.startswith("penstock client on ") for each in client.tokens.list("bob")] == [True]

    assert penstock("client", "logout").code == 0
    assert client.tokens.list("bob") == ()
    assert json.loads(file.read_text()) == {"logins": []}
    assert penstock("client", "runs", "list").code == 2

    file.chmod(0o644)
    assert "PS-606" in penstock("client", "list").err


def test_a_token_goes_into_the_keyring_where_there_is_one(
    installation: Installation, client: Client, penstock: Penstock, ring: Ring, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    url, token = installation.server.url, client.tokens.add("bob").secret
    typed(monkeypatch, f"{token}\n")

    done = penstock("client", "login", url, "--token", "-")

    assert "kept in the keyring" in done.err
    assert ring.kept == {("penstock", url): token}
    assert token not in (tmp_path / "config" / "penstock" / "logins.json").read_text()
    assert penstock("client", "runs", "list").code == 0
    assert penstock("client", "logout").code == 0
    assert ring.kept == {}
    assert len(client.tokens.list("bob")) == 1, "a token that the login did not make stays good"


@pytest.mark.usefixtures("no_ring")
def test_what_is_wrong_with_a_login_keeps_nothing(
    installation: Installation, penstock: Penstock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "wrong\n")

    refused = penstock("client", "login", installation.server.url, "--name", "bob", "--password-stdin")
    spoken = penstock("client", "login", installation.server.url, "--token", "pst_secret")

    assert (refused.code, spoken.code) == (2, 2)
    assert "Say `--token -`" in spoken.err
    assert not (tmp_path / "config").exists()


@pytest.mark.usefixtures("no_ring")
def test_below_client_stands_only_what_a_server_can_be_asked_for(
    installation: Installation, penstock: Penstock
) -> None:
    url = ("--server", installation.server.url)

    shown = penstock("client", *url, "flows", "--help")
    store_only = penstock("client", *url, "flows", "fmt", "x.yml")
    nowhere = penstock("client", "runs", "list")

    assert "  push " in shown.out and "  fmt " not in shown.out
    assert (store_only.code, "PS-844" in store_only.err) == (2, True)
    assert (nowhere.code, "Which server?" in nowhere.err) == (2, True)
