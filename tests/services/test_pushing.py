"""Do many flows get into the store together or not at all, and is it told before what that changes?"""

from __future__ import annotations

import pytest

from penstock.errors.api import MayNot
from penstock.errors.project import InvalidFlows
from penstock.model.access import EVERYWHERE, Actor, Grant
from penstock.services import pushing
from penstock.services.project import Manner, read_given
from penstock.services.pushing import PushPlan, What
from penstock.store import audit, flows
from tests.services.office import Office

DAILY = """
id: daily
namespace: shop
triggers:
  - id: nightly
    type: Schedule
    cron: "0 3 * * *"
tasks:
  - id: say
    type: log
    message: "[[> words/hello.txt ]]"
"""
OTHER = "id: other\nnamespace: shop\ntasks:\n  - id: say\n    type: log\n    message: hello\n"
BELOW = "id: deep\nnamespace: shop.deep\ntasks:\n  - id: say\n    type: log\n    message: hello\n"
BAD = "id: bad\nnamespace: shop\ntasks:\n  - id: say\n    type: lgo\n"
TEXTS = {"flows/daily.yml": DAILY, "flows/words/hello.txt": "good morning\n", "flows/other.yml": OTHER}


def push(office: Office, texts: dict[str, str], within: str | None = None, *, prune: bool = False) -> PushPlan:
    """Push texts."""
    return pushing.push(office.core, read_given(texts, Manner()), within, prune=prune, by="ann")


def told(plan: PushPlan) -> dict[str, str]:
    """What becomes of each flow."""
    return {each.flow: each.what.value for each in plan.flows}


def stored(office: Office) -> dict[str, int]:
    """The flows of the store with their newest revisions."""
    return {each.id: each.revision for each in office.store.read(flows.list_flows)}


def test_a_plan_tells_flows_triggers_and_next_dates_and_keeps_nothing(office: Office) -> None:
    planned = pushing.plan(office.core, read_given(TEXTS, Manner()))

    assert told(planned) == {"daily": "new", "other": "new"}
    assert [each.after for each in planned.flows] == [1, 1]
    (nightly,) = planned.triggers
    assert (nightly.what, nightly.before, len(nightly.after)) == (What.NEW, (), pushing.DATES)
    assert all(each.endswith("T03:00:00.000Z") for each in nightly.after)
    assert planned.changes
    assert not planned.done
    assert stored(office) == {}


def test_texts_that_include_each_other_are_pushed_whole(office: Office) -> None:
    done = push(office, TEXTS)

    assert done.done
    assert stored(office) == {"daily": 1, "other": 1}
    kept = office.store.read(lambda tx: flows.current(tx, "shop", "daily"))
    assert kept is not None
    assert "good morning" in kept.source
    assert told(push(office, TEXTS)) == {"daily": "same", "other": "same"}


def test_another_time_of_day_is_told_with_the_dates_before_and_after(office: Office) -> None:
    push(office, TEXTS)

    done = push(office, TEXTS | {"flows/daily.yml": DAILY.replace("0 3", "0 4")})

    (nightly,) = done.triggers
    assert (nightly.what, nightly.before[0][11:16], nightly.after[0][11:16]) == (What.CHANGED, "03:00", "04:00")
    assert stored(office) == {"daily": 2, "other": 1}


def test_one_bad_text_keeps_all_out_and_every_problem_is_told(office: Office) -> None:
    with pytest.raises(InvalidFlows) as refused:
        push(office, TEXTS | {"flows/bad.yml": BAD, "flows/again.yml": OTHER, "flows/words/hello.txt": ""})

    files = {problem.place.file for problem in refused.value.problems if problem.place}
    assert files >= {"flows/bad.yml", "flows/again.yml"}
    assert stored(office) == {}


def test_nothing_at_all_is_never_taken_for_everything_gone(office: Office) -> None:
    push(office, TEXTS)

    with pytest.raises(InvalidFlows):
        push(office, {"readme.md": "flows"}, "", prune=True)

    assert stored(office) == {"daily": 1, "other": 1}


def test_gone_ones_of_the_same_namespace_go_only_when_asked_and_come_back_as_a_new_revision(office: Office) -> None:
    push(office, TEXTS | {"deep.yml": BELOW})

    left = push(office, {"flows/other.yml": OTHER})
    assert told(left) == {"daily": "gone", "other": "same"}
    assert stored(office) == {"daily": 1, "other": 1, "deep": 1}
    assert not left.changes

    pruned = push(office, {"flows/other.yml": OTHER}, prune=True)
    assert [(each.trigger, each.what) for each in pruned.triggers] == [("nightly", What.GONE)]
    assert stored(office) == {"other": 1, "deep": 1}

    assert told(push(office, {"flows/other.yml": OTHER}, "shop", prune=True)) == {"deep": "gone", "other": "same"}
    planned = pushing.plan(office.core, read_given(TEXTS, Manner()))
    assert {each.flow: each.after for each in planned.flows} == {"daily": 2, "other": 1}
    assert [each.after for each in push(office, TEXTS).flows] == [2, 1]


def test_flows_of_other_namespaces_are_refused_where_all_are_to_be_of_one(office: Office) -> None:
    with pytest.raises(InvalidFlows, match="PS-612"):
        push(office, {"a.yml": OTHER, "b.yml": OTHER.replace("namespace: shop", "namespace: shopping")}, "shop")


def test_who_has_no_right_in_one_of_the_namespaces_changes_nothing_and_each_flow_is_told_of(office: Office) -> None:
    editor = Actor(name="eve", grants=(Grant("editor", "shop"),))
    asked = office.core.asked_by(editor)
    strange = read_given(TEXTS | {"x.yml": OTHER.replace("namespace: shop", "namespace: bank")}, Manner())

    with pytest.raises(MayNot):
        pushing.push(asked, strange, by="eve")
    with pytest.raises(MayNot):
        pushing.plan(asked, read_given(TEXTS, Manner()), "")
    assert stored(office) == {}

    pushing.push(asked, read_given(TEXTS | {"deep.yml": BELOW}, Manner()), by="eve")
    pushing.push(asked, read_given({"o.yml": OTHER}, Manner()), "shop", prune=True, by="eve")
    acts = office.store.read(lambda tx: audit.page(tx, EVERYWHERE, audit.Filter(), 100))
    assert sorted((one.verb, one.object, one.namespace) for one, _ in acts) == [
        ("flows.push", "shop.daily", "shop"),
        ("flows.push", "shop.deep.deep", "shop.deep"),
        ("flows.push", "shop.other", "shop"),
        ("flows.remove", "shop.daily", "shop"),
        ("flows.remove", "shop.deep.deep", "shop.deep"),
    ]
