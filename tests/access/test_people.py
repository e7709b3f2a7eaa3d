"""Are people added, granted and kept out, and does nobody get more than they may give?"""

from __future__ import annotations

import pytest

from penstock.errors.access import (
    BadPersonName,
    BadRole,
    LastOwner,
    PersonExists,
    UnknownPerson,
    UnknownRole,
    WeakPassword,
)
from penstock.errors.api import MayNot
from penstock.errors.run import BadId
from penstock.model.access import Action, Actor, ActorKind, Grant
from penstock.services.access import can, own_roles, people, resolve, sessions
from penstock.services.core import Core
from tests.services.office import Office

PASSWORD = "correct horse battery"


def as_(office: Office, *grants: Grant, name: str = "boss") -> Core:
    """The services as somebody with these grants asks for them."""
    return office.core.asked_by(Actor(name=name, grants=grants, via="session"))


def test_somebody_new_is_there_and_may_do_nothing(office: Office) -> None:
    people.add(office.core, "ann", PASSWORD)
    people.add(office.core, "robot", kind=ActorKind.SERVICE)

    ann, robot = people.every(office.core)

    assert (ann.name, ann.kind, ann.password, ann.disabled, ann.grants) == ("ann", "user", True, False, ())
    assert (robot.name, robot.kind, robot.password) == ("robot", "service", False)
    with pytest.raises(PersonExists):
        people.add(office.core, "ann")


@pytest.mark.parametrize("name", ["", "Ann", "ann smith", "-ann", "ann/../bob", "a" * 101, "änn"])
def test_an_odd_name_is_refused(office: Office, name: str) -> None:
    with pytest.raises(BadPersonName):
        people.add(office.core, name, PASSWORD)


@pytest.mark.parametrize("password", ["short", "x" * 257, "frederick1"])
def test_a_weak_password_is_refused_and_not_repeated(office: Office, password: str) -> None:
    with pytest.raises(WeakPassword) as told:
        people.add(office.core, "frederick", password)

    assert password not in str(told.value)
    assert people.every(office.core) == []


def test_a_grant_reaches_its_namespace_until_it_is_revoked(office: Office) -> None:
    people.add(office.core, "ann", PASSWORD)
    first, again = (people.grant(office.core, "ann", "operator", "shop") for _ in range(2))
    session = sessions.login(office.core, "ann", PASSWORD)

    def may(namespace: str) -> bool:
        actor = resolve(office.core, session=session.secret)
        return actor is not None and can(actor, Action.RUNS_OPERATE, namespace)

    granted = [may("shop"), may("shop.eu"), may("bank")]
    gone = [people.revoke(office.core, "ann", "operator", "shop") for _ in range(2)]

    assert (first, again) == (True, False)
    assert granted == [True, True, False]
    assert (gone, may("shop")) == ([True, False], False)


def test_an_own_role_allows_what_it_says_now(office: Office) -> None:
    people.add(office.core, "ann", PASSWORD)
    own_roles.set_role(office.core, "night", ["runs.*", "flows.view"])
    people.grant(office.core, "ann", "night", "shop")
    session = sessions.login(office.core, "ann", PASSWORD)

    def allowed() -> list[Action]:
        actor = resolve(office.core, session=session.secret)
        assert actor is not None
        return [action for action in Action if can(actor, action, "shop")]

    before = allowed()
    own_roles.set_role(office.core, "night", ["runs.view"])
    after = allowed()

    assert before == ["runs.view", "runs.start", "runs.operate", "runs.delete", "flows.view"]
    assert after == ["runs.view"]
    with pytest.raises(BadRole, match="granted to ann"):
        own_roles.remove(office.core, "night")
    people.revoke(office.core, "ann", "night", "shop")
    own_roles.remove(office.core, "night")
    assert own_roles.every(office.core) == []


@pytest.mark.parametrize("actions", [["runs.fly"], [], ["*"], ["runs"]])
def test_a_role_of_unknown_actions_is_refused(office: Office, actions: list[str]) -> None:
    with pytest.raises(BadRole):
        own_roles.set_role(office.core, "night", actions)


def test_a_built_in_role_stays_what_it_is(office: Office) -> None:
    with pytest.raises(BadRole):
        own_roles.set_role(office.core, "viewer", ["runs.view"])
    with pytest.raises(BadRole):
        own_roles.remove(office.core, "viewer")


def test_unknown_people_roles_and_namespaces_are_refused(office: Office) -> None:
    people.add(office.core, "ann", PASSWORD)

    with pytest.raises(UnknownPerson, match='Did you mean "ann"'):
        people.grant(office.core, "anne", "viewer")
    with pytest.raises(UnknownRole, match='Did you mean "viewer"'):
        people.grant(office.core, "ann", "viewr")
    with pytest.raises(BadId):
        people.grant(office.core, "ann", "viewer", "shop..eu")


def test_nobody_grants_more_than_they_may_do(office: Office) -> None:
    people.add(office.core, "ann", PASSWORD)
    admin = as_(office, Grant("admin", "shop"))

    people.grant(admin, "ann", "editor", "shop.eu")

    for role, namespace in [("owner", "shop"), ("viewer", ""), ("viewer", "bank"), ("admin", "")]:
        with pytest.raises(MayNot):
            people.grant(admin, "ann", role, namespace)
    assert people.every(office.core)[0].grants == (Grant("editor", "shop.eu"),)


def test_nobody_takes_over_who_may_do_more(office: Office) -> None:
    people.add(office.core, "olga", PASSWORD)
    people.grant(office.core, "olga", "owner")
    people.add(office.core, "omar", PASSWORD)
    people.grant(office.core, "omar", "owner")
    admin = as_(office, Grant("admin"))

    for act in (people.disable, people.enable, people.log_out, sessions.invite):
        with pytest.raises(MayNot):
            act(admin, "olga")
    with pytest.raises(MayNot):
        people.set_password(admin, "olga", "mine from now on")
    with pytest.raises(MayNot):
        people.revoke(admin, "olga", "owner")
    with pytest.raises(MayNot):
        own_roles.set_role(admin, "more", ["roles.edit"])
    assert sessions.login(office.core, "olga", PASSWORD).person == "olga"


def test_who_has_no_right_to_edit_people_edits_none(office: Office) -> None:
    people.add(office.core, "ann", PASSWORD)
    editor = as_(office, Grant("editor"))

    with pytest.raises(MayNot):
        people.add(editor, "bob", PASSWORD)
    with pytest.raises(MayNot):
        people.grant(editor, "ann", "viewer")
    with pytest.raises(MayNot):
        people.disable(editor, "ann")
    assert [one.name for one in people.every(office.core)] == ["ann"]


def test_the_last_owner_stays(office: Office) -> None:
    for name in ("olga", "omar"):
        people.add(office.core, name, PASSWORD)
        people.grant(office.core, name, "owner")
    people.disable(office.core, "omar")

    with pytest.raises(LastOwner):
        people.disable(office.core, "olga")
    with pytest.raises(LastOwner):
        people.revoke(office.core, "olga", "owner")
    people.enable(office.core, "omar")
    assert people.revoke(office.core, "olga", "owner")
