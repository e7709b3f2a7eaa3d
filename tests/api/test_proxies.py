"""Is who calls through a proxy known by their own address, and is nobody else believed about where they come from?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from penstock.api.proxies import Proxies, address
from penstock.api.serve import Served
from penstock.api.who import who_of
from penstock.app import App, open_app
from penstock.errors.project import WrongSetting
from penstock.model.access import EVERYWHERE
from penstock.services import audit
from penstock.services.access import passwords, people
from penstock.settings.keys import Settings
from penstock.settings.read import Project
from penstock.store.audit import Filter

PASSWORD = "correct horse battery"
TRUSTED = Proxies(("10.0.0.0/24", "fd00::1", "::ffff:192.0.2.9"))
FOR, PROTO, ALL = "x-forwarded-for", "x-forwarded-proto", "forwarded"


def seen(peer: str, *headers: tuple[str, str], trusted: Proxies = TRUSTED) -> tuple[str, str]:
    """Who calls, and by which scheme."""
    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = trusted.seen({"type": "http", "client": (peer, 7), "scheme": "http", "headers": raw})
    return scope["client"][0], scope["scheme"]


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ([], ("10.0.0.7", "http")),
        ([(FOR, "203.0.113.5")], ("203.0.113.5", "http")),
        ([(FOR, "203.0.113.5"), (PROTO, "https")], ("203.0.113.5", "https")),
        ([(FOR, "1.1.1.1, 203.0.113.5, 10.0.0.8")], ("203.0.113.5", "http")),
        ([(FOR, "1.1.1.1"), (FOR, "203.0.113.5")], ("203.0.113.5", "http")),
        ([(FOR, "203.0.113.5"), (PROTO, "https, http")], ("203.0.113.5", "http")),
        ([(FOR, "203.0.113.5, 10.0.0.8"), (PROTO, "https, http")], ("203.0.113.5", "https")),
        ([(FOR, "203.0.113.5:4711")], ("203.0.113.5", "http")),
        ([(FOR, "[2001:db8::5]:4711")], ("2001:db8::5", "http")),
        ([(FOR, "2001:db8::5")], ("2001:db8::5", "http")),
        ([(FOR, "::ffff:203.0.113.5")], ("203.0.113.5", "http")),
        ([(FOR, "203.0.113.5, unknown")], ("10.0.0.7", "http")),
        ([(FOR, "unknown, 10.0.0.8")], ("10.0.0.8", "http")),
        ([(FOR, "10.0.0.9, 10.0.0.8")], ("10.0.0.9", "http")),
        ([(FOR, ", ,203.0.113.5, ,")], ("203.0.113.5", "http")),
        ([(FOR, "203.0.113.5\x00")], ("10.0.0.7", "http")),
        ([(FOR, "١٢.0.0.1")], ("10.0.0.7", "http")),
        ([(FOR, "0x7f.1")], ("10.0.0.7", "http")),
        ([(FOR, ",".join(["10.0.0.8"] * 500) + ",203.0.113.5")], ("203.0.113.5", "http")),
        ([(FOR, "203.0.113.5," + ",".join(["10.0.0.8"] * 500))], ("10.0.0.8", "http")),
        ([(FOR, "203.0.113.5"), (PROTO, "javascript")], ("203.0.113.5", "http")),
        ([(PROTO, "https")], ("10.0.0.7", "https")),
        ([(ALL, "for=203.0.113.5;proto=https;by=10.0.0.7")], ("203.0.113.5", "https")),
        ([(ALL, 'For="[2001:db8::5]:80"; Proto=HTTPS')], ("2001:db8::5", "https")),
        ([(ALL, 'for="203.0.113.5, 1.1.1.1"')], ("10.0.0.7", "http")),
        ([(ALL, "for=1.1.1.1, for=203.0.113.5, for=10.0.0.8")], ("203.0.113.5", "http")),
        ([(ALL, "for=_hidden")], ("10.0.0.7", "http")),
        ([(ALL, "for=1.1.1.1"), (FOR, "203.0.113.5")], ("203.0.113.5", "http")),
        ([(ALL, '"unfinished')], ("10.0.0.7", "http")),
    ],
)
def test_the_first_that_is_not_trusted_is_who_calls(headers: list[tuple[str, str]], told: tuple[str, str]) -> None:
    assert seen("10.0.0.7", *headers) == told


@pytest.mark.parametrize("peer", ["203.0.113.9", "10.0.1.7", "127.0.0.1", "fd00::2", "testclient"])
def test_who_is_no_proxy_of_ours_says_nothing_of_others(peer: str) -> None:
    assert seen(peer, (FOR, "127.0.0.1"), (PROTO, "https"), (ALL, "for=127.0.0.1;proto=https")) == (peer, "http")


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert seen("127.0.0.1", (FOR, "203.0.113.5"), trusted=Proxies(())) == ("127.0.0.1", "http")


def test_a_proxy_is_known_by_each_way_to_write_its_address() -> None:
    assert seen("::ffff:10.0.0.7", (FOR, "203.0.113.5"))[0] == "203.0.113.5"
    assert seen("fd00:0::1", (FOR, "203.0.113.5"))[0] == "203.0.113.5"
    assert str(address(" [fe80::1%eth0]:80 ")) == "fe80::1"


def test_what_is_no_network_is_told_at_the_start() -> None:
    with pytest.raises(WrongSetting, match=r"proxy\.example"):
        Proxies(("10.0.0.1", "proxy.example.com"))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """A server behind a proxy, with somebody who may log in."""
    monkeypatch.setattr(passwords, "COST", passwords.Cost(1, 8))
    settings = Settings(trusted_proxies=("10.0.0.7",))
    with open_app(Project(root=tmp_path, settings=settings), {}, store=str(tmp_path / "penstock.db")) as made:
        people.add(made.core, "vera", PASSWORD)
        yield made


def test_the_audit_the_cookie_and_the_delay_of_logins_go_by_who_calls(app: App) -> None:
    served = Served(app, who_of(app, "here"))

    def login(caller: str, password: str, name: str = "vera", peer: str = "10.0.0.7") -> tuple[int, str]:
        headers = {"X-Forwarded-For": caller, "X-Forwarded-Proto": "https"}
        client = TestClient(served.asgi, headers=headers, client=(peer, 50_000))
        answer = client.post("/v1/login", json={"name": name, "password": password})
        return answer.status_code, answer.headers.get("set-cookie", "")

    wrong = [login("203.0.113.5", "wrong", f"user{number}")[0] for number in range(40)]
    status, cookie = login("203.0.113.6", PASSWORD)
    direct = login("203.0.113.5", PASSWORD, peer="198.51.100.1")
    audit.seal(app.core)
    served.close()

    assert (wrong[0], wrong[-1]) == (401, 429), "one address has tried too often"
    assert (status, cookie.endswith("; Secure")) == (200, True), "and another one has not"
    assert (direct[0], "Secure" in direct[1]) == (200, False), "who is no proxy is not believed"
    told = audit.page(app.core, EVERYWHERE, Filter())
    assert {each.origin for each in told if each.who == "vera"} == {"203.0.113.6", "198.51.100.1"}
