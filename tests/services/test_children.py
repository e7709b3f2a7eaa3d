"""How do runs start runs? Inserted beside their parent's commit, told of, killed with it, and never without end."""

from __future__ import annotations

from penstock.model.event import Begin
from penstock.model.policy import SECOND
from penstock.model.status import Outcome, RunStatus
from penstock.services import runs
from tests.services.office import Office

CALLS = [{"subflow s": {"flow": "child", "inputs": {"n": "{{ inputs.n }}"}}}, "after"]
TAKES_N = [{"id": "n", "type": "INT", "required": False}]


def test_a_child_run_is_started_with_typed_inputs_and_hands_its_outputs_up(office: Office) -> None:
    outputs = [{"id": "twice", "type": "INT", "value": "{{ outputs.c.n }}"}]
    office.push({"inputs": TAKES_N, "tasks": ["c"], "outputs": outputs}, "child")
    parent = office.start(office.push({"inputs": TAKES_N, "tasks": CALLS}), inputs={"n": "4"}, labels={"a": "b"})

    (child,) = office.children(parent)
    worked = office.work({"c": {"n": 8}})

    assert child.inputs == {"n": 4}
    assert child.trigger["executionId"] == parent
    assert child.labels == {"system.correlationId": parent}
    assert worked == ["c", "after"]
    assert office.run(parent).status is RunStatus.SUCCESS
    handed = office.outputs(parent, "s")
    assert handed == {"executionId": child.id, "state": "SUCCESS", "outputs": {"twice": 8}}


def test_a_failed_child_fails_the_step_that_waits_for_it(office: Office) -> None:
    office.push(["c"], "child")
    parent = office.start(office.push([{"subflow s": {"flow": "child"}}]))

    office.work({"c": Outcome.FAILED})

    failure = office.run(parent).failure
    assert office.statuses(parent) == {"s": "failed"}
    assert failure is not None
    assert "it fails" in failure.message


def test_a_child_of_a_missing_flow_fails_its_step_with_the_nearest_name(office: Office) -> None:
    office.push(["c"], "child")
    for wait in (True, False):
        parent = office.start(office.push([{"subflow s": {"flow": "chld", "wait": wait}}]))

        failure = office.run(parent).failure
        assert office.run(parent).status is RunStatus.FAILED
        assert failure is not None
        assert 'Did you mean "tests.child"?' in failure.message


def test_a_child_of_a_disabled_flow_fails_its_step(office: Office) -> None:
    office.push({"disabled": True, "tasks": ["c"]}, "child")

    parent = office.start(office.push([{"subflow s": {"flow": "child"}}]))

    failure = office.run(parent).failure
    assert failure is not None
    assert "disabled" in failure.message


def test_a_child_with_inputs_that_do_not_fit_fails_its_step(office: Office) -> None:
    office.push({"inputs": TAKES_N, "tasks": ["c"]}, "child")

    parent = office.start(office.push([{"subflow s": {"flow": "child", "inputs": {"n": "many"}}}]))

    failure = office.run(parent).failure
    assert failure is not None
    assert "not a whole number" in failure.message
    assert not office.children(parent)


def test_a_flow_that_calls_itself_ends_at_fifty_and_the_failure_comes_all_the_way_up(office: Office) -> None:
    top = office.start(office.push([{"subflow s": {"flow": "story"}}]))

    depth, run = 0, office.run(top)
    while children := office.children(run.id):
        depth, run = depth + 1, children[0]

    assert depth == 50
    assert office.run(top).status is RunStatus.FAILED
    failure = office.run(run.id).failure
    assert failure is not None
    assert failure.code == "PS-307"


def test_a_step_that_does_not_wait_is_done_once_its_child_exists(office: Office) -> None:
    office.push(["c"], "child")

    parent = office.start(office.push([{"subflow s": {"flow": "child", "wait": False}}]))

    (child,) = office.children(parent)
    assert office.run(parent).status is RunStatus.SUCCESS
    assert office.outputs(parent, "s") == {"executionId": child.id, "state": "CREATED"}
    assert office.work() == ["c"]
    assert office.run(child.id).status is RunStatus.SUCCESS


def test_killing_a_run_kills_its_children_and_theirs(office: Office) -> None:
    office.push(["c"], "leaf")
    office.push([{"subflow t": {"flow": "leaf"}}], "child")
    parent = office.start(office.push([{"subflow s": {"flow": "child"}}, "after"]))
    (held,) = office.claim()

    runs.kill(office.core, parent, "ann")
    office.end(held, Outcome.KILLED)

    (child,) = office.children(parent)
    (leaf,) = office.children(child.id)
    assert {str(office.run(each).status) for each in (parent, child.id, leaf.id)} == {"killed"}
    assert office.run(leaf.id).killed_by == "ann"


def test_a_child_waits_for_the_limit_of_its_own_flow(office: Office) -> None:
    office.push({"limit": {"count": 1}, "tasks": ["c"]}, "child")
    calls = {"parallel p": [{"subflow s": {"flow": "child"}}, {"subflow t": {"flow": "child"}}]}
    parent = office.start(office.push([calls]))

    statuses = sorted(str(child.status) for child in office.children(parent))
    office.work()

    assert statuses == ["queued", "running"]
    assert office.run(parent).status is RunStatus.SUCCESS


def test_a_retried_step_starts_a_child_of_its_own(office: Office) -> None:
    office.push(["c"], "child")
    parent = office.start(office.push([{"subflow s": {"flow": "child", "retry": {"max_attempts": 2}}}]))

    office.work({"c": [Outcome.FAILED, Outcome.DONE]})

    assert [str(child.status) for child in office.children(parent)] in (["failed", "success"], ["success", "failed"])
    assert office.run(parent).status is RunStatus.SUCCESS


def test_a_child_whose_parent_gave_up_on_it_is_killed(office: Office) -> None:
    office.push(["c"], "child")
    step = {"subflow s": {"flow": "child", "deadline": "5s"}}
    parent = office.start(office.push([step]))
    (held,) = office.claim()

    office.wait(5)
    office.end(held, Outcome.KILLED)

    assert office.statuses(parent) == {"s": "failed"}
    assert office.children(parent)[0].status is RunStatus.KILLED


def test_a_child_inherits_dates_and_priority(office: Office) -> None:
    office.push(["c"], "child")
    parent = office.start(office.push([{"subflow s": {"flow": "child"}}]), priority=7, logical_date=3 * SECOND)

    (child,) = office.children(parent)

    assert (child.priority, child.logical_date, child.depth) == (7, 3 * SECOND, 1)
    assert isinstance(office.story(child.id)[0].event, Begin)


def test_a_restart_goes_on_with_the_child_that_failed(office: Office) -> None:
    office.push(["c", "d"], "child")
    parent = office.start(office.push([{"subflow s": {"flow": "child"}}, "after"]))
    office.work({"d": Outcome.FAILED})

    runs.restart(office.core, parent, "ann")
    worked = office.work()

    (child,) = office.children(parent)
    assert worked == ["d", "after"]
    assert child.status is RunStatus.SUCCESS
    assert office.run(parent).status is RunStatus.SUCCESS
    assert office.steps(parent)["s"].attempt == 2


def test_a_child_that_fails_again_after_a_restart_fails_its_step_again_and_again_goes_on(office: Office) -> None:
    office.push(["c", "d"], "child")
    parent = office.start(office.push([{"subflow s": {"flow": "child"}}]))
    office.work({"d": Outcome.FAILED})
    for _ in range(2):
        runs.restart(office.core, parent, "ann")
        assert office.work({"d": Outcome.FAILED}) == ["d"]
        assert office.run(parent).status is RunStatus.FAILED

    runs.restart(office.core, parent, "ann")

    assert office.work() == ["d"]
    assert office.run(parent).status is RunStatus.SUCCESS
    assert len(office.children(parent)) == 1


def test_a_restart_starts_another_child_where_its_author_wants_that(office: Office) -> None:
    office.push(["c", "d"], "child")
    parent = office.start(office.push([{"subflow s": {"flow": "child", "go_on": False}}]))
    office.work({"d": Outcome.FAILED})

    runs.restart(office.core, parent, "ann")

    assert office.work() == ["c", "d"]
    assert len(office.children(parent)) == 2


def test_a_retry_policy_starts_another_child(office: Office) -> None:
    office.push(["c", "d"], "child")
    again = {"max_attempts": 2}
    parent = office.start(office.push([{"subflow s": {"flow": "child", "retry": again}}]))

    worked = office.work({"d": Outcome.FAILED}, most=2)
    office.wait(1)
    worked += office.work()

    assert worked == ["c", "d", "c", "d"]
    assert office.run(parent).status is RunStatus.SUCCESS


def test_a_restart_hears_at_once_of_a_child_that_somebody_restarted_meanwhile(office: Office) -> None:
    office.push(["c", "d"], "child")
    parent = office.start(office.push([{"subflow s": {"flow": "child"}}]))
    office.work({"d": Outcome.FAILED})
    (child,) = office.children(parent)
    runs.restart(office.core, child.id, "ann")
    office.work()

    runs.restart(office.core, parent, "ann")

    assert office.work() == []
    assert office.run(parent).status is RunStatus.SUCCESS


def test_a_restart_waits_for_a_child_that_is_going_on_already(office: Office) -> None:
    office.push(["c", "d"], "child")
    parent = office.start(office.push([{"subflow s": {"flow": "child"}}]))
    office.work({"d": Outcome.FAILED})
    (child,) = office.children(parent)
    runs.restart(office.core, child.id, "ann")

    runs.restart(office.core, parent, "ann")

    assert office.run(parent).status is RunStatus.RUNNING
    assert office.work() == ["d"]
    assert office.run(parent).status is RunStatus.SUCCESS


def test_a_restart_goes_on_with_the_run_that_took_the_place_of_its_child(office: Office) -> None:
    office.push({"retry": {"max_attempts": 2, "new_run": True}, "tasks": ["c", "d"]}, "child")
    parent = office.start(office.push([{"subflow s": {"flow": "child"}}]))
    office.work({"d": Outcome.FAILED})
    assert office.run(parent).status is RunStatus.FAILED

    runs.restart(office.core, parent, "ann")

    assert office.work() == ["d"]
    assert office.run(parent).status is RunStatus.SUCCESS


def test_a_killed_parent_that_is_restarted_goes_on_with_its_killed_child(office: Office) -> None:
    office.push(["c", "d"], "child")
    parent = office.start(office.push([{"subflow s": {"flow": "child"}}]))
    assert office.work(most=1) == ["c"]
    runs.kill(office.core, parent, "ann")
    assert office.run(parent).status is RunStatus.KILLED

    runs.restart(office.core, parent, "ann")

    assert office.work() == ["d"]
    assert office.run(parent).status is RunStatus.SUCCESS
