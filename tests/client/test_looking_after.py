"""Do the commands that look after triggers, backfills, values, secrets and people do it on a server, too?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.house import HELLO
from tests.client.conftest import Penstock

TIMED = HELLO.replace("id: hello", "id: timed") + "triggers:\n  - {id: nightly, type: Schedule, cron: '0 3 * * *'}\n"


@pytest.fixture(autouse=True)
def timed(penstock: Penstock, tmp_path: Path) -> Path:
    """A project with a flow that has a schedule."""
    (tmp_path / "penstock.yaml").write_text("namespace: shop\n")
    (tmp_path / "timed.yml").write_text(TIMED)
    assert penstock("flows", "push", "timed.yml").code == 0
    return tmp_path / "timed.yml"


def test_triggers_are_listed_switched_and_tell_their_dates(penstock: Penstock) -> None:
    off = penstock("triggers", "off", "timed", "nightly")
    listed = penstock("triggers", "list", "timed")
    status = penstock("triggers", "status")
    on = penstock("triggers", "on", "shop.timed", "nightly")
    dates = penstock("triggers", "next", "timed", "-n", "2", "--after", "2026-01-01")

    assert "shop.timed/nightly is off." in off.err
    assert "0 3 * * *" in listed.out and "off: ann" in listed.out
    assert "off, by ann" in status.out
    assert "shop.timed/nightly is on." in on.err
    assert [line[:16] for line in dates.out.splitlines()[1:]] == ["2026-01-01T03:00", "2026-01-02T03:00"]
    assert penstock("triggers", "next", "timed.yml", "-n", "1", "--json").json()[0]["inputs"] == {}


def test_backfills_are_begun_and_looked_after(penstock: Penstock) -> None:
    span = ("backfill", "timed", "--from", "2016-01-01", "--to", "2016-01-03", "-i", "who={{ date }}")

    dry = penstock(*span, "--dry-run")
    begun = penstock(*span, "--at-once", "2")
    backfill = begun.out.strip()

    assert (dry.code, len(dry.out.splitlines())) == (0, 4), dry.err
    assert "3 runs of shop.timed are to start, 2 at once." in begun.err
    assert "is paused." in penstock("backfills", "pause", backfill).err
    assert "is running." in penstock("backfills", "resume", backfill, "--at-once", "5").err
    assert penstock("backfills", "show", backfill, "--json").json()["atOnce"] == 5
    assert len(penstock("backfills", "show", backfill).out.splitlines()) == 4
    assert "is cancelled." in penstock("backfills", "cancel", backfill).err
    assert "3 runs of shop.timed are to start again." in penstock("backfills", "retry", backfill).err
    assert [each["id"] for each in penstock("backfills", "list", "--json").json()] == [backfill]


@pytest.mark.parametrize("where", ["server", "store"])
def test_values_are_kept_told_listed_and_forgotten(penstock: Penstock, where: str) -> None:
    here = ("--store", "own.db") if where == "store" else ()

    assert "version 1" in penstock("kv", "set", "day", "2016-01-02", *here).err
    assert "version 1" in penstock("kv", "set", "rates", '{"eur": 1.5}', "--expires", "2999-01-01", *here).err
    assert penstock("kv", "get", "day", *here).out == "2016-01-02\n"
    assert json.loads(penstock("kv", "get", "rates", *here).out) == {"eur": 1.5}
    assert [each["key"] for each in penstock("kv", "list", "--json", *here).json()] == ["day", "rates"]
    assert "2999-01-01T00:00:00.000Z" in penstock("kv", "list", "--prefix", "r", *here).out
    assert penstock("kv", "delete", "day", *here).code == 0
    gone = penstock("kv", "get", "day", *here)
    assert (gone.code, "PS-3" in gone.err) == (2, True)


def test_secrets_go_in_and_never_come_out(penstock: Penstock, tmp_path: Path) -> None:
    (tmp_path / "word").write_text("a long pass word\n")

    assert "DB of shop is kept, version 1." in penstock("secrets", "set", "DB", "@word").err
    assert [each["name"] for each in penstock("secrets", "list", "--json").json()] == ["DB"]
    assert "DB" in penstock("secrets", "list", "--in", "shop").out
    assert penstock("secrets", "verify").code == 0
    assert "1 sealed anew" in penstock("secrets", "rotate", "--forget").err
    assert "DB of shop is forgotten." in penstock("secrets", "delete", "DB").err


def test_people_tokens_and_roles_are_looked_after(penstock: Penstock) -> None:
    assert "runs.kill" not in penstock("roles", "add", "night", "runs.*").out
    added = penstock("users", "add", "bob", "--role", "night", "--in", "shop", "--invite")
    service = penstock("users", "add", "robot", "--service", "--json")

    assert (added.code, len(added.out.strip()) > 20) == (0, True), added.err
    assert service.json()["kind"] == "service"
    assert "There is no role" in penstock("users", "add", "eve", "--role", "nightly").err
    assert "night in shop" in penstock("users", "list").out
    assert penstock("users", "invite", "bob").out.strip()
    assert "robot is viewer in shop." in penstock("users", "grant", "robot", "viewer", "--in", "shop").err
    assert penstock("users", "revoke", "robot", "viewer", "--in", "shop").code == 0
    assert penstock("users", "disable", "bob").code == penstock("users", "enable", "bob").code == 0
    assert "0 sessions of bob ended." in penstock("users", "logout", "bob").err
    made = penstock("tokens", "add", "robot", "--action", "runs.view", "--expires", "P3D")
    (token,) = penstock("tokens", "list", "robot", "--json").json()
    assert made.out.startswith(token["prefix"])
    assert "runs.view" in penstock("tokens", "list").out
    assert "of robot is worth nothing" in penstock("tokens", "revoke", token["prefix"]).err
    assert penstock("tokens", "add", "robot", "--expires", "PT1H").code == 2
    assert penstock("users", "revoke", "bob", "night", "--in", "shop").code == 0
    assert penstock("roles", "remove", "night").code == 0
    assert "roles.remove" in penstock("audit", "list", "--limit", "3").out
    assert penstock("audit", "verify").code == 0
    assert "roles.remove" in penstock("audit", "export").out


def test_the_house_is_kept_still(penstock: Penstock) -> None:
    assert "In maintenance: shop." in penstock("maintenance", "on", "shop", "--reason", "new disk").err
    assert "new disk" in penstock("maintenance", "show").out
    assert penstock("maintenance", "off", "shop").code == 0
    assert penstock("maintenance", "off", "shop").code == 2
    assert penstock("pools", "set", "warehouse", "4").code == 0
    assert penstock("pools", "list").out.split()[-4:] == ["warehouse", "4", "0", "0"]
    assert penstock("pools", "delete", "warehouse").code == 0
    assert penstock("pools", "delete", "warehouse").code == 2


def test_files_of_namespaces_are_kept_read_moved_and_packed(penstock: Penstock, tmp_path: Path) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "a.sql").write_text("select 1")
    (tmp_path / "sql" / "b.sql").write_text("select 2")

    put = penstock("files", "put", "shop", "sql")
    assert "sql/a.sql is kept, revision 1." in put.err and "sql/b.sql is kept" in put.err, put.err
    assert [each["path"] for each in penstock("files", "list", "shop", "sql/", "--json").json()] == [
        "sql/a.sql",
        "sql/b.sql",
    ]
    assert penstock("files", "get", "shop", "sql/a.sql").out == "select 1"
    assert "sql/a.sql is now queries/a.sql." in penstock("files", "move", "shop", "sql", "queries").err
    assert len(penstock("files", "history", "shop", "queries/a.sql").out.splitlines()) == 2
    assert penstock("files", "export", "shop", "all.zip").code == 0
    assert "2 files deleted." in penstock("files", "delete", "shop", "queries").err
    assert "2 files kept." in penstock("files", "import", "shop", "all.zip").err
    assert penstock("files", "put", "shop", "nothing.sql").code == 2


def test_alerts_are_added_listed_tried_and_removed(penstock: Penstock) -> None:
    added = penstock(
        "alerts", "add", "nightly", "--on", "late", "--after", "60", "--in", "shop", "--tell", "shop.timed"
    )
    listed = penstock("alerts", "list")

    assert "shop.timed tells of what is late: shop." in added.err
    assert "60 s" in listed.out and "shop.timed" in listed.out
    assert [each["id"] for each in penstock("alerts", "list", "--json").json()["alerts"]] == ["nightly"]
    assert "shop.timed tells by the run " in penstock("alerts", "test", "nightly").err
    assert penstock("alerts", "remove", "nightly").code == 0
    assert penstock("alerts", "remove", "nightly").code == 2


def test_branches_are_told_and_refused_where_there_are_none(penstock: Penstock) -> None:
    told = penstock("git", "status")
    unknown = penstock("git", "sync", "shop")

    assert (told.code, "name no branch" in told.err) == (0, True)
    assert unknown.code == 2
    assert "PS-844" in penstock("git", "sync", "shop", "--dry-run").err
