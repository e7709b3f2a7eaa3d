"""Can flows be put, read, compared, pushed together and removed by the client, and are refusals errors of ours?"""

from __future__ import annotations

import pytest

from penstock.client import Client
from penstock.errors.api import Changed, MayNot, NotSignedIn
from penstock.errors.project import InvalidFlows
from penstock.errors.run import UnknownFlow
from tests.api.house import HELLO
from tests.client.conftest import Installation

BAD = "id: bad\nnamespace: shop\ntasks:\n  - id: say\n    type: lgo\n"
TIMED = HELLO.replace("id: hello", "id: timed") + "triggers:\n  - {id: nightly, type: Schedule, cron: '0 3 * * *'}\n"


def test_a_flow_is_put_read_compared_drawn_and_removed(client: Client) -> None:
    first = client.flows.put("shop", "hello", HELLO)
    second = client.flows.put("shop", "hello", HELLO.replace("hello {{", "hi {{"), on_top_of=first.revision)

    assert (first.revision, second.revision, second.changed) == (1, 2, True)
    assert client.flows.get("shop", "hello").newest == 2
    assert client.flows.source("shop", "hello", 1) == HELLO
    assert [each.revision for each in client.flows.revisions("shop", "hello")] == [2, 1]
    assert '+    message: "hi {{' in client.flows.diff("shop", "hello", 1).diff
    assert [each.id for each in client.flows.graph("shop", "hello").nodes] == ["say", "give"]
    assert [(each.namespace, each.id) for each in client.flows.list(namespace="shop", text="hel")] == [
        ("shop", "hello")
    ]
    assert [each.namespace for each in client.flows.namespaces()] == ["shop"]
    with pytest.raises(Changed):
        client.flows.put("shop", "hello", HELLO, on_top_of=1)
    client.flows.delete("shop", "hello")
    with pytest.raises(UnknownFlow, match="PS-30"):
        client.flows.get("shop", "hello")


def test_what_is_wrong_with_texts_comes_with_file_line_and_column(client: Client) -> None:
    checked = client.flows.validate(BAD)
    assert not checked.valid
    assert checked.problems[0].place is not None and checked.problems[0].place.line == 5

    with pytest.raises(InvalidFlows) as refused:
        client.flows.push({"flows/bad.yml": BAD, "flows/hello.yml": HELLO})

    (problem,) = refused.value.problems
    assert str(problem.place) == "flows/bad.yml:5:11"
    assert problem.hint == 'Did you mean "log"?'


def test_texts_are_planned_and_pushed_together(client: Client) -> None:
    texts = {"hello.yml": HELLO, "timed.yml": TIMED}

    planned = client.flows.push(texts, dry_run=True)
    pushed = client.flows.push(texts)
    pruned = client.flows.push({"hello.yml": HELLO}, prune=True)

    assert [(each.flow, each.what) for each in planned.flows][-1] == ("timed", "new")
    assert planned.triggers[0].after[0].endswith("T03:00:00.000Z")
    assert (planned.done, pushed.done) == (False, True)
    assert [(each.flow, each.what) for each in pruned.flows] == [("hello", "same"), ("timed", "gone")]
    assert [each.id for each in client.flows.list()] == ["hello"]


def test_task_types_are_told(client: Client) -> None:
    assert "log" in {each.name for each in client.flows.types()}
    assert client.flows.type("log").schema["type"] == "object"


def test_strangers_and_those_without_a_right_are_refused_by_our_errors(
    installation: Installation, client: Client
) -> None:
    client.people.add("eve", service=True)
    client.people.grant("eve", "viewer", "shop")
    token = client.tokens.add("eve").secret

    with Client(installation.server.url) as stranger, pytest.raises(NotSignedIn):
        list(stranger.flows.list())
    with Client(installation.server.url, token) as eve, pytest.raises(MayNot, match="PS-823"):
        eve.flows.put("shop", "hello", HELLO)
