"""Can people log in by a real OpenID provider, and is nothing believed that it did not say to us, now?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from penstock.api.serve import Served
from penstock.api.who import who_of
from penstock.app import App, open_app
from penstock.app.login import provider_of
from penstock.errors.access import NotKnownHere, PersonExists, ProviderFailed, UnknownPerson
from penstock.errors.api import MayNot
from penstock.model.access import EVERYWHERE, Actor, ActorKind, Grant
from penstock.model.policy import SECOND
from penstock.services import audit
from penstock.services.access import keys, oidc, people
from penstock.services.access.oidc import Back
from penstock.settings.keys import Oidc, Settings
from penstock.settings.read import Project
from penstock.store import credentials
from penstock.store.audit import Filter
from tests.oidc.served import CALLBACK, OpenId, openid
from tests.servers import server_folder

__all__ = ["openid", "server_folder"]

SECRET = "only the two of us know"


class Door:
    """A server that lets people in by the provider; opens with a folder, closes with it."""

    def __init__(self, folder: Path, openid: OpenId, *, create: bool) -> None:
        named = Oidc(issuer=openid.issuer, client_id="penstock", client_secret=SECRET, callback=CALLBACK, create=create)
        project = Project(root=folder, settings=Settings(oidc=named))
        self.app: App = open_app(project, {}, store=str(folder / f"{create}.db"))
        self.core = self.app.core
        self.openid = openid
        self.provider = provider_of(self.app)
        self.served = Served(self.app, who_of(self.app, "here"))

    def browser(self) -> TestClient:
        """A browser without any cookies."""
        return TestClient(self.served.asgi, base_url="http://penstock.test", follow_redirects=False)

    def came_back(self, subject: str) -> tuple[str, httpx.URL]:
        """Somebody who went to the provider and was sent back: what the browser kept, and the address."""
        begun = oidc.begin(self.core, self.provider)
        return begun.secret, self.openid.visit(begun.url, subject)

    def back(self, subject: str) -> Back:
        """The same as the service takes it."""
        secret, url = self.came_back(subject)
        return Back(secret=secret, state=url.params["state"], code=url.params["code"], issuer=url.params["iss"])

    def close(self) -> None:
        """Close all of it."""
        self.served.close()
        self.app.close()


@pytest.fixture
def door(tmp_path: Path, openid: OpenId) -> Iterator[Door]:
    """A server where whoever the provider knows becomes a user."""
    made = Door(tmp_path, openid, create=True)
    yield made
    made.close()


@pytest.fixture
def narrow(tmp_path: Path, openid: OpenId) -> Iterator[Door]:
    """A server where only those come in who were linked."""
    made = Door(tmp_path, openid, create=False)
    yield made
    made.close()


def test_who_the_provider_knows_comes_in_and_may_do_nothing_yet(door: Door) -> None:
    browser = door.browser()
    begun = browser.get("/v1/oidc")
    back = door.openid.visit(begun.json()["url"], "sub-ann")
    came = browser.get(str(back))
    me: Any = browser.get("/v1/me").json()

    kept = begun.headers["set-cookie"]
    assert "HttpOnly; SameSite=Lax" in kept and "Path=/v1/oidc" in kept
    assert (came.status_code, came.headers["location"]) == (303, "/")
    assert "SameSite=Strict" in came.headers["set-cookie"]
    assert (me["name"], me["via"], me["everywhere"], me["somewhere"]) == ("ann", "session", [], [])
    assert browser.get(str(back)).status_code == 502
    acts = audit.page(door.core, EVERYWHERE, Filter())
    # acts of one millisecond have no order
    assert {(one.verb, one.who) for one in acts} == {("people.create", "ann"), ("sessions.open", "ann")}


def test_who_comes_again_is_the_same(door: Door) -> None:
    opened = [oidc.finish(door.core, door.provider, door.back("sub-ann")) for _ in range(2)]

    assert [one.person for one in opened] == ["ann", "ann"]
    assert [one.name for one in people.every(door.core)] == ["ann"]


def test_a_name_that_somebody_has_links_nobody(door: Door) -> None:
    people.add(door.core, "ann", "correct horse battery")

    with pytest.raises(PersonExists):
        oidc.finish(door.core, door.provider, door.back("sub-ann"))


def test_only_who_was_linked_comes_in_where_nobody_is_made(narrow: Door) -> None:
    with pytest.raises(NotKnownHere, match="sub-ann"):
        oidc.finish(narrow.core, narrow.provider, narrow.back("sub-ann"))
    people.add(narrow.core, "olga")
    people.add(narrow.core, "nightly", kind=ActorKind.SERVICE)
    oidc.link(narrow.core, narrow.provider, "olga", "sub-ann")

    opened = oidc.finish(narrow.core, narrow.provider, narrow.back("sub-ann"))

    assert opened.person == "olga"
    people.add(narrow.core, "omar")
    with pytest.raises(PersonExists):
        oidc.link(narrow.core, narrow.provider, "omar", "sub-ann")
    with pytest.raises(UnknownPerson):
        oidc.link(narrow.core, narrow.provider, "nightly", "sub-bob")


def test_who_is_kept_out_here_does_not_come_in_from_there(door: Door) -> None:
    oidc.finish(door.core, door.provider, door.back("sub-ann"))
    people.disable(door.core, "ann")
    secret, url = door.came_back("sub-ann")

    answer = door.browser().get(str(url), headers={"Cookie": f"penstock_away={secret}"})

    assert answer.status_code == 401


def test_what_another_browser_brings_back_is_nobodys(door: Door) -> None:
    _, url = door.came_back("sub-eve")

    stranger = door.browser().get(str(url))
    other = oidc.begin(door.core, door.provider).secret
    victim = door.browser().get(str(url), headers={"Cookie": f"penstock_away={other}"})

    assert (stranger.status_code, victim.status_code) == (502, 502)
    assert people.every(door.core) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "0" * 64},
        {"code": "guessed"},
        {"error": "access_denied"},
        {"issuer": "http://another.example"},
        {"secret": "x"},
    ],
)
def test_what_was_changed_on_the_way_is_refused(door: Door, changed: dict[str, str]) -> None:
    back = door.back("sub-ann")

    with pytest.raises(ProviderFailed) as told:
        oidc.finish(door.core, door.provider, replace(back, **changed))

    assert back.code not in str(told.value)
    assert people.every(door.core) == []


def test_who_stays_away_too_long_begins_anew(door: Door) -> None:
    back = door.back("sub-ann")
    later = door.core.clock.now() + oidc.AWAY

    taken = door.core.store.write(lambda tx: credentials.take_login(tx, keys.kept(back.secret), later))

    assert taken is None


@pytest.mark.parametrize("changed", [{"nonce": "another"}, {"verifier": "x" * 64}, {}])
def test_a_token_is_good_for_the_login_that_asked_for_it_and_for_us(door: Door, changed: dict[str, str]) -> None:
    back, now = door.back("sub-ann"), door.core.clock.now()
    sent = door.core.store.write(lambda tx: credentials.take_login(tx, keys.kept(back.secret), now))
    assert sent is not None
    late = 0 if changed else 86_400 * SECOND

    with pytest.raises(ProviderFailed):
        oidc._claims(door.provider, replace(sent, **changed), back.code, now + late)


def test_a_provider_that_is_not_there_or_is_another_is_told_of(door: Door) -> None:
    gone = replace(door.provider, issuer="http://127.0.0.1:1")
    other = replace(door.provider, issuer=f"{door.provider.issuer}/")

    for provider in (gone, other):
        with pytest.raises(ProviderFailed):
            oidc.begin(door.core, provider)


def test_linking_is_for_who_keeps_people(narrow: Door) -> None:
    people.add(narrow.core, "olga")
    people.grant(narrow.core, "olga", "owner")
    admin = narrow.core.asked_by(Actor(name="adam", grants=(Grant("admin"),)))

    with pytest.raises(MayNot):
        oidc.link(admin, narrow.provider, "olga", "sub-eve")
