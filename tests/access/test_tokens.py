"""Do tokens open what they were made for, no more, no longer, and never for more than their owner may do?"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from penstock.errors.access import UnknownPerson, UnknownToken
from penstock.errors.api import MayNot
from penstock.model.access import Action, Actor, ActorKind, Grant, Narrowed
from penstock.model.policy import SECOND
from penstock.services.access import bearers, can, people, resolve, scope, tokens
from penstock.services.access.tokens import Wanted
from tests.services.office import Office


@pytest.fixture
def robot(office: Office) -> str:
    """A service account that may operate the shop."""
    people.add(office.core, "robot", kind=ActorKind.SERVICE)
    people.grant(office.core, "robot", "operator", "shop")
    return "robot"


def test_a_token_is_told_once_and_opens_what_its_owner_may_do(office: Office, robot: str) -> None:
    made = tokens.add(office.core, robot, Wanted(label="nightly"))

    actor = resolve(office.core, bearer=made.secret)
    (listed,) = tokens.every(office.core)

    assert actor is not None
    assert (actor.name, actor.kind, actor.via) == (robot, "service", f"token {listed.prefix}")
    assert can(actor, Action.RUNS_START, "shop") and not can(actor, Action.RUNS_START, "bank")
    assert made.secret.startswith(listed.prefix) and len(made.secret) > len(listed.prefix) + 32
    assert (listed.label, listed.person, listed.created_by) == ("nightly", robot, "penstock")


def test_a_narrowed_token_keeps_what_was_said(office: Office, robot: str) -> None:
    kept = Narrowed(actions=frozenset({Action.RUNS_VIEW, Action.FLOWS_EDIT}), namespaces=("shop.eu", "bank"))
    secret = tokens.add(office.core, robot, Wanted(narrowed=kept)).secret

    actor = resolve(office.core, bearer=secret)

    assert actor is not None and actor.narrowed == kept
    assert scope(actor, Action.RUNS_VIEW).namespaces == ("shop.eu",)
    assert not scope(actor, Action.FLOWS_EDIT).namespaces
    assert not scope(actor, Action.RUNS_START).namespaces


def test_a_token_that_keeps_nothing_opens_nothing(office: Office, robot: str) -> None:
    secret = tokens.add(office.core, robot, Wanted(narrowed=Narrowed(actions=frozenset()))).secret

    actor = resolve(office.core, bearer=secret)

    assert actor is not None and not any(can(actor, action, "shop") for action in Action)


@pytest.mark.parametrize("how", ["expire", "revoke", "disable"])
def test_a_token_ends(office: Office, robot: str, how: str) -> None:
    made = tokens.add(office.core, robot, Wanted(life=60 * SECOND))
    before = resolve(office.core, bearer=made.secret)

    match how:
        case "expire":
            office.clock.advance(60 * SECOND)
        case "revoke":
            tokens.revoke(office.core, made.token.prefix)
        case _:
            people.disable(office.core, robot)

    assert before is not None
    assert resolve(office.core, bearer=made.secret) is None


def test_revoking_takes_what_a_token_begins_with_or_all_of_it(office: Office, robot: str) -> None:
    one, other = (tokens.add(office.core, robot, Wanted()) for _ in range(2))

    tokens.revoke(office.core, other.secret)
    with pytest.raises(UnknownToken) as told:
        tokens.revoke(office.core, other.secret)

    assert [each.prefix for each in tokens.every(office.core, robot)] == [one.token.prefix]
    assert other.secret not in str(told.value)


def test_a_token_makes_no_token_and_no_more_of_itself(office: Office) -> None:
    people.add(office.core, "ann", "correct horse battery")
    people.grant(office.core, "ann", "editor")
    ann = Actor(name="ann", grants=(Grant("editor"),), via="session")

    own = tokens.add(office.core.asked_by(ann), "ann", Wanted(life=60 * SECOND))
    bearer = resolve(office.core, bearer=own.secret)
    assert bearer is not None

    with pytest.raises(MayNot):
        tokens.add(office.core.asked_by(bearer), "ann", Wanted(life=None))
    assert len(tokens.every(office.core)) == 1


def test_nobody_makes_or_revokes_tokens_of_who_may_do_more(office: Office, robot: str) -> None:
    people.grant(office.core, robot, "owner")
    made = tokens.add(office.core, robot, Wanted())
    admin = office.core.asked_by(Actor(name="adam", grants=(Grant("admin"),), via="session"))
    editor = office.core.asked_by(Actor(name="edda", grants=(Grant("editor"),), via="session"))

    for asking in (admin, editor):
        with pytest.raises(MayNot):
            tokens.add(asking, robot, Wanted())
        with pytest.raises(MayNot):
            tokens.revoke(asking, made.token.prefix)
    with pytest.raises(MayNot):
        tokens.revoke(editor, "pst_nothing0")
    assert resolve(office.core, bearer=made.secret)


def test_a_narrowed_bearer_gives_no_more_than_it_keeps(office: Office, robot: str) -> None:
    whole = Actor(name="olga", grants=(Grant("owner"),), via="token pst_00000000")
    kept = Narrowed(actions=frozenset({Action.PEOPLE_EDIT, Action.RUNS_VIEW}))
    narrowed = office.core.asked_by(replace(whole, narrowed=kept))

    with pytest.raises(MayNot):
        tokens.add(narrowed, robot, Wanted())
    with pytest.raises(MayNot):
        people.grant(narrowed, robot, "viewer")
    with pytest.raises(UnknownPerson):
        tokens.add(office.core.asked_by(whole), "nobody", Wanted())


def test_using_a_token_is_noted_now_and_then_only(office: Office, robot: str) -> None:
    secret = tokens.add(office.core, robot, Wanted()).secret
    noted = []
    for _ in range(10):
        resolve(office.core, bearer=secret)
        noted.append(tokens.every(office.core)[0].used_at)
        office.clock.advance(bearers.COARSE // 2)

    assert noted[0] is not None and len(set(noted)) == 5
