"""Does every row of the table say who may, what comes and what goes, and does it refuse everybody else?"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from penstock.api.openapi import PLACES, document
from penstock.api.problems import status_of
from penstock.api.route import Kind, Route, Where
from penstock.api.routes.table import TABLE
from penstock.model.access import Action
from penstock.services.access import BUILT_IN
from tests.api.house import House
from tests.house.source import offenders
from tools import accounts

# Who calls these needs to prove nothing; nothing joins them unseen.
PUBLIC = {
    "GET /docs",
    "GET /docs/{page}",
    "GET /live",
    "GET /openapi.json",
    "GET /ready",
    "GET /v1/errors/{code}",
    "GET /v1/oidc",
    "GET /v1/oidc/callback",
    "GET /v1/webhooks/{namespace}/{flow}/{key}",
    "POST /v1/git/{name}/hook",
    "POST /v1/login",
    "POST /v1/webhooks/{namespace}/{flow}/{key}",
    "POST /v1/welcome",
    "PUT /v1/webhooks/{namespace}/{flow}/{key}",
}
LOOKS = ("view",)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all that is only refused here, with a flow, a run and a backfill in it."""
    folder = tmp_path_factory.mktemp("house")
    made = House(folder, str(folder / "penstock.db"))
    made.run = made.start(made.push())
    asked = {"namespace": "shop", "flow": "hello", "sets": [{"who": "me"}]}
    made.backfill = made.client.post("/v1/backfills", json=asked).json()["backfill"]["id"]
    yield made
    made.close()


def address(row: Route, house: House | None = None) -> str:
    """A row's address with something at each of its places: what there is in a house, where one is given."""
    there = {"namespace": "shop"} | ({"run": house.run, "backfill": house.backfill, "flow": "hello"} if house else {})
    return re.sub(r"\{(\w+)\}", lambda found: there.get(found[1], "x"), row.path)


def test_what_is_public_is_an_exact_list() -> None:
    assert {f"{row.method} {row.path}" for row in TABLE if row.where is Where.PUBLIC} == PUBLIC


def test_every_other_row_needs_an_action() -> None:
    lacking = [row.path for row in TABLE if row.where not in (Where.PUBLIC, Where.SIGNED_IN) and row.action is None]

    assert not lacking


def test_what_only_looks_needs_no_more_than_a_look_and_what_changes_needs_more() -> None:
    odd = [
        f"{row.method} {row.path}: {row.action}"
        for row in TABLE
        if row.action is not None and (row.method == "GET") != row.action.value.endswith(LOOKS)
    ]

    assert not odd


def test_no_address_is_declared_twice_and_every_operation_has_a_name_of_its_own() -> None:
    keys = [(row.method, row.path) for row in TABLE]
    names = [row.name for row in TABLE]

    assert len(set(keys)) == len(keys)
    assert len(set(names)) == len(names)


def test_the_namespace_is_found_where_the_row_says() -> None:
    for row in TABLE:
        if row.where is Where.PATH:
            assert "{namespace}" in row.path
        if row.where is Where.RUN:
            assert "{run}" in row.path
        if row.where is Where.BODY:
            assert row.body is not None and "namespace" in getattr(row.body, "__struct_fields__", ())
        assert set(re.findall(r"\{(\w+)\}", row.path)) <= PLACES.keys()


@pytest.mark.parametrize("row", [row for row in TABLE if row.where is not Where.PUBLIC], ids=lambda row: row.name)
def test_strangers_and_those_without_a_right_are_refused(row: Route, standing: House) -> None:
    where = address(row)

    stranger = standing.as_("").request(row.method, where)
    powerless = standing.as_("nobody").request(row.method, where)

    assert stranger.status_code == 401
    assert stranger.headers["www-authenticate"] == "Bearer"
    assert powerless.status_code == (403 if row.where is not Where.SIGNED_IN else powerless.status_code)


@pytest.mark.parametrize("row", [row for row in TABLE if row.action is not None], ids=lambda row: row.name)
def test_a_role_that_is_too_small_or_elsewhere_is_refused(row: Route, standing: House) -> None:
    where = address(row, standing)
    body = {"namespace": "shop", "flow": "hello", "verb": "kill", "ids": [standing.run]} if row.body else None
    method = "HEAD" if row.kind is Kind.STREAM else row.method  # who may listen would do so for long

    viewer = standing.as_("viewer").request(method, where, json=body)
    elsewhere = standing.as_("other").request(method, where, json=body)

    if row.where is Where.WHOLE or row.action not in BUILT_IN["viewer"]:
        assert viewer.status_code == 403
    else:
        assert viewer.status_code in (200, 400, 404)
    match row.where:
        case Where.LIST if row.kind is Kind.PLAIN and elsewhere.status_code == 200:
            # what it shows, or was asked to act on, lies outside
            assert not elsewhere.json().get("items") and not elsewhere.json().get("done")
        case Where.RUN | Where.BACKFILL:
            assert elsewhere.status_code == 404
        case Where.PATH | Where.WHOLE:
            assert elsewhere.status_code == 403
        case _:
            assert elsewhere.status_code in (200, 201, 400, 403, 404, 415, 422)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_odd_spellings_of_an_address_are_not_served(row: Route, standing: House) -> None:
    where = address(row)
    odd = [f"{where}/", f"/{where}", where.replace("/", "//", 2), f"{where}%2f", f"{where}/../x", f"{where};a=b"]

    for each in odd:
        answer = standing.as_("").request(row.method, each)

        assert answer.status_code in (401, 404, 405), (each, answer.status_code)


def test_other_methods_are_told_which_there_are(house: House) -> None:
    answer = house.client.request("DELETE", "/v1/runs")

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert answer.json()["code"] == "PS-825"


def test_every_class_of_errors_has_a_status() -> None:
    accounts.error_modules()

    for kind in accounts.error_classes():
        assert 400 <= status_of(kind) <= 599


def test_what_is_no_fault_of_the_servers_is_not_told_as_one() -> None:
    accounts.error_modules()
    own = {
        "EngineFault", "PenstockError", "ServerFault", "NotServed",
        # of the store and its files
        "BackupExists", "BlobFailed", "DriverMissing", "MigrationChanged", "NetworkFileSystem", "NewerEvent",
        "NotAStore", "NotForThisStore", "StoreError", "StoreInUse", "StoreMoved", "StoreNotEmpty",
        "StoreTooNew", "StoreTooOld", "Unlike",
        # of workers and tasks, which runs tell of
        "AnswerRefused", "BadAnswer", "BrokenTaskType", "EngineRefused", "FolderGone", "LeaseLost", "MissingExtra",
        "Forgotten", "NoAnswer", "NoEngine", "NoImage", "NoInterpreter", "NotAllowed", "NotInstalled", "NotOffered",
        "Overtaken", "Refused", "TaskFailed", "UnreadableMessage", "WorkerTwice",
        # of who calls a server
        "BadServerAddress", "NoKeyring", "NotForServers", "NotInTime", "ServerUnreachable", "StrangeAnswer",
        # of the settings, read before there is a server
        "BadSettings", "FolderTaken", "LooseSecrets", "UnknownSetting", "WrongSetting",
    }  # fmt: skip

    ours = (kind for kind in accounts.error_classes() if kind.__module__.startswith("penstock.errors"))
    unsaid = sorted({kind.__name__ for kind in ours if status_of(kind) == 500} - own)
    assert not unsaid, offenders("Errors without a status in api/problems.py", unsaid)


def test_the_document_tells_every_row_once() -> None:
    told = document(TABLE)

    operations = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    assert operations == {(row.method, row.path) for row in TABLE}
    assert {each["x-penstock-action"] for p in told["paths"].values() for each in p.values() if len(each) > 4
            and "x-penstock-action" in each} <= {str(action) for action in Action}  # fmt: skip
