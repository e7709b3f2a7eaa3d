"""Are alerts' addresses called by a server once each, again while nobody takes it, and never where no call may go?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import msgspec
import pytest

from penstock.errors.api import MayNot
from penstock.errors.run import InvalidInput
from penstock.errors.work import AddressRefused, Unanswered
from penstock.model.access import Action, Actor, Grant
from penstock.model.policy import SECOND
from penstock.model.status import Outcome
from penstock.services import alerts, outward
from penstock.services.exporting.calls import Calls
from penstock.services.outward import Guard
from penstock.services.scheduler import alerting
from penstock.services.scheduler.lead import Lead
from penstock.store import alerts as table
from penstock.store.alerts import Alert, Watches
from penstock.store.postgres.store import open_postgres
from penstock.telemetry import Notice
from tests.exporting.receiver import Receiver, receiving
from tests.servers import database, postgres, server_folder
from tests.services.office import Office, Words

__all__ = ["database", "postgres", "server_folder"]
HERE = Guard(("127.0.0.0/8",))


@pytest.fixture
def taker() -> Iterator[Receiver]:
    """Who takes calls."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(params=["sqlite", "postgres"])
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An empty store with its services, on each database."""
    store = open_postgres(request.getfixturevalue("database")) if request.param == "postgres" else None
    made = Office(store=store)
    yield made
    made.close()


@pytest.fixture
def heard(office: Office) -> list[Notice]:
    """What is said meanwhile."""
    found: list[Notice] = []
    office.core.notices.subscribe(found.append)
    return found


def rule(office: Office, url: str, **more: Any) -> Alert:
    """A rule about flows that fail."""
    given: dict[str, Any] = {"id": "mine", "namespace": "", "watches": Watches.FAILED, "patience": 0}
    given |= {"tells_namespace": "", "tells": "", "made_at": office.clock.now(), "made_by": "ann", "url": url}
    made = Alert(**(given | more))
    alerts.add(office.core, made)
    return made


def fail(office: Office) -> None:
    """Let a flow fail, and the leader look."""
    look(office)
    office.start(office.push(["a"], "story"))
    office.work({"a": Outcome.FAILED})
    look(office)
    look(office)


def look(office: Office) -> None:
    """Let the leader look, a while later."""
    office.clock.advance(3 * SECOND)
    lead = Lead(office.core, "one")
    assert lead.seek()
    alerting.fire(office.core, lead)
    lead.close()
    office.core.marks.clear()


def left(office: Office) -> int:
    """How many calls are still to be made."""
    return len(office.store.read(lambda tx: table.due_calls(tx, 1 << 60, 100)))


def names(heard: list[Notice]) -> list[str]:
    """What was said of alerts."""
    return [each.name for each in heard if each.name.startswith("alert.")]


def test_an_address_is_called_once_for_each_word_with_all_there_is_to_say(office: Office, taker: Receiver) -> None:
    rule(office, f"{taker.url}/hook?room=1")
    fail(office)
    calls = Calls(office.core, HERE)
    calls.turn()
    calls.turn()
    office.start(office.push(["a"], "story"))
    office.work()
    look(office)
    calls.turn()
    first, second = (msgspec.json.decode(each.body) for each in taker.heard)

    assert (first["state"], first["alert"], first["watches"], first["object"]) == (
        "firing", "mine", "failed", "tests.story"
    )  # fmt: skip
    assert first["text"] == "mine: the flow tests.story has failed."
    assert (first["flow"], second["state"], second["since"]) == ("story", "resolved", first["since"])
    assert taker.heard[0].path == "/hook?room=1"
    assert taker.heard[0].headers["idempotency-key"] == first["id"]
    assert left(office) == 0


def test_what_is_not_taken_is_tried_again_later_and_later_and_given_up_after_a_day(
    office: Office, taker: Receiver, heard: list[Notice]
) -> None:
    rule(office, taker.url)
    fail(office)
    calls = Calls(office.core, HERE)
    taker.answers = [503, 500]
    for _ in range(3):
        calls.turn()
        calls.turn()
        office.clock.advance(10 * SECOND)
    twice = [msgspec.json.decode(each.body)["id"] for each in taker.heard]
    fail(office)
    office.start(office.push(["a"], "story"))
    office.work()
    look(office)
    taker.answers = [500, 500]
    calls.turn()
    office.clock.advance(86_400 * SECOND)
    calls.turn()

    assert len(twice) == 3
    assert len(set(twice)) == 1
    assert names(heard) == ["alert.untaken", "alert.untaken", "alert.called", "alert.untaken", "alert.given_up"]
    assert left(office) == 0


def test_what_is_refused_for_good_or_must_not_be_called_is_said_and_not_tried_again(
    office: Office, taker: Receiver, heard: list[Notice]
) -> None:
    rule(office, taker.url)
    fail(office)
    Calls(office.core, Guard()).turn()
    alerts.test(office.core, alerts.every(office.core)[0][0])
    taker.answers = [302]
    Calls(office.core, HERE).turn()

    assert names(heard) == ["alert.given_up", "alert.given_up"]
    assert "must not be called" in str([each.fields.get("why") for each in heard if each.name == "alert.given_up"])
    assert len(taker.heard) == 1
    assert left(office) == 0


def test_an_address_may_be_a_secret_and_is_asked_for_when_it_is_called(office: Office, taker: Receiver) -> None:
    made = rule(office, "{{ secret('HOOK') }}")
    alerts.test(office.core, made)
    Calls(dataclasses.replace(office.core, secrets=Words({"HOOK": taker.url})), HERE).turn()

    assert msgspec.json.decode(taker.heard[0].body)["text"] == "mine: this is a test."


def test_an_address_may_ask_for_a_secret_by_who_may_have_it_and_for_nothing_else(
    office: Office, taker: Receiver, heard: list[Notice]
) -> None:
    watcher = Actor(name="eve", grants=(Grant("watcher", "", frozenset({Action.ALERTS_EDIT})),))
    made = rule(office, "{{ http(uri='" + taker.url + "').body }}")
    alerts.test(office.core, made)
    Calls(office.core, HERE).turn()

    with pytest.raises(MayNot):
        alerts.add(office.core.asked_by(watcher), made)
    assert taker.heard == []
    assert names(heard) == ["alert.untaken"]


def test_a_rule_wants_somebody_who_is_told_and_workers_belong_to_nobody(office: Office) -> None:
    with pytest.raises(InvalidInput):
        rule(office, "")
    with pytest.raises(InvalidInput):
        rule(office, "https://hooks.example.com", watches=Watches.LOST, namespace="shop")
    for wrong in ("ftp://example.com", "https://", "https://me:pw@example.com", "https://exa mple.com", "file:///etc"):
        with pytest.raises(AddressRefused):
            rule(office, wrong)
    editor = office.core.asked_by(Actor(name="eve", grants=(Grant("editor", "shop"),)))
    alerts.add(editor, Alert(
        id="own", namespace="shop", watches=Watches.FAILED, patience=0, tells_namespace="", tells="", made_at=1,
        made_by="eve", url="https://hooks.example.com/x",
    ))  # fmt: skip

    assert [each.id for each in alerts.every(office.core)[0]] == ["own"]


REFUSED = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "100.100.100.200",
    "168.63.129.16", "192.0.0.192", "::1", "::", "fe80::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "::127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_this_machines_its_links_or_a_clouds_own_is_not_called(address: str) -> None:
    assert Guard().refuses(ip_address(address))


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.1.1", "1.1.1.1", "2606:4700::1111", "fd12::1"])
def test_everything_else_may_be_called(address: str) -> None:
    assert not Guard().refuses(ip_address(address))


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]"])
def test_no_way_to_write_this_machines_address_gets_by(taker: Receiver, host: str) -> None:
    port = taker.url.rpartition(":")[2]

    with pytest.raises((AddressRefused, Unanswered)):
        outward.post(f"http://{host}:{port}/", b"", {}, guard=Guard())
    assert taker.heard == []


def test_a_name_that_leads_to_two_places_is_refused_for_the_worse_and_asked_for_once(taker: Receiver) -> None:
    port = taker.url.rpartition(":")[2]
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return {"two.example": ["1.1.1.1", "169.254.169.254"], "one.example": ["127.0.0.1"]}[host]

    with pytest.raises(AddressRefused):
        outward.post(f"http://two.example:{port}/", b"", {}, guard=Guard(), resolve=resolve)
    answer = outward.post(f"http://one.example:{port}/", b"x", {}, guard=HERE, resolve=resolve)

    assert answer.taken
    assert taker.heard[0].headers["host"] == f"one.example:{port}"
    assert asked == ["two.example", "one.example"]


def test_an_address_of_https_is_called_by_tls_alone(taker: Receiver) -> None:
    with pytest.raises(Unanswered):
        outward.post(taker.url.replace("http:", "https:"), b"", {}, guard=HERE)
    assert taker.heard == []
