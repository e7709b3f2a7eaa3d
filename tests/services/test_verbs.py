"""What can people do to a run? Kill it, restart it, replay it; each keeps what was, and says who did it."""

from __future__ import annotations

import pytest

from penstock.errors.run import InvalidInput, NothingToRestart, UnknownRun, UnknownStep
from penstock.model.event import Kill, Restart
from penstock.model.status import Outcome, RunStatus
from penstock.services import runs
from tests.services.office import Office

NOBODY = "0" * 26


def test_a_kill_before_anything_was_claimed_ends_the_run_at_once(office: Office) -> None:
    run_id = office.start(office.push(["a", "b"]))

    runs.kill(office.core, run_id, "ann")

    assert office.run(run_id).status is RunStatus.KILLED
    assert office.run(run_id).killed_by == "ann"
    assert not office.claim()


def test_a_killed_run_frees_its_slot(office: Office) -> None:
    plan = office.push({"limit": {"count": 1}, "tasks": ["a"]})
    first, second = office.start(plan), office.start(plan)

    runs.kill(office.core, first, "ann")

    assert office.run(second).status is RunStatus.RUNNING


def test_a_run_killed_while_it_waits_leaves_the_line(office: Office) -> None:
    plan = office.push({"limit": {"count": 1}, "tasks": ["a"]})
    _, second, third = office.start(plan), office.start(plan), office.start(plan)

    runs.kill(office.core, second, "ann")
    office.work(most=1)

    assert office.run(second).status is RunStatus.KILLED
    assert office.run(third).status is RunStatus.RUNNING


def test_the_story_tells_who_did_what(office: Office) -> None:
    run_id = office.start(office.push(["a"]))
    runs.kill(office.core, run_id, "ann")
    runs.restart(office.core, run_id, "bob")

    said = [told.event for told in office.story(run_id)]

    assert Kill("ann", False) in said
    assert Restart("bob") in said


def test_a_restart_keeps_the_earlier_attempts(office: Office) -> None:
    run_id = office.start(office.push(["a", "b", "c"]))
    office.work({"b": Outcome.FAILED})

    runs.restart(office.core, run_id, "ann")
    worked = office.work()

    assert worked == ["b", "c"]
    assert office.run(run_id).status is RunStatus.SUCCESS
    tried = [(attempt.step, attempt.number, str(attempt.outcome)) for attempt in office.attempts(run_id)]
    assert tried == [("a", 1, "done"), ("b", 1, "failed"), ("b", 2, "done"), ("c", 1, "done")]


def test_a_restart_sees_outputs_from_before(office: Office) -> None:
    flow = ["a", "b", {"if i": {"condition": "{{ outputs.a.n == 1 }}", "then": ["c"]}}]
    run_id = office.start(office.push(flow))
    office.work({"a": {"n": 1}, "b": Outcome.FAILED})

    runs.restart(office.core, run_id, "ann")

    assert office.work() == ["b", "c"]


def test_a_restart_behind_a_limit_waits_and_then_goes_on(office: Office) -> None:
    plan = office.push({"limit": {"count": 1}, "tasks": ["a", "b"]})
    first = office.start(plan)
    office.work({"b": Outcome.FAILED})
    second = office.start(plan)

    runs.restart(office.core, first, "ann")

    assert office.run(first).status is RunStatus.QUEUED
    office.work()
    assert {office.run(each).status for each in (first, second)} == {RunStatus.SUCCESS}


def test_a_restart_needs_something_that_did_not_succeed(office: Office) -> None:
    run_id = office.start(office.push(["a"]))
    with pytest.raises(NothingToRestart, match="only an ended run"):
        runs.restart(office.core, run_id, "ann")
    office.work()
    with pytest.raises(NothingToRestart, match="succeeded"):
        runs.restart(office.core, run_id, "ann")


def test_a_restart_waits_until_what_runs_beside_the_end_has_ended(office: Office) -> None:
    run_id = office.start(office.push([{"parallel p": ["a", "b"]}]))
    first, second = office.claim(room=2)
    office.end(first, Outcome.FAILED)
    with pytest.raises(NothingToRestart, match="still run"):
        runs.restart(office.core, run_id, "ann")

    office.end(second)
    runs.restart(office.core, run_id, "ann")

    assert office.work() == [first.step]


def test_a_killed_run_is_not_restarted_where_its_language_does_not_know_that(office: Office) -> None:
    run_id = office.start(office.push({"language": {"version": "0.20"}, "tasks": ["a"]}))
    runs.kill(office.core, run_id, "ann")

    with pytest.raises(NothingToRestart, match=r"0\.20"):
        runs.restart(office.core, run_id, "ann")


def test_verbs_about_a_run_that_does_not_exist_say_so(office: Office) -> None:
    for verb in (runs.kill, runs.restart, runs.replay):
        with pytest.raises(UnknownRun):
            verb(office.core, NOBODY, "ann")


def test_a_replay_is_a_new_run_with_the_same_inputs_and_labels(office: Office) -> None:
    plan = office.push({"inputs": [{"id": "n", "type": "INT"}], "tasks": ["a"]})
    old = office.start(plan, inputs={"n": 1}, labels={"team": "red"})
    office.work()

    new = runs.replay(office.core, old, "ann")

    run = office.run(new)
    assert (run.inputs, run.labels["team"], run.origin, run.started_by) == ({"n": 1}, "red", old, "ann")
    assert office.work() == ["a"]
    assert runs.replay(office.core, new, "bob") != new
    assert office.run(old).status is RunStatus.SUCCESS


def test_a_replay_from_a_step_keeps_what_came_before_with_its_attempts_and_outputs(office: Office) -> None:
    choice = {"if i": {"condition": "{{ outputs.a.n + inputs.n == 7 }}", "then": ["c"], "else": ["d"]}}
    flow = {"inputs": [{"id": "n", "type": "INT"}], "tasks": ["a", "b", choice]}
    old = office.start(office.push(flow), inputs={"n": 1})
    office.work({"a": {"n": 5}})
    assert "d" in office.statuses(old)

    new = runs.replay(office.core, old, "ann", from_step="b", asked=runs.Start(inputs={"n": 2}))
    worked = office.work()

    assert worked == ["b", "c"]
    assert office.outputs(new, "a") == {"n": 5}
    assert [(tried.step, tried.number) for tried in office.attempts(new)] == [("a", 1), ("b", 1), ("b", 2), ("c", 1)]
    assert office.run(new).inputs == {"n": 2}


def test_a_replay_from_a_step_whose_decision_needs_old_outputs_and_values(office: Office) -> None:
    loop = {"foreach each": {"values": "{{ outputs.a.found }}", "tasks": ["b"]}}
    old = office.start(office.push(["a", loop, "c"]))
    office.work({"a": {"found": list(range(130))}})
    office.core.cache.forget()

    from_loop = runs.replay(office.core, old, "ann", from_step="each")
    from_value = runs.replay(office.core, old, "ann", from_step="each[120]")

    assert office.statuses(from_loop) == {
        "a": "success",
        "each": "running",
        "each[0]": "running",
        "each[0]/b": "queued",
    }
    assert office.statuses(from_value)["each[120]/b"] == "queued"
    assert office.statuses(from_value)["each[119]"] == "success"
    office.work()
    assert {office.run(each).status for each in (from_loop, from_value)} == {RunStatus.SUCCESS}


def test_a_replay_behind_a_limit_waits_for_its_turn(office: Office) -> None:
    plan = office.push({"limit": {"count": 1}, "tasks": ["a", "b"]})
    old = office.start(plan)
    office.work()
    holder = office.start(plan)

    new = runs.replay(office.core, old, "ann", from_step="b")

    assert office.run(new).status is RunStatus.QUEUED
    assert office.work() == ["a", "b", "b"]
    assert {office.run(each).status for each in (holder, new)} == {RunStatus.SUCCESS}


def test_a_replay_of_a_run_with_a_parent_is_nobodys_child(office: Office) -> None:
    office.push(["c"], "child")
    parent = office.start(office.push([{"subflow s": {"flow": "child"}}]))
    office.work()
    (child,) = office.children(parent)

    new = runs.replay(office.core, child.id, "ann")
    office.work()

    assert office.run(new).parent is None
    assert [each.id for each in office.children(parent)] == [child.id]


def test_a_replay_says_what_is_wrong_with_it(office: Office) -> None:
    run_id = office.start(office.push({"inputs": [{"id": "n", "type": "INT"}], "tasks": ["extract"]}), inputs={"n": 1})
    office.work()

    with pytest.raises(UnknownStep, match='Did you mean "extract"'):
        runs.replay(office.core, run_id, "ann", from_step="extrct")
    with pytest.raises(InvalidInput, match="whole number"):
        runs.replay(office.core, run_id, "ann", asked=runs.Start(inputs={"n": "x"}))


def test_a_replay_from_what_a_restart_has_put_back_is_refused(office: Office) -> None:
    run_id = office.start(office.push({"tasks": ["a"], "finally": ["f"]}))
    office.work({"a": Outcome.FAILED})
    runs.restart(office.core, run_id, "ann")
    assert office.statuses(run_id)["f"] == "waiting"

    with pytest.raises(UnknownStep):
        runs.replay(office.core, run_id, "ann", from_step="f")


def test_a_replay_said_twice_under_one_key_is_one_run(office: Office) -> None:
    old = office.start(office.push(["a"]))
    office.work()

    asked = runs.Start(key="again")

    assert runs.replay(office.core, old, "ann", asked=asked) == runs.replay(office.core, old, "ann", asked=asked)


def test_a_replay_from_a_group_keeps_nothing_of_what_is_begun_anew_in_it(office: Office) -> None:
    plan = office.push(["a", {"sequence s": ["b", "c"]}])
    old = office.start(plan)
    office.work({"b": {"n": 1}})

    new = runs.replay(office.core, old, "me", from_step="s")
    before = office.outputs(new, "b")
    office.work({"b": Outcome.FAILED})

    assert before is None
    assert [(one.step, one.outcome) for one in office.attempts(new)] == [("a", "done"), ("b", "failed")]
