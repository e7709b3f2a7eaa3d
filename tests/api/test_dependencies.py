"""Is it told which flows start which: by subflows and by triggers, both ways, as far as one may see?"""

from __future__ import annotations

import pytest

from tests.api.house import HELLO, House

CALLS = """
id: calls
namespace: shop
tasks:
  - id: child
    type: subflow
    namespace: "{{ flow.namespace }}"
    flowId: hello
  - id: stranger
    type: subflow
    namespace: shop
    flowId: gone
  - id: unknown
    type: subflow
    namespace: shop
    flowId: "{{ inputs.which }}"
inputs:
  - id: which
    type: STRING
"""
AFTER = """
id: after
namespace: shop
tasks:
  - id: say
    type: log
    message: later
triggers:
  - id: done
    type: io.kestra.plugin.core.trigger.Flow
    conditions:
      - type: io.kestra.plugin.core.condition.ExecutionFlow
        namespace: shop
        flowId: hello
      - type: io.kestra.plugin.core.condition.ExecutionStatus
        in: [SUCCESS]
  - id: labelled
    type: io.kestra.plugin.core.trigger.Flow
    conditions:
      - type: io.kestra.plugin.core.condition.ExecutionNamespace
        namespace: other
      - type: io.kestra.plugin.core.condition.ExecutionLabels
        labels: {team: red}
"""
ELSEWHERE = HELLO.replace(": shop", ": other")


@pytest.fixture
def full(either: House) -> House:
    """A house with flows that start each other."""
    for text in (HELLO, CALLS, AFTER, ELSEWHERE):
        either.push(text)
    return either


def links(house: House, path: str, who: str = "ann") -> set[tuple[str, str, str, bool]]:
    """What is told at an address: who starts whom, by what."""
    told = house.as_(who).get(path).json()
    return {(each["source"], each["target"], each["by"], each["sure"]) for each in told["links"]}


def test_what_is_near_is_told_both_ways(full: House) -> None:
    about = "/v1/flows/shop/hello/dependencies"

    assert links(full, about) == {
        ("shop.calls", "shop.hello", "child", True),
        ("shop.hello", "shop.after", "done", True),
    }
    assert links(full, f"{about}?up=false") == {("shop.hello", "shop.after", "done", True)}
    assert links(full, f"{about}?depth=2") == {
        ("shop.calls", "shop.hello", "child", True),
        ("shop.hello", "shop.after", "done", True),
    }
    assert links(full, "/v1/flows/shop/calls/dependencies?depth=2&up=false") == {
        ("shop.calls", "shop.hello", "child", True),
        ("shop.calls", "shop.gone", "stranger", True),
        ("shop.hello", "shop.after", "done", True),
    }


def test_what_hangs_on_labels_is_not_sure_and_what_is_not_there_is_told_so(full: House) -> None:
    up = links(full, "/v1/flows/shop/after/dependencies?down=false")
    told = full.client.get("/v1/namespaces/shop/dependencies").json()

    assert up == {("shop.hello", "shop.after", "done", True), ("other.hello", "shop.after", "labelled", False)}
    assert {
        (each["flow"], each["there"], each["distance"]) for each in told["flows"] if each["namespace"] == "shop"
    } == {
        ("after", True, 0),
        ("calls", True, 0),
        ("hello", True, 0),
        ("gone", False, 1),
    }
    assert not told["more"] and len(told["links"]) == 4


def test_nobody_hears_of_flows_that_they_may_not_see(full: House) -> None:
    assert links(full, "/v1/flows/shop/after/dependencies", "viewer") == {("shop.hello", "shop.after", "done", True)}
    assert full.as_("other").get("/v1/flows/shop/after/dependencies").status_code == 403
    assert full.client.get("/v1/flows/shop/nothing/dependencies").status_code == 404


def test_flows_are_listed_by_their_labels(either: House) -> None:
    either.push(HELLO)
    either.push(HELLO.replace("id: hello", "id: red\nlabels: {team: red, tier: 1}"))

    every = {each["id"]: each["labels"] for each in either.client.get("/v1/flows").json()["items"]}
    red = either.client.get("/v1/flows", params={"label": ["team=red", "tier=1"]}).json()["items"]
    none = either.client.get("/v1/flows", params={"label": ["team=blue"]}).json()["items"]

    assert every == {"hello": {}, "red": {"team": "red", "tier": "1"}}
    assert [each["id"] for each in red] == ["red"] and none == []
