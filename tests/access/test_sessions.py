"""Who is let in, for how long, and how long does guessing take?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors.access import BadInvitation, TooManyLogins, UnknownPerson, WeakPassword, WrongLogin
from penstock.model.access import ActorKind, Grant
from penstock.model.policy import SECOND
from penstock.services.access import bearers, csrf_holds, csrf_token, delay, people, resolve, sessions
from penstock.services.access.delay import OF_ADDRESSES, OF_USERS
from penstock.store import credentials
from tests.services.office import Office

PASSWORD = "correct horse battery"
HOUR = 3_600 * SECOND


@pytest.fixture
def ann(office: Office) -> str:
    """A user who may view the shop."""
    people.add(office.core, "ann", PASSWORD)
    people.grant(office.core, "ann", "viewer", "shop")
    return "ann"


def test_who_knows_the_password_is_who_they_say(office: Office, ann: str) -> None:
    opened = sessions.login(office.core, " Ann ", PASSWORD, "10.0.0.7")

    actor = resolve(office.core, session=opened.secret, origin="10.0.0.8")

    assert actor is not None
    assert (actor.name, actor.kind, actor.via, actor.origin) == (ann, ActorKind.USER, "session", "10.0.0.8")
    assert actor.grants == (Grant("viewer", "shop"),)
    assert [one.origin for one in sessions.sessions_of(office.core, ann)] == ["10.0.0.7"]


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("ann", ""), ("bob", PASSWORD), ("robot", "")])
def test_a_wrong_login_does_not_tell_what_is_wrong(office: Office, ann: str, name: str, password: str) -> None:
    people.add(office.core, "robot", kind=ActorKind.SERVICE)

    with pytest.raises(WrongLogin) as told:
        sessions.login(office.core, name, password)

    assert str(told.value) == "PS-801  The name or the password is wrong."


@pytest.mark.parametrize("brought", ["", "x", "a" * 40, "pst_00000000_" + "a" * 40, "\ud800", "ann"])
def test_what_was_never_given_opens_nothing(office: Office, ann: str, brought: str) -> None:
    sessions.login(office.core, ann, PASSWORD)

    assert resolve(office.core, session=brought) is None
    assert resolve(office.core, bearer=brought) is None


def test_a_token_that_is_worth_nothing_is_not_made_up_for_by_a_session(office: Office, ann: str) -> None:
    opened = sessions.login(office.core, ann, PASSWORD)

    assert resolve(office.core, bearer="wrong", session=opened.secret) is None
    assert resolve(office.core, bearer=opened.secret) is None


def test_a_session_ends_by_logout_by_idling_and_by_age(office: Office, ann: str) -> None:
    out, idle, old = (sessions.login(office.core, ann, PASSWORD).secret for _ in range(3))

    ended = [sessions.logout(office.core, out) for _ in range(2)]
    alive = []
    for _ in range(sessions.LIFE // HOUR + 1):
        alive.append(resolve(office.core, session=old) is not None)
        office.clock.advance(HOUR)

    assert ended == [True, False]
    assert resolve(office.core, session=out) is None
    assert resolve(office.core, session=idle) is None
    assert alive == [True] * (sessions.LIFE // HOUR) + [False]
    assert bearers.expire(office.core) == 2


@pytest.mark.parametrize("how", ["disable", "log_out", "password"])
def test_somebody_is_put_out_at_once(office: Office, ann: str, how: str) -> None:
    secret = sessions.login(office.core, ann, PASSWORD).secret

    match how:
        case "disable":
            people.disable(office.core, ann)
        case "log_out":
            people.log_out(office.core, ann)
        case _:
            people.set_password(office.core, ann, "another one entirely")

    assert resolve(office.core, session=secret) is None
    assert sessions.sessions_of(office.core, ann) == []


def test_who_is_disabled_does_not_come_in(office: Office, ann: str) -> None:
    people.disable(office.core, ann)
    with pytest.raises(WrongLogin):
        sessions.login(office.core, ann, PASSWORD)

    people.enable(office.core, ann)

    assert sessions.login(office.core, ann, PASSWORD).person == ann


def test_a_password_is_changed_by_who_knows_the_old_one(office: Office, ann: str) -> None:
    here, there = (sessions.login(office.core, ann, PASSWORD).secret for _ in range(2))
    actor = resolve(office.core, session=here)
    assert actor is not None
    asking = office.core.asked_by(actor)

    with pytest.raises(WrongLogin):
        sessions.change_password(asking, "guessed", "another one entirely")
    sessions.change_password(asking, PASSWORD, "another one entirely", here)

    assert resolve(office.core, session=here) and not resolve(office.core, session=there)
    assert sessions.login(office.core, ann, "another one entirely").person == ann


def test_guessing_takes_longer_and_longer_and_keeps_nobody_out_for_long(office: Office, ann: str) -> None:
    waits: list[int] = []
    while len(waits) < 9:
        try:
            with pytest.raises(WrongLogin):
                sessions.login(office.core, ann, "guess", "10.0.0.7")
        except TooManyLogins as told:
            waits.append(told.seconds)
            office.clock.advance(told.seconds * SECOND)

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert sessions.login(office.core, ann, PASSWORD, "10.0.0.7").person == ann


def test_even_the_right_password_waits_its_turn(office: Office, ann: str) -> None:
    for _ in range(OF_USERS.free):
        with pytest.raises(WrongLogin):
            sessions.login(office.core, ann, "guess")

    with pytest.raises(TooManyLogins):
        sessions.login(office.core, ann, PASSWORD)
    office.clock.advance(SECOND)

    assert sessions.login(office.core, ann, PASSWORD).person == ann
    with pytest.raises(WrongLogin):
        sessions.login(office.core, ann, "guess")


def test_one_address_guesses_at_many_names_no_more(office: Office) -> None:
    addresses = ["2001:db8::1", "2001:db8::2", "2001:db8::3:4"]
    for number in range(OF_ADDRESSES.free):
        delay.counted(office.core, f"user{number}", addresses[number % 3])

    with pytest.raises(TooManyLogins):
        delay.counted(office.core, "another", "2001:db8::9")
    delay.counted(office.core, "another", "2001:db8:0:1::9")
    delay.counted(office.core, "another", "10.0.0.7")


def test_failures_of_long_ago_do_not_count(office: Office) -> None:
    for _ in range(OF_USERS.free):
        delay.counted(office.core, "ann", "10.0.0.7")
    office.clock.advance(delay.FORGOTTEN)

    delay.counted(office.core, "ann", "10.0.0.7")
    delay.counted(office.core, "ann", "10.0.0.7")
    office.clock.advance(delay.FORGOTTEN)
    bearers.expire(office.core)

    assert office.store.read(lambda tx: credentials.wrong(tx, ["user:ann", "from:10.0.0.7"])) == {}


@given(st.integers(0, 10_000))
def test_a_wait_grows_to_its_end_and_no_further(count: int) -> None:
    for patience in (OF_USERS, OF_ADDRESSES):
        assert 0 <= patience.wait(count) <= patience.wait(count + 1) <= patience.longest


def test_the_first_owner_comes_in_by_a_link_once(office: Office) -> None:
    links = [sessions.first_owner(office.core) or "" for _ in range(2)]
    assert all(links) and links[0] != links[1]

    with pytest.raises(WeakPassword):
        sessions.accept(office.core, links[0], "short", "olga")
    opened = sessions.accept(office.core, links[0], PASSWORD, "olga")

    actor = resolve(office.core, session=opened.secret)
    assert actor is not None and actor.grants == (Grant("owner"),)
    for link in links:
        with pytest.raises(BadInvitation):
            sessions.accept(office.core, link, PASSWORD, "eve")
    assert sessions.first_owner(office.core) is None
    assert [one.name for one in people.every(office.core)] == ["olga"]


def test_a_user_chooses_a_password_by_a_link(office: Office) -> None:
    people.add(office.core, "bob")
    earlier, link = (sessions.invite(office.core, "bob") for _ in range(2))

    opened = sessions.accept(office.core, link, PASSWORD, "olga")

    assert opened.person == "bob"
    for used in (earlier, link, "", "never"):
        with pytest.raises(BadInvitation):
            sessions.accept(office.core, used, PASSWORD)
    with pytest.raises(UnknownPerson):
        sessions.invite(office.core, "nobody")


def test_a_link_is_past_its_time_after_a_day(office: Office) -> None:
    people.add(office.core, "bob")
    link = sessions.invite(office.core, "bob")

    office.clock.advance(sessions.INVITED)

    with pytest.raises(BadInvitation):
        sessions.accept(office.core, link, PASSWORD)


def test_using_a_session_is_noted_now_and_then_only(office: Office, ann: str) -> None:
    secret = sessions.login(office.core, ann, PASSWORD).secret
    seen = []
    for _ in range(10):
        office.clock.advance(bearers.COARSE // 2)
        resolve(office.core, session=secret)
        seen.append(sessions.sessions_of(office.core, ann)[0].seen_at)

    assert len(set(seen)) == 6


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_form_belongs_to_its_own_session(one: str, other: str) -> None:
    assert csrf_holds(one, csrf_token(one))
    assert csrf_holds(one, csrf_token(other)) == (one == other)
    assert not csrf_holds(one, "") and not csrf_holds(one, one)
