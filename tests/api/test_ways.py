"""Does nobody get in by another spelling of an address, another method, or headers that speak of them?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.api.route import Route, Where
from penstock.api.routes.table import SERVED
from penstock.api.serve import Server
from tests.api.house import House, who
from tests.api.lines import answers, call

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
FORGED = (
    "X-Original-URL: /live", "X-Rewrite-URL: /live", "X-Forwarded-User: ann", "X-Forwarded-For: 127.0.0.1",
    "Forwarded: for=127.0.0.1;proto=https", "X-Real-IP: 127.0.0.1", "Remote-User: ann", "X-Forwarded-Host: x",
    "Authorization: Bearer", "Authorization: Bearer ann", "Authorization: Basic YW5uOng=", "Authorization: pst_x",
    "Authorization: Bearer pst_x_y", "Cookie: penstock_session=x; penstock_session=ann", "X-HTTP-Method-Override: GET",
    "X-Method-Override: HEAD", "Content-Type: application/x-www-form-urlencoded", "Upgrade: h2c",
)  # fmt: skip
CLOSED = [row for row in SERVED if row.where is not Where.PUBLIC]
PATHS = sorted({row.path for row in SERVED})
Served = tuple[Server, str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server for all that is only refused here, with a flow in its store, and a run, by its id."""
    folder: Path = tmp_path_factory.mktemp("ways")
    house = House(folder, str(folder / "penstock.db"))
    run = house.start(house.push())
    made = Server(house.app, who)
    made.start()
    yield made, run
    made.close()
    house.close()


def address(path: str, run: str) -> str:
    """An address with something at each of its places: what there is."""
    there = {"namespace": "shop", "flow": "hello", "run": run}
    return re.sub(r"\{(\w+)\}", lambda found: there.get(found[1], "x"), path)


def spellings(where: str) -> Iterator[str]:
    """The same address as others might spell it."""
    first, *words = where.strip("/").split("/")
    rest, letter = "/".join(words), f"{ord(first[0]):02x}"
    yield from (
        f"{where}/",
        f"{where}//",
        f"{where}/.",
        f"{where}/..",
        f"{where}/../x",
        f"{where};a=b",
        f"{where}.json",
    )
    yield from (
        f"{where}%2f",
        f"{where}%2F..",
        f"{where}%00",
        f"{where}%0a",
        f"{where}%20",
        f"{where}%09",
        f"{where}%3f",
    )
    yield from (
        f"/{where}",
        f"//{where}",
        f"/.{where}",
        f"/x/..{where}",
        f"/x/..;{where}",
        f"/%2e{where}",
        f"/%2e%2e{where}",
    )
    yield from (where.upper(), f"/%{letter}{first[1:]}/{rest}", f"/%25{letter}{first[1:]}/{rest}", f"/{first}%2f{rest}")
    yield from (f"/{first}//{rest}", f"/{first}/./{rest}", f"/{first}%5c{rest}", f"/{first}%252f{rest}", f"{where}%ff")
    yield from (
        where.replace("v1", "%EF%BD%96%EF%BC%91"),
        where.replace("v1", "v%31"),
        where.replace("/v1", "/v1/x/.."),
    )
    yield from (f"http://127.0.0.1{where}", f"http://x@y{where}", f"{where}?", f"{where}#x", f"{where}?#/live")


@pytest.mark.parametrize("row", CLOSED, ids=lambda row: f"{row.method} {row.path}")
def test_no_spelling_of_an_address_lets_anybody_in(row: Route, served: Served) -> None:
    server, run = served
    several = list(spellings(address(row.path, run)))

    for name, refusal in (("", 401), *((("nobody", 403),) if row.where is not Where.SIGNED_IN else ())):
        calls = [call(row.method, each, f"X-Test-Who: {name}") for each in several]
        found = answers(server, b"".join((*calls, call("GET", "/live", last=True))))
        assert len(found) == len(several) + 1, (several[len(found) - 1], found[-1])
        odd = [
            (each, got.status)
            for each, got in zip(several, found, strict=False)
            if got.status not in (refusal, 404, 405)
        ]
        assert not odd, name


@pytest.mark.parametrize("row", CLOSED, ids=lambda row: f"{row.method} {row.path}")
def test_no_header_lets_anybody_in(row: Route, served: Served) -> None:
    server, run = served
    where = address(row.path, run)
    method = row.method

    found = answers(
        server, b"".join((*(call(method, where, each) for each in FORGED), call("GET", "/live", last=True)))
    )

    assert [each.status for each in found] == [*[401] * len(FORGED), 200]


@pytest.mark.parametrize("path", PATHS)
def test_an_address_takes_the_methods_that_its_rows_name_and_no_other(path: str, served: Served) -> None:
    server, run = served
    where = address(path, run)
    fitting = {row.method for row in SERVED if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", row.path), where)}
    others = [each for each in METHODS if each not in {*fitting, *(["HEAD"] if "GET" in fitting else [])}]

    for name in ("", "ann"):
        calls = [call(each, where, f"X-Test-Who: {name}") for each in others]
        heads = [each == "HEAD" for each in others]
        found = answers(server, b"".join((*calls, call("GET", "/live", last=True))), heads)
        assert [each.status for each in found] == [*[405] * len(others), 200]
        assert all(set(each.headers["allow"].split(", ")) <= {*fitting, "HEAD"} for each in found[:-1])


@pytest.mark.parametrize("row", [row for row in CLOSED if row.method == "GET"], ids=lambda row: row.path)
def test_a_head_needs_what_a_look_needs(row: Route, served: Served) -> None:
    server, run = served

    found = answers(server, call("HEAD", address(row.path, run), last=True))

    assert [each.status for each in found] == [401]
