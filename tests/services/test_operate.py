"""Can people meddle with a run? Pause, resume, mark, skip; what cannot be is refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.engine.scope import instant
from penstock.errors.run import InvalidInput, NothingToMark, NothingToPause, NotResumable, UnknownRun, UnknownStep
from penstock.model.event import Hold, Mark, Part, Reported, Resume
from penstock.model.flow import Flow
from penstock.model.inputs import Input
from penstock.model.node import ForEach, Node, Parallel, Pause, Sequence, Task
from penstock.model.plan import Plan
from penstock.model.policy import SECOND, OnChildFailure, Retry
from penstock.model.status import Outcome, RunStatus, StepStatus
from penstock.services import flows, operate, reports, runs
from tests.services.office import Office

NOBODY = "0" * 26
APPROVAL = Pause(id="ask", inputs=(Input(id="n", type="INT"),), resumers=("ann",))


def task(name: str, **more: Any) -> Task:
    """A task."""
    return Task(id=name, type="log", **more)


def pushed(office: Office, *nodes: Node, **more: Any) -> Plan:
    """A stored flow with these nodes."""
    flow = Flow(id="f", namespace="tests", body=Sequence(id="", nodes=nodes), **more)
    return flows.push(office.core, flow, repr(flow), repr(flow))


def test_a_paused_run_lets_what_runs_end_and_begins_nothing_more(office: Office) -> None:
    run_id = office.start(pushed(office, Parallel(id="p", nodes=(task("a"), task("b"))), task("c")))
    (held,) = office.claim()

    operate.pause(office.core, run_id, "ann")
    office.end(held)

    assert office.run(run_id).status is RunStatus.PAUSED
    assert not office.claim()
    operate.resume(office.core, run_id, "bob")
    assert office.work() == ["b", "c"]
    assert office.run(run_id).status is RunStatus.SUCCESS


def test_the_story_says_who_paused_and_who_resumed(office: Office) -> None:
    run_id = office.start(pushed(office, task("a")))
    operate.pause(office.core, run_id, "ann")
    operate.resume(office.core, run_id, "bob")

    said = [told.event for told in office.story(run_id)]

    assert Hold("ann") in said
    assert Resume("bob") in said


def test_a_run_that_is_paused_or_has_ended_cannot_be_paused(office: Office) -> None:
    run_id = office.start(pushed(office, task("a")))
    operate.pause(office.core, run_id, "ann")

    with pytest.raises(NothingToPause, match="already, by ann"):
        operate.pause(office.core, run_id, "bob")
    runs.kill(office.core, run_id, "ann")
    with pytest.raises(NothingToPause, match="is killed"):
        operate.pause(office.core, run_id, "bob")
    with pytest.raises(UnknownRun):
        operate.pause(office.core, NOBODY, "bob")


def test_a_pause_takes_typed_inputs_from_whom_it_names(office: Office) -> None:
    run_id = office.start(pushed(office, APPROVAL, task("b")))

    with pytest.raises(NotResumable, match="may be resumed by ann, not by bob"):
        operate.resume(office.core, run_id, "bob", inputs={"n": "3"})
    with pytest.raises(InvalidInput, match='Inputs of "ask"'):
        operate.resume(office.core, run_id, "ann", inputs={"n": "three"})
    operate.resume(office.core, run_id, "ann@desk", inputs={"n": "3"})

    made = office.outputs(run_id, "ask") or {}
    assert made["onResume"] == {"n": 3}
    assert made["resumed"] == {"by": "ann@desk", "on": instant(office.core.clock.now()), "to": "SUCCESS"}
    assert office.work() == ["b"]


def test_of_several_pauses_one_must_be_named(office: Office) -> None:
    run_id = office.start(pushed(office, Parallel(id="p", nodes=(Pause(id="x"), Pause(id="y")))))

    with pytest.raises(NotResumable, match='2 pauses: "x", "y"'):
        operate.resume(office.core, run_id, "ann")
    operate.resume(office.core, run_id, "ann", step="y")

    assert office.statuses(run_id) == {"p": "running", "x": "paused", "y": "success"}
    with pytest.raises(NotResumable, match=r'"y" of run .* is not paused'):
        operate.resume(office.core, run_id, "ann", step="y")


def test_a_pause_ends_by_itself_when_its_time_is_over(office: Office) -> None:
    run_id = office.start(pushed(office, Pause(id="x", delay="PT10S"), task("b")))
    assert office.run(run_id).status is RunStatus.PAUSED

    office.wait(11)

    assert office.work() == ["b"]


def test_a_failed_step_marked_as_success_lets_its_run_go_on(office: Office) -> None:
    run_id = office.start(pushed(office, task("a"), task("b"), task("c")))
    office.work({"b": Outcome.FAILED})
    assert office.run(run_id).status is RunStatus.FAILED

    operate.mark(office.core, run_id, "ann", StepStatus.SUCCESS, step="b", reason="loaded by hand")

    assert office.work() == ["c"]
    assert office.run(run_id).status is RunStatus.SUCCESS
    assert Mark("ann", StepStatus.SUCCESS, "b", "loaded by hand") in [told.event for told in office.story(run_id)]


def test_a_step_is_skipped_when_its_turn_comes(office: Office) -> None:
    run_id = office.start(pushed(office, task("a"), task("b"), task("c")))

    operate.skip(office.core, run_id, "ann", "b")

    assert office.work() == ["a", "c"]
    assert office.statuses(run_id)["b"] == "skipped"


def test_a_held_step_is_skipped_and_its_late_report_refused_by_the_state(office: Office) -> None:
    run_id = office.start(pushed(office, task("a"), task("b")))
    (held,) = office.claim()

    operate.skip(office.core, run_id, "ann", "a")
    office.end(held)

    assert office.work() == ["b"]
    assert office.statuses(run_id) == {"a": "skipped", "b": "success"}


def test_an_ended_run_is_marked(office: Office) -> None:
    run_id = office.start(pushed(office, task("a")))
    office.work({"a": Outcome.FAILED})

    operate.mark(office.core, run_id, "ann", StepStatus.SUCCESS)

    assert office.run(run_id).status is RunStatus.SUCCESS
    assert office.run(run_id).history[-1].by == "ann"


def test_what_cannot_be_marked_is_refused_with_a_reason(office: Office) -> None:
    run_id = office.start(pushed(office, task("a"), task("b")))

    with pytest.raises(NothingToMark, match="has not ended"):
        operate.mark(office.core, run_id, "ann", StepStatus.SUCCESS)
    with pytest.raises(NothingToMark, match="has not begun"):
        operate.mark(office.core, run_id, "ann", StepStatus.SUCCESS, step="b")
    with pytest.raises(UnknownStep, match='no step "bb"'):
        operate.mark(office.core, run_id, "ann", StepStatus.SUCCESS, step="bb")
    with pytest.raises(NothingToMark, match='marked as "queued"'):
        operate.mark(office.core, run_id, "ann", StepStatus.QUEUED, step="a")


def test_a_run_that_is_retried_as_a_new_one_stands_for_the_old(office: Office) -> None:
    policy = Retry(interval=5 * SECOND, max_attempts=2, new_run=True)
    run_id = office.start(pushed(office, task("a", retry=policy), task("b")), labels={"x": "y"})
    office.work({"a": Outcome.FAILED})

    old = office.run(run_id)
    assert old.status is RunStatus.RETRIED
    new = office.run(old.successor)
    assert (new.status, new.number, new.origin, new.labels["x"]) == (RunStatus.QUEUED, 2, run_id, "y")
    office.wait(6)
    assert office.work() == ["a", "b"]
    assert office.run(old.successor).status is RunStatus.SUCCESS


def test_the_last_retry_of_a_run_fails_it(office: Office) -> None:
    policy = Retry(max_attempts=2, new_run=True)
    run_id = office.start(pushed(office, task("a", retry=policy)))

    office.work({"a": Outcome.FAILED})

    successor = office.run(office.run(run_id).successor)
    assert (successor.status, successor.successor) == (RunStatus.FAILED, "")


def test_parts_that_an_attempt_reports_are_steps_and_are_done_again_alone(office: Office) -> None:
    run_id = office.start(pushed(office, task("dbt"), task("b")))
    (held,) = office.claim()
    told = (Part("orders", StepStatus.SUCCESS, 1, 2), Part("users", StepStatus.FAILED, 2, 3, "no such table"))
    assert reports.parts(office.core, held, Reported("dbt", 1, 1, told, held.fence))
    office.end(held, Outcome.FAILED)
    assert office.statuses(run_id) == {"dbt": "failed", "dbt#orders": "success", "dbt#users": "failed"}

    operate.restart_parts(office.core, run_id, "ann", ["dbt#users"])

    assert office.steps(run_id)["dbt"].only == ("users",)
    assert office.work() == ["dbt", "b"]
    with pytest.raises(UnknownStep, match='reported a step "dbt#uses"'):
        operate.restart_parts(office.core, run_id, "ann", ["dbt#uses"])


def test_parts_told_under_a_lost_fence_are_refused(office: Office) -> None:
    office.start(pushed(office, task("dbt")))
    (held,) = office.claim()
    office.end(held)

    assert not reports.parts(office.core, held, Reported("dbt", 1, 1, (Part("x", StepStatus.SUCCESS),), held.fence))


def test_one_value_of_a_loop_is_done_again_and_nothing_else(office: Office) -> None:
    loop = ForEach(id="each", values=["x", "y", "z"], nodes=(task("a"), task("b")))
    old = office.start(pushed(office, task("first"), loop, task("last")))
    office.work()

    new = runs.replay(office.core, old, "ann", from_step="each[1]", alone=True)

    assert office.work() == ["each[1]/a", "each[1]/b"]
    assert office.run(new).status is RunStatus.SUCCESS
    assert set(office.statuses(new)) == set(office.statuses(old))


def test_one_value_of_a_failed_loop_is_done_again_and_the_run_goes_on_behind_it(office: Office) -> None:
    loop = ForEach(id="each", values=["x", "y"], nodes=(task("a"),), limit=0, on_child_failure=OnChildFailure.FINISH)
    old = office.start(pushed(office, loop, task("last")))
    office.work({"each[1]/a": Outcome.FAILED})

    new = runs.replay(office.core, old, "ann", from_step="each[1]", alone=True)

    assert office.work() == ["each[1]/a", "last"]
    assert office.run(new).status is RunStatus.SUCCESS


@pytest.mark.parametrize(
    ("step", "hint"),
    [("asc", 'Did you mean "ask"?'), ("loop", 'It waits at "ask".')],
)
def test_a_pause_by_a_wrong_name_is_told_with_those_there_are(office: Office, step: str, hint: str) -> None:
    run_id = office.start(pushed(office, APPROVAL))

    with pytest.raises(NotResumable) as refused:
        operate.resume(office.core, run_id, "ann", step=step)

    assert refused.value.hint == hint


def test_what_has_ended_is_told_how_it_goes_on_when_somebody_resumes_it(office: Office) -> None:
    run_id = office.start(pushed(office, task("a")))
    office.work()

    with pytest.raises(NotResumable, match="has ended, as success") as refused:
        operate.resume(office.core, run_id, "ann")

    assert "restart" in refused.value.hint


@pytest.mark.parametrize(
    ("step", "sentence", "hint"),
    [
        ("each[0]/lod", "no step", 'Did you mean "each[0]/load"?'),
        ("each[9]/load", "has not begun in run .* which is failed", 'There is "each[0]/load".'),
        ("load", "has not begun in run", 'There is "each[0]/load".'),
        ("zzz", "no step", "`penstock runs show` names its steps."),
    ],
)
def test_a_step_that_cannot_be_marked_is_told_with_one_that_can(
    office: Office, step: str, sentence: str, hint: str
) -> None:
    run_id = office.start(pushed(office, ForEach(id="each", values=[1], nodes=(task("load"),))))
    office.work({"each[0]/load": Outcome.FAILED})

    with pytest.raises((UnknownStep, NothingToMark), match=sentence) as refused:
        operate.mark(office.core, run_id, "ann", StepStatus.SUCCESS, step=step)

    assert refused.value.hint == hint
