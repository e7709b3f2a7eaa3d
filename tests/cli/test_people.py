"""Can people, tokens and roles be kept from the command line, and does no secret show but once?"""

from __future__ import annotations

import io
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done, Penstock

PASSWORD = "correct horse battery"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password on standard input, for every command."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n" * 20))


def rows(done: Done) -> list[Any]:
    """What a command told programs."""
    assert done.code == 0, done.err
    told: Any = done.json()
    return list(told)


@pytest.mark.usefixtures("typed")
def test_a_user_is_added_granted_and_kept_out(penstock: Penstock) -> None:
    added = penstock("users", "add", "olga", "--role", "owner", "--password-stdin", "--json")
    penstock("users", "add", "bob", "--password-stdin")
    granted = penstock("users", "grant", "bob", "operator", "--in", "shop")
    again = penstock("users", "grant", "bob", "operator", "--in", "shop")
    penstock("users", "disable", "bob")
    listed = penstock("users", "list")

    told: Any = added.json()
    assert (told["name"], told["kind"], told["password"]) == ("olga", "user", True)
    assert "bob is operator in shop." in granted.err and "already" in again.err
    assert [line.split() for line in listed.out.splitlines()[1:]] == [
        ["bob", "user", "disabled", "operator", "in", "shop"],
        ["olga", "user", "owner"],
    ]
    revoked = [penstock("users", "revoke", "bob", "operator", "--in", "shop").code for _ in range(2)]
    assert revoked == [0, 2]
    assert penstock("users", "enable", "bob").code == penstock("users", "logout", "bob").code == 0


@pytest.mark.usefixtures("typed")
def test_the_last_owner_stays(penstock: Penstock) -> None:
    penstock("users", "add", "olga", "--role", "owner", "--password-stdin")

    done = penstock("users", "disable", "olga")

    assert (done.code, "PS-811" in done.err) == (2, True)


def test_a_password_is_never_an_argument_and_wants_a_terminal(
    penstock: Penstock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    silent, empty = penstock("users", "add", "ann"), penstock("users", "add", "ann", "--password-stdin")
    shown = penstock("users", "add", "ann", "--password", PASSWORD)

    assert (silent.code, empty.code, shown.code) == (2, 2, 2)
    assert "PS-812" in silent.err and "--password-stdin" in silent.err
    assert penstock("users", "list", "--json").json() == []


@pytest.mark.usefixtures("typed")
@pytest.mark.parametrize(
    "arguments",
    [
        ("users", "grant", "nobody", "viewer"),
        ("users", "grant", "ann", "viewr"),
        ("users", "grant", "ann", "viewer", "--in", "a..b"),
        ("users", "add", "ann", "--password-stdin"),
        ("users", "add", "Ann Smith", "--password-stdin"),
        ("users", "password", "nobody", "--password-stdin"),
        ("tokens", "add", "nobody"),
        ("tokens", "add", "ann", "--expires", "soon"),
        ("tokens", "add", "ann", "--expires", "0"),
        ("tokens", "add", "ann", "--action", "runs.fly"),
        ("tokens", "revoke", "pst_00000000"),
        ("roles", "add", "viewer", "runs.view"),
        ("roles", "remove", "night"),
    ],
)
def test_what_cannot_be_is_a_wrong_call(penstock: Penstock, arguments: tuple[str, ...]) -> None:
    penstock("users", "add", "ann", "--password-stdin")

    done = penstock(*arguments)

    assert done.code == 2, done.err
    assert PASSWORD not in done.err + done.out


def test_a_service_account_gets_a_token_that_is_told_once(penstock: Penstock) -> None:
    penstock("users", "add", "nightly", "--service", "--role", "operator", "--in", "shop")

    made = penstock("tokens", "add", "nightly", "--label", "cron", "--action", "runs.*", "--in", "shop.eu")
    (listed,) = rows(penstock("tokens", "list", "--json"))
    table = penstock("tokens", "list", "nightly")
    gone = [penstock("tokens", "revoke", listed["prefix"]).code for _ in range(2)]

    secret = made.out.strip()
    assert secret.startswith(listed["prefix"]) and secret not in made.err
    assert listed["narrowed"]["namespaces"] == ["shop.eu"]
    assert "runs.delete, runs.operate, runs.start, runs.view in shop.eu" in table.out
    assert secret[13:] not in table.out + json.dumps(listed)
    assert gone == [0, 2]


def test_a_token_that_lives_for_ever_says_so(penstock: Penstock) -> None:
    penstock("users", "add", "nightly", "--service")

    made: Any = penstock("tokens", "add", "nightly", "--expires", "never", "--json").json()

    assert made["token"]["expires_at"] is None and made["secret"].startswith("pst_")
    assert penstock("tokens", "list").out.splitlines()[1].split()[2:] == ["all", "never", "never"]


def test_own_roles_are_made_of_actions(penstock: Penstock) -> None:
    made = penstock("roles", "add", "night", "runs.*", "flows.view", "--json")
    listed = rows(penstock("roles", "list", "--json"))
    gone = penstock("roles", "remove", "night")

    told: Any = made.json()
    assert told["actions"] == ["runs.view", "runs.start", "runs.operate", "runs.delete", "flows.view"]
    assert [(one["name"], one["built_in"]) for one in listed][-2:] == [("owner", True), ("night", False)]
    assert gone.code == 0
    assert "night" not in penstock("roles", "list").out


@pytest.mark.usefixtures("typed")
def test_what_was_done_is_told_and_a_change_of_it_is_found(penstock: Penstock, folder: Path) -> None:
    penstock("users", "add", "ann", "--password-stdin")
    penstock("pools", "set", "db", "3")
    penstock("run", "hello.yml")

    acts = rows(penstock("audit", "list", "--json"))
    pool = penstock("audit", "list", "--verb", "pools.edit")
    here = rows(penstock("audit", "list", "--in", "play", "--json"))
    sound = penstock("audit", "verify")
    same = penstock("audit", "verify", "--head", sound.out.strip())

    assert [one["verb"] for one in reversed(acts)] == ["people.add", "pools.set", "flows.push", "runs.start"]
    assert {one["via"] for one in acts} == {"command"} and all("@" in one["who"] for one in acts)
    assert "pools.set" in pool.out and "runs.start" not in pool.out
    assert [one["verb"] for one in here] == ["runs.start", "flows.push"]
    assert (sound.code, same.code) == (0, 0)

    with sqlite3.connect(folder / ".penstock" / "penstock.db") as session:
        session.execute("UPDATE audit SET who = 'nobody' WHERE verb = 'pools.set'")
    changed = penstock("audit", "verify")
    exported = penstock("audit", "export")

    assert (changed.code, "was changed" in changed.out) == (4, True)
    told = [json.loads(line)["what"] for line in exported.out.splitlines()]
    assert (told.count("act"), told[-1]) == (4, "seal")


@pytest.mark.usefixtures("typed")
def test_no_secret_and_no_hash_leaves_the_store(penstock: Penstock) -> None:
    penstock("users", "add", "ann", "--password-stdin")
    invited = penstock("users", "invite", "ann")
    token = penstock("tokens", "add", "ann").out.strip()

    told = [
        penstock(*each)
        for each in (
            ("users", "list", "--json"),
            ("tokens", "list", "--json"),
            ("audit", "list", "--json"),
            ("audit", "export"),
            ("db", "export"),
            ("db", "status"),
        )
    ]

    text = "\n".join(each.out + each.err for each in told)
    assert "argon2" not in text and PASSWORD not in text
    assert token[13:] not in text and invited.out.strip() not in text
