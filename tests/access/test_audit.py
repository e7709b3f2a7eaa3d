"""Is every act told of once, with what it did or not at all, and does no change of what was told stay unseen?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors.access import PersonExists
from penstock.errors.api import MayNot
from penstock.errors.store import CommitUnknown, StoreGone
from penstock.model.access import EVERYWHERE, Action, Actor, Grant, Scope
from penstock.model.policy import SECOND
from penstock.services import audit
from penstock.services.access import audited, own_roles, people, resolve, sessions, tokens
from penstock.services.access.tokens import Wanted
from penstock.services.access.witness import Witness
from penstock.services.core import Core
from penstock.store.audit import Entry, Filter
from penstock.store.port import Store, Tx
from penstock.store.postgres.lane import PostgresTx
from penstock.store.sqlite.session import SqliteTx
from tests.services.office import Office

PASSWORD = "correct horse battery"
OLGA = Actor(name="olga", grants=(Grant("owner"),), via="session", origin="10.0.0.7")
COLUMNS = ("id", "who", "kind", "via", "origin", "action", "verb", "object", "namespace", "detail")


def told(office: Office, scope: Scope = EVERYWHERE, **wanted: Any) -> list[str]:
    """What the audit tells, oldest first: who, verb, object."""
    found = audit.page(office.core, scope, Filter(**wanted))
    return [f"{one.who} {one.verb} {one.object}" for one in reversed(found)]


def change(store: Store, statement: str) -> int:
    """Change something behind the back of the services."""

    def work(tx: Tx) -> int:
        if isinstance(tx, PostgresTx):
            return tx._session.execute(statement.encode()).rowcount
        assert isinstance(tx, SqliteTx)
        return tx._session.execute(statement).rowcount

    return store.write(work)


def acts(office: Office, count: int) -> None:
    """Let a few things be done, and seal them."""
    for number in range(count):
        office.clock.advance(SECOND)
        own_roles.set_role(office.core.asked_by(OLGA), f"role-{number}", ["runs.view"])
    audit.seal(office.core)


def test_an_act_tells_who_did_what_where_and_by_which_way(office: Office) -> None:
    asking = office.core.asked_by(OLGA)
    people.add(asking, "ann", PASSWORD)
    people.grant(asking, "ann", "viewer", "shop")

    granted, added = audit.page(office.core, EVERYWHERE, Filter())

    assert (granted.who, granted.kind, granted.via, granted.origin) == ("olga", "user", "session", "10.0.0.7")
    assert (granted.verb, granted.action, granted.object) == ("people.grant", "people.edit", "ann")
    assert (granted.namespace, granted.detail) == ("shop", {"role": "viewer", "namespace": "shop"})
    assert (added.namespace, added.detail, added.seal) == ("", {"kind": "user"}, 0)
    assert granted.at == office.clock.now()


def test_everything_that_people_do_is_told_and_what_penstock_does_itself_is_not(office: Office) -> None:
    asking = office.core.asked_by(OLGA)
    people.add(office.core, "ann", PASSWORD)
    own_roles.set_role(asking, "night", ["runs.view"])
    people.grant(asking, "ann", "night")
    people.grant(asking, "ann", "night")
    opened = sessions.login(office.core, "ann", PASSWORD, "10.0.0.9")
    ann = resolve(office.core, session=opened.secret)
    assert ann is not None
    made = tokens.add(office.core.asked_by(ann), "ann", Wanted(label="mine"))
    tokens.revoke(asking, made.token.prefix)
    sessions.logout(office.core.asked_by(ann), opened.secret)
    people.disable(asking, "ann")

    assert told(office) == [
        "olga roles.set night",
        "olga people.grant ann",
        "ann sessions.open ann",
        "ann tokens.add ann",
        f"olga tokens.revoke {made.token.prefix}",
        "ann sessions.close ann",
        "olga people.disable ann",
    ]
    assert told(office, who="ann", verb="tokens.add") == ["ann tokens.add ann"]
    assert told(office, verb="people.edit") == ["olga people.grant ann", "olga people.disable ann"]


def test_no_secret_and_no_hash_is_told(office: Office) -> None:
    asking = office.core.asked_by(OLGA)
    people.add(asking, "ann", PASSWORD)
    link = sessions.invite(asking, "ann")
    opened = sessions.accept(office.core, link, "another one entirely")
    made = tokens.add(asking, "ann", Wanted(label="mine"))
    audit.seal(office.core)

    text = "\n".join(audit.lines(office.core))

    planted = [PASSWORD, "another one entirely", link, opened.secret, opened.csrf, made.secret, made.secret[12:]]
    hashes = [hashlib.sha256(each.encode()).hexdigest() for each in planted]
    assert not [each for each in (*planted, *hashes, "argon2") if each in text]


def test_what_failed_or_was_refused_is_not_told(office: Office) -> None:
    people.add(office.core, "ann")

    with pytest.raises(PersonExists):
        people.add(office.core.asked_by(OLGA), "ann")
    with pytest.raises(MayNot):
        people.add(office.core.asked_by(Actor(name="eve")), "eve")

    assert told(office) == []


class Losing:
    """A store that loses the answer to some COMMITs, before or after they took effect."""

    def __init__(self, store: Store, losses: list[str]) -> None:
        self._store = store
        self.losses = losses

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, work: Callable[[Tx], Any]) -> Any:
        loss = self.losses.pop(0) if self.losses else ""
        if loss == "before":
            raise StoreGone("The database is gone.")
        done = self._store.write(work)
        if loss == "after":
            raise CommitUnknown("The answer to COMMIT was lost.")
        return done


def test_an_act_whose_commit_nobody_knows_of_is_told_once(office: Office) -> None:
    store: Any = Losing(office.store, ["after"])
    asking = office.core.through(store).asked_by(OLGA)

    own_roles.set_role(asking, "night", ["runs.view"])

    assert told(office) == ["olga roles.set night"]


def test_an_act_and_its_telling_are_lost_together(office: Office) -> None:
    store: Any = Losing(office.store, ["before"])
    asking = office.core.through(store).asked_by(OLGA)

    with pytest.raises(StoreGone):
        own_roles.set_role(asking, "night", ["runs.view"])

    assert (told(office), own_roles.every(office.core)) == ([], [])


def test_an_act_told_again_after_it_was_sealed_is_told_once(office: Office) -> None:
    entry = Entry(
        id="1", at=1, who="olga", kind="user", via="", origin="", action="", verb="x", object="y", namespace="",
        detail="{}",
    )  # fmt: skip
    for _ in range(2):
        Witness(office.store, entry).finish(None)
        audit.seal(office.core)

    assert told(office) == ["olga x y"]
    assert audit.verify(office.core).acts == 1


@audited(Action.KV_EDIT, "kv.sample", "{key}", namespace="{namespace}")
def outer(core: Core, namespace: str, key: str) -> int:
    """An act that does others on its way."""
    for name in ("one", "two"):
        own_roles.set_role(core, name, ["runs.view"])
    return len(namespace)


def test_an_act_within_an_act_is_part_of_it_and_of_its_right(office: Office) -> None:
    editor = Actor(name="edda", grants=(Grant("owner", "shop"), Grant("owner")))

    outer(office.core.asked_by(editor), "shop", key="k")

    assert told(office) == ["edda kv.sample k"]
    with pytest.raises(MayNot, match=r"kv\.edit in the namespace"):
        outer(office.core.asked_by(Actor(name="eve", grants=(Grant("editor", "bank"),))), "shop", "k")


def test_a_list_shows_what_lies_in_the_scope(office: Office) -> None:
    people.add(office.core, "ann")
    for namespace in ("shop", "shop.eu", "shops", ""):
        people.grant(office.core.asked_by(OLGA), "ann", "viewer", namespace)
    audit.seal(office.core)
    people.grant(office.core.asked_by(OLGA), "ann", "editor", "shop.eu")

    shown = audit.page(office.core, Scope(namespaces=("shop",)), Filter())

    assert [(one.namespace, one.seal) for one in shown] == [("shop.eu", 0), ("shop.eu", 1), ("shop", 1)]
    assert audit.page(office.core, Scope(), Filter()) == []


def test_a_list_goes_on_behind_its_last_act_and_keeps_to_its_time(office: Office) -> None:
    acts(office, 5)
    middle = office.clock.now() - 2 * SECOND

    pages, before = [], ""
    while found := audit.page(office.core, EVERYWHERE, Filter(), 2, before):
        pages.append([one.object for one in found])
        before = found[-1].id

    assert pages == [["role-4", "role-3"], ["role-2", "role-1"], ["role-0"]]
    assert told(office, since=middle) == ["olga roles.set role-2", "olga roles.set role-3", "olga roles.set role-4"]
    assert told(office, until=middle) == ["olga roles.set role-0", "olga roles.set role-1"]


def test_a_chain_is_sound_until_something_is_changed(office: Office) -> None:
    for count in (3, 0, 2):
        acts(office, count)
    own_roles.set_role(office.core.asked_by(OLGA), "late", ["runs.view"])

    found = audit.verify(office.core)

    assert found.sound, found.problems
    assert (found.seals, found.acts, found.unsealed) == (2, 5, 1)
    assert audit.verify(office.core, found.head).sound
    assert not audit.verify(office.core, "0" * 64).sound
    acts(office, 1)
    assert audit.verify(office.core, found.head).sound


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE audit SET who = 'eve' WHERE seal = 1 AND place = 1", "Act 1 of seal 1 was changed"),
        ("DELETE FROM audit WHERE seal = 2 AND place = 0", "Act 0 of seal 2 was removed"),
        ("UPDATE audit SET place = 7 WHERE seal = 1 AND place = 1", "Act 7 of seal 1 was inserted"),
        ("UPDATE audit SET seal = 9 WHERE seal = 2", "belong to no seal"),
        ("DELETE FROM audit_seals WHERE number = 1", "Behind seal 0 comes seal 2"),
        ("DELETE FROM audit_seals WHERE number = 2", "belong to no seal"),
        ("UPDATE audit_seals SET at = at + 1 WHERE number = 1", "Seal 1 is not what it was"),
        ("INSERT INTO audit_seals VALUES (-1, 1, '[]', '', '')", "belong to no seal"),
    ],
)
def test_a_change_is_told_with_its_place(office: Office, statement: str, problem: str) -> None:
    for count in (2, 2):
        acts(office, count)

    assert change(office.store, statement)

    assert [each for each in audit.verify(office.core).problems if problem in each]


def test_a_chain_that_was_cut_off_is_seen_by_who_knows_its_head(office: Office) -> None:
    for count in (2, 2):
        acts(office, count)
    head = audit.verify(office.core).head

    change(office.store, "DELETE FROM audit WHERE seal = 2")
    change(office.store, "DELETE FROM audit_seals WHERE number = 2")

    assert audit.verify(office.core).sound
    assert not audit.verify(office.core, head).sound


@st.composite
def tampering(draw: st.DrawFn) -> str:
    """A statement that changes, removes or inserts one row of a chain of three seals of two acts."""
    seal, place = draw(st.integers(1, 3)), draw(st.integers(0, 1))
    column = draw(st.sampled_from(COLUMNS))
    values = [f"'{draw(st.text('abc{}', max_size=4))}x'" if each == column else each for each in COLUMNS]
    match draw(st.sampled_from(["change", "at", "remove", "insert", "move", "seal", "unseal"])):
        case "change":
            return f"UPDATE audit SET {column} = {column} || '.' WHERE seal = {seal} AND place = {place}"
        case "at":
            later = draw(st.integers(1, 10**12))
            return f"UPDATE audit SET at = at - {later} WHERE seal = {seal} AND place = {place}"
        case "remove":
            return f"DELETE FROM audit WHERE seal = {seal} AND place = {place}"
        case "insert":
            at = (draw(st.integers(-1, 5)), draw(st.integers(2, 9)))
            given = ["'new'", *values[1:]]
            return (
                f"INSERT INTO audit (seal, place, at, {', '.join(COLUMNS)}) "
                f"SELECT {at[0]}, {at[1]}, at, {', '.join(given)} FROM audit WHERE seal = {seal} AND place = {place}"
            )
        case "move":
            return f"UPDATE audit SET seal = {draw(st.integers(4, 9))} WHERE seal = {seal} AND place = {place}"
        case "unseal":
            return f"DELETE FROM audit_seals WHERE number = {seal}"
        case _:
            what = draw(st.sampled_from(["hash = before || 'f'", "before = 'f'", "at = at + 1", "hashes = '[]'"]))
            return f"UPDATE audit_seals SET {what} WHERE number = {seal}"


@given(tampering())
def test_no_change_of_one_row_stays_unseen(statement: str) -> None:
    office = Office()
    for count in (2, 2, 2):
        acts(office, count)

    changed = change(office.store, statement)

    assert changed == 1
    assert not audit.verify(office.core).sound
    office.close()


def test_an_export_says_what_a_reader_needs_to_verify_it(office: Office) -> None:
    for count in (2, 3):
        acts(office, count)
    own_roles.set_role(office.core.asked_by(OLGA), "late", ["runs.view"])

    exported = [json.loads(line) for line in audit.lines(office.core)]

    assert [one["what"] for one in exported] == ["act"] * 2 + ["seal"] + ["act"] * 3 + ["seal", "act"]
    before = ""
    for seal in (one["value"] for one in exported if one["what"] == "seal"):
        of_seal = [one["value"] for one in exported if one["what"] == "act" and one["seal"] == seal["number"]]
        assert seal["hashes"] == [sha256(list(act.values())) for act in of_seal]
        assert seal["hash"] == sha256([seal["number"], seal["at"], seal["hashes"], before])
        before = seal["hash"]


def sha256(value: object) -> str:
    """The hash of a value's JSON text, without spaces."""
    return hashlib.sha256(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def test_what_is_past_its_time_goes_and_the_chain_says_so(office: Office) -> None:
    for count in (2, 2, 2):
        acts(office, count)
    head = audit.verify(office.core).head
    last = office.clock.now()

    gone = audit.forget(office.core.asked_by(OLGA), last)
    again = audit.forget(office.core, last)
    audit.seal(office.core)

    found = audit.verify(office.core, head)
    assert (gone, again) == (4, 0)
    assert found.sound, found.problems
    assert (found.acts, found.seals) == (3, 2)
    assert told(office)[-1] == "olga audit.forget seals up to 2"


def test_the_newest_seal_stays_however_old_it_is(office: Office) -> None:
    acts(office, 2)
    office.clock.advance(10**12)

    assert audit.forget(office.core, office.clock.now()) == 0
    assert audit.verify(office.core).acts == 2


def test_a_beginning_that_was_removed_by_somebody_else_is_seen(office: Office) -> None:
    for count in (2, 2, 2, 2):
        acts(office, count)
    audit.forget(office.core, office.clock.now() - 3 * SECOND)
    audit.seal(office.core)
    assert audit.verify(office.core).sound

    change(office.store, "DELETE FROM audit WHERE seal = 3")
    change(office.store, "DELETE FROM audit_seals WHERE number = 3")

    assert not audit.verify(office.core).sound
