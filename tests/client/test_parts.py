"""Can triggers, backfills, kept values, secrets, people and the house be looked after by the client?"""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.client import Client, Span, log_in
from penstock.errors.access import WrongLogin
from penstock.errors.api import Changed
from penstock.errors.client import BadServerAddress
from penstock.errors.run import UnknownKey, UnknownTrigger
from tests.api.house import HELLO
from tests.client.conftest import Installation

TIMED = HELLO + "triggers:\n  - {id: nightly, type: Schedule, cron: '0 3 * * *'}\n"
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def flow(client: Client) -> None:
    """A flow with a schedule."""
    client.flows.push({"a.yml": TIMED})


def test_triggers_are_listed_switched_and_tell_their_dates(client: Client) -> None:
    off = client.triggers.switch("shop", "hello", "nightly", on=False)
    dates = client.triggers.dates("shop", "hello", "nightly", after="2026-01-01T00:00:00Z", limit=3)

    assert off.off_by == "ann"
    assert [each.id for each in client.triggers.list(namespace="shop")] == ["nightly"]
    assert [each.at for each in dates] == [f"2026-01-0{day}T03:00:00.000Z" for day in (1, 2, 3)]
    assert client.triggers.switch("shop", "hello", "nightly", on=True).off_by == ""
    with pytest.raises(UnknownTrigger):
        client.triggers.switch("shop", "hello", "daily", on=True)


def test_backfills_are_planned_begun_and_looked_after(client: Client) -> None:
    span = Span(begin="2016-01-01T00:00:00Z", end="2016-01-05T00:00:00Z", every="P1D", inputs={"who": "{{ date }}"})

    planned = client.backfills.start("shop", "hello", span, dry_run=True)
    begun = client.backfills.start("shop", "hello", span, at_once=2).backfill

    assert (planned.backfill, planned.total, planned.planned[0].date) == (None, 5, "2016-01-01T00:00:00.000Z")
    assert begun is not None
    assert client.backfills.pause(begun.id).status == "paused"
    assert client.backfills.resume(begun.id, at_once=7).at_once == 7
    assert client.backfills.get(begun.id).total == 5
    assert [each.number for each in client.backfills.runs(begun.id)] == [1, 2, 3, 4, 5]
    assert [each.id for each in client.backfills.list(flow="hello")] == [begun.id]
    assert client.backfills.cancel(begun.id, kill=True).status == "cancelled"
    assert client.backfills.retry(begun.id) == 5


def test_values_are_kept_and_forgotten(client: Client) -> None:
    first = client.kv.set("shop", "colour.now", {"a": [1, None]})
    second = client.kv.set("shop", "colour.now", "red", expires="2999-01-01T00:00:00Z")

    assert (first.version, second.version, second.expires) == (1, 2, "2999-01-01T00:00:00.000Z")
    assert client.kv.get("shop", "colour.now") == "red"
    assert [each.key for each in client.kv.list("shop", "col")] == ["colour.now"]
    client.kv.delete("shop", "colour.now")
    with pytest.raises(UnknownKey):
        client.kv.get("shop", "colour.now")


def test_secrets_go_in_and_never_come_out(client: Client) -> None:
    kept = client.secrets.set("shop", "DB", "a long pass word")

    assert (kept.name, kept.version) == ("DB", 1)
    assert [each.name for each in client.secrets.list("shop")] == ["DB"]
    assert client.secrets.verify().good == 1
    assert client.secrets.rotate(forget=True).secrets == 1
    client.secrets.delete("shop", "DB")
    assert list(client.secrets.list("shop")) == []


def test_people_tokens_and_roles_are_looked_after_and_told_of(installation: Installation, client: Client) -> None:
    client.roles.put("night", ["runs.*"])
    client.people.add("bob", password=PASSWORD)
    client.people.grant("bob", "night", "shop")
    token = log_in(installation.server.url, "bob", PASSWORD, label="laptop")
    with Client(installation.server.url, token) as bob:
        me = bob.people.me()
        (own,) = bob.tokens.own()
        bob.tokens.revoke(own.begins, own=True)
    with pytest.raises(WrongLogin):
        log_in(installation.server.url, "bob", "wrong")

    assert (me.name, own.label) == ("bob", "laptop")
    assert client.people.invite("bob")
    client.people.set_password("bob", PASSWORD + "!")
    assert client.people.disable("bob").disabled and not client.people.enable("bob").disabled
    assert client.people.log_out("bob") == 0
    made = client.tokens.add("bob", actions=["runs.view"], days=None)
    assert [each.begins for each in client.tokens.list("bob")] == [made.token.begins]
    client.tokens.revoke(made.token.begins)
    client.people.revoke("bob", "night", "shop")
    client.roles.delete("night")
    assert "night" not in {each.name for each in client.roles.list()}
    assert {"bob"} <= {each.name for each in client.people.list()}
    assert client.people.me().via == "local key"
    acts = [each.verb for each in client.audit.list(who="ann")]
    assert {"people.grant", "tokens.add"} <= set(acts), acts
    assert client.audit.verify().sound
    assert b"people.grant" in b"".join(client.audit.export())


def test_the_house_is_kept_still_and_told_of(client: Client) -> None:
    assert client.maintenance.begin("shop", reason="new disk").changed
    assert [each.reason for each in client.maintenance.show().held] == ["new disk"]
    assert client.maintenance.end("shop").changed
    assert client.installation.set_pool("warehouse", 4).slots == 4
    assert [each.name for each in client.installation.pools()] == ["warehouse"]
    client.installation.delete_pool("warehouse")
    assert client.installation.limits() == ()
    assert [each.id for each in client.installation.workers()] == ["bee"]
    assert client.installation.queues()
    assert client.installation.settings().version


@pytest.mark.parametrize("text", ["", "penstock.example.org", "ftp://x", "http://", "http://ann:x@y", "http://x?y"])
def test_a_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadServerAddress):
        Client(text)


def test_files_of_namespaces_are_kept_read_moved_and_packed(client: Client, tmp_path: Path) -> None:
    first = client.files.put("shop", "sql/a.sql", b"select 1")
    second = client.files.put("shop", "sql/a.sql", b"select 2", on_top_of=first.revision)
    with pytest.raises(Changed):
        client.files.put("shop", "sql/a.sql", b"select 3", on_top_of=first.revision)

    assert (second.revision, second.size) == (2, 8)
    assert b"".join(client.files.read("shop", "sql/a.sql")) == b"select 2"
    assert b"".join(client.files.read("shop", "sql/a.sql", 1)) == b"select 1"
    assert [each.revision for each in client.files.history("shop", "sql/a.sql")] == [2, 1]
    assert client.files.make_folder("shop", "empty").path == "empty/"
    assert "queries/a.sql" in [each.path for each in client.files.move("shop", "sql", "queries")]
    assert client.files.export("shop", tmp_path / "all.zip") > 100
    assert "back/queries/a.sql" in [each.path for each in client.files.take_in("shop", tmp_path / "all.zip", "back")]
    assert "queries/a.sql" in [each.path for each in client.files.list("shop", "queries/")]
    client.files.delete("shop", "queries")
    assert not list(client.files.list("shop", "queries/"))


def test_days_dependencies_and_branches_are_told(client: Client) -> None:
    calls = "id: calls\nnamespace: shop\ntasks:\n  - {id: call, type: subflow, namespace: shop, flowId: hello}\n"
    client.flows.push({"calls.yml": calls})
    client.runs.wait(client.runs.start("shop", "hello").id)

    near = client.flows.dependencies("shop", "hello", down=False)
    assert [(each.source, each.target) for each in near.links] == [("shop.calls", "shop.hello")]
    assert len(client.flows.dependencies("shop").flows) == 2
    assert sum(each.ended for each in client.runs.days(since="2016-01-01", until="2016-01-02")) == 0
    assert list(client.runs.flow_days(namespace="other")) == []
    assert client.branches.list() == ()
    assert client.runs.lineage(flow="hello").links == client.runs.lineage(next(client.runs.list()).id).links == []
