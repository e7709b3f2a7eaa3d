"""Is a run's story told with its rules and its waits? Golden texts; `PENSTOCK_GOLDEN=write` writes them anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from penstock.cli.telling import page
from penstock.errors.run import UnknownStep
from penstock.model.event import Ended
from penstock.model.status import Outcome
from penstock.services import apply, operate, runs
from penstock.services.explain import explain
from tests.services.office import Office

GOLDEN = Path(__file__).parent / "stories"
LOST = {"a": {"retry": {"interval": "5s", "max_attempts": 3}}}


def retried(office: Office) -> str:
    run_id = office.start(office.push([LOST, "b"]), by="ann")
    office.wait(2)
    office.work({"a": [Outcome.FAILED, Outcome.FAILED, Outcome.DONE]}, most=1)
    office.wait(6)
    office.work({"a": [Outcome.FAILED]}, most=1)
    office.wait(7)
    office.work()
    return run_id


def failed_in_a_group(office: Office) -> str:
    flow = [
        "a",
        {"parallel p": {"on_child_failure": "cancel", "limit": 2, "tasks": ["x", "y", "z"], "errors": ["mend"]}},
        {"c": {"allow_failure": True}},
    ]
    run_id = office.start(office.push(flow), by="ann")
    office.work({"x": Outcome.FAILED})
    return run_id


def chosen_and_looped(office: Office) -> str:
    flow = [
        {"if way": {"condition": "{{ 1 == 2 }}", "then": ["t"], "else": ["e"]}},
        {"foreach each": {"values": [1, 2, 3, 4, 5, 6, 7], "limit": 0, "tasks": ["i"]}},
        {"s": {"run_if": "{{ false }}"}},
    ]
    run_id = office.start(office.push(flow), by="ann")
    office.work()
    return run_id


def killed_and_restarted(office: Office) -> str:
    run_id = office.start(office.push(["a", "b"]), by="ann")
    office.work(most=1)
    (held,) = office.claim()
    runs.kill(office.core, run_id, "bob")
    office.end(held, Outcome.KILLED)
    office.wait(60)
    runs.restart(office.core, run_id, "ann")
    office.work()
    return run_id


def lost_and_late(office: Office) -> str:
    run_id = office.start(office.push(["a", "b"]), by="ann")
    (held,) = office.claim("old")
    office.clock.advance(30_000_000)
    office.sweep()
    office.end(held)
    office.work()
    return run_id


def limited(office: Office) -> str:
    plan = office.push({"limits": [{"count": 1}], "tasks": ["a"]})
    first = office.start(plan, by="ann")
    second = office.start(plan, by="bob")
    office.wait(3)
    office.work()
    assert office.run(first).status.ended
    return second


def held_up(office: Office) -> str:
    run_id = office.start(office.push(["a", "b"]), by="ann")
    operate.pause(office.core, run_id, "bob")
    office.wait(90)
    operate.resume(office.core, run_id, "bob")
    office.work()
    return run_id


STORIES = [retried, failed_in_a_group, chosen_and_looped, killed_and_restarted, lost_and_late, limited, held_up]


@pytest.mark.parametrize("story", STORIES)
def test_a_story_is_told_as_it_was_told_before(office: Office, story: Callable[[Office], str]) -> None:
    run_id = story(office)

    told = click.unstyle("\n".join(page(explain(office.core, run_id)))) + "\n"

    golden = GOLDEN / f"{story.__name__}.txt"
    if os.environ.get("PENSTOCK_GOLDEN") == "write":
        golden.write_text(told)
    assert told == golden.read_text()


def test_of_one_step_its_own_part_is_told_with_the_groups_around_it(office: Office) -> None:
    run_id = failed_in_a_group(office)

    told = explain(office.core, run_id, "x")
    keys = {one.step for chapter in told.chapters for one in chapter.decided}

    assert keys == {"", "p", "x"}
    with pytest.raises(UnknownStep, match='Did you mean "mend"'):
        explain(office.core, run_id, "mned")


def test_what_was_at_work_when_it_was_marked_had_not_waited_for_a_worker_all_the_while(office: Office) -> None:
    run_id = office.start(office.push(["a"]), by="ann")
    office.wait(2)
    (held,) = office.claim()
    began = office.clock.now()
    office.wait(60)
    operate.skip(office.core, run_id, "bob", "a")
    late = Ended(step="a", attempt=1, outcome=Outcome.KILLED, worker="w", started_at=began, ended_at=office.clock.now())
    apply.report(office.core, held, late, None)

    told = explain(office.core, run_id, "a")

    assert [one.micros for chapter in told.chapters for one in chapter.waited] == [2_000_000]
    assert told.step_status == "skipped"
    assert click.unstyle(next(page(told))).endswith(': success, step "a": skipped')
