"""Does all of it hold when several processes do it at the same moment?"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

from penstock.errors import PenstockError
from penstock.errors.access import BadInvitation, LastOwner, TooManyLogins, WrongLogin
from penstock.model.access import Actor, Grant
from penstock.services import audit
from penstock.services.access import own_roles, people, sessions
from penstock.services.access.delay import OF_USERS
from tests.services.office import Office

PASSWORD = "correct horse battery"
OLGA = Actor(name="olga", grants=(Grant("owner"),))
Offices = tuple[Office, Office]


def together(*acts: Callable[[], object]) -> list[type | None]:
    """Do all at one moment, and give the class of what each raised."""
    start = Barrier(len(acts))

    def one(act: Callable[[], object]) -> type | None:
        start.wait()
        try:
            act()
        except PenstockError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(len(acts)) as threads:
        return [each.result() for each in [threads.submit(one, act) for act in acts]]


def test_two_sealers_and_two_writers_make_one_chain(offices: Offices) -> None:
    def write(office: Office, name: str) -> None:
        asking = office.core.asked_by(OLGA)
        for number in range(20):
            own_roles.set_role(asking, f"{name}-{number}", ["runs.view"])

    def seal(office: Office) -> None:
        for _ in range(10):
            audit.seal(office.core)

    one, other = offices
    raised = together(lambda: write(one, "a"), lambda: write(other, "b"), lambda: seal(one), lambda: seal(other))
    audit.seal(one.core)

    found = audit.verify(other.core)
    assert raised == [None] * 4
    assert found.sound, found.problems
    assert (found.acts, found.unsealed) == (40, 0)


def test_of_two_owners_who_leave_at_the_same_moment_one_stays(offices: Offices) -> None:
    one, other = offices
    for number in range(5):
        names = [f"olga{number}", f"omar{number}"]
        for name in names:
            people.add(one.core, name)
            people.grant(one.core, name, "owner")
        for person in people.every(one.core):
            if person.name not in names and not person.disabled:
                people.disable(one.core, person.name)

        raised = together(
            partial(people.revoke, one.core, names[0], "owner"), partial(people.disable, other.core, names[1])
        )

        assert sorted(map(str, raised)) == sorted(map(str, [None, LastOwner]))


def test_an_invitation_is_used_once_by_whoever_is_first(offices: Offices) -> None:
    one, other = offices
    link = sessions.first_owner(one.core) or ""

    raised = together(
        lambda: sessions.accept(one.core, link, PASSWORD, "olga"),
        lambda: sessions.accept(other.core, link, PASSWORD, "eve"),
    )

    assert sorted(map(str, raised)) == sorted(map(str, [None, BadInvitation]))
    assert len(people.every(one.core)) == 1


def test_guessing_at_many_doors_at_once_is_guessing_in_turn(offices: Offices) -> None:
    one, other = offices
    people.add(one.core, "ann", PASSWORD)

    def guess(office: Office) -> Callable[[], object]:
        return lambda: sessions.login(office.core, "ann", "guess")

    raised = together(*(guess(office) for office in (one, other) * 6))

    assert raised.count(WrongLogin) == OF_USERS.free
    assert set(raised) == {WrongLogin, TooManyLogins}
