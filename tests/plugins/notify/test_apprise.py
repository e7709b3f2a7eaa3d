"""Does the library for the many other services take messages, and are its addresses kept to itself?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext
from penstock.testing import Harness
from tests.plugins.notify.services import Planned, Service, serving

# Of a library that the library needs.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as opened:
        yield opened


def test_a_message_goes_to_each_address(local: LocalContext, service: Service) -> None:
    url = service.url.replace("http", "json")

    told = local.run("apprise.send", {"urls": [url, f"{url}/two"], "title": "t", "body": "b", "kind": "warning"})

    assert told.outcome is Outcome.DONE, told.failure
    assert [posted.path for posted in service.posted] == ["/", "/two"]
    assert {posted.json["title"]: posted.json["type"] for posted in service.posted} == {"t": "warning"}


def test_an_account_of_the_run_is_sent_where_nothing_is_said(service: Service) -> None:
    flow = "id: nightly\nnamespace: shop\ntasks:\n  - {id: load, type: fail}\n"
    flow += f"errors:\n  - {{id: tell, type: apprise.send, urls: ['{service.url.replace('http', 'json')}']}}\n"

    with Harness() as harness:
        harness.run(flow).assert_status("failed")

    assert (service.posted[0].json["title"], service.posted[0].json["type"]) == ("[shop.nightly] FAILED", "failure")


@pytest.mark.parametrize("answer", [Planned(500), None])
def test_an_address_that_does_not_take_it_is_not_shown(
    local: LocalContext, service: Service, answer: Planned | None
) -> None:
    service.planned = [answer] if answer else []
    url = f"{service.url.replace('http', 'json')}/SECRET" if answer else "nothing://SECRET"

    told = local.run("apprise.send", {"urls": [url], "body": "b"})

    assert told.outcome is Outcome.FAILED
    assert "SECRET" not in repr(told)
