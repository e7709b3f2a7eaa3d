"""Do whole flows go through a real worker: loops, branches that reach out, retries, subflows, large outputs?"""

from __future__ import annotations

from pathlib import Path

from penstock.model.flow import Flow
from penstock.model.node import ForEach, If, Parallel, Sequence, Subflow, Task
from penstock.model.policy import SECOND, Limit, Retry
from penstock.model.run import ErrorKind
from penstock.model.status import Outcome, RunStatus, StepStatus
from penstock.services import flows as flow_verbs
from tests.worker.workshop import Workshop, python, shell


def test_a_loop_runs_its_tasks_for_each_value(workshop: Workshop) -> None:
    each = ForEach(id="each", values=["a", "b", "c"], limit=0, nodes=(shell("say", "echo {{ taskrun.value }}"),))

    run_id = workshop.run(each)

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert sorted(workshop.log(run_id).split()) == ["a", "b", "c"]
    assert workshop.log(run_id, "each[1]/say") == "b\n"


def test_a_branch_that_reaches_out_is_evaluated_by_the_worker(workshop: Workshop) -> None:
    keep = Task(id="keep", type="kv.set", properties={"key": "mode", "value": "full"})
    choose = If(
        id="choose",
        condition="{{ kv('mode') == 'full' }}",
        then=(shell("full", "echo full"),),
        else_=(shell("part", "echo part"),),
    )

    run_id = workshop.run(keep, choose)

    assert workshop.of(run_id).status is RunStatus.SUCCESS, workshop.of(run_id).failure
    assert workshop.log(run_id) == "full\n"


def test_an_evaluation_that_fails_fails_its_step(workshop: Workshop) -> None:
    choose = If(id="choose", condition="{{ kv('nothing') }}", then=(shell("never", "echo never"),))

    run_id = workshop.run(choose)

    assert workshop.of(run_id).status is RunStatus.FAILED
    assert workshop.log(run_id) == ""


def test_a_failed_attempt_is_followed_by_another_with_its_saved_state_and_key(workshop: Workshop) -> None:
    script = (
        f"echo $PENSTOCK_IDEMPOTENCY_KEY; [ -e {workshop.folder}/second ] || (touch {workshop.folder}/second; exit 1)"
    )
    task = shell("flaky", script)
    flaky = Task(
        id="flaky", type=task.type, properties=task.properties, retry=Retry(interval=SECOND // 5, max_attempts=3)
    )

    run_id = workshop.run(flaky)

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert [attempt.outcome for attempt in workshop.attempts(run_id)] == [Outcome.FAILED, Outcome.DONE]
    keys = [line for line in workshop.log(run_id).splitlines() if line.startswith(run_id)]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_a_retry_may_be_for_one_kind_of_failure_alone(workshop: Workshop) -> None:
    task = shell("bad", "exit 3")
    retry = Retry(interval=1000, max_attempts=3, kinds=("timeout",))

    run_id = workshop.run(Task(id="bad", type=task.type, properties=task.properties, retry=retry))

    failure = workshop.attempts(run_id)[-1].failure
    assert len(workshop.attempts(run_id)) == 1
    assert failure is not None
    assert failure.kind is ErrorKind.EXIT


def test_a_subflow_hands_its_outputs_up(workshop: Workshop) -> None:
    inner = Flow(id="inner", namespace="tests", body=Sequence(id="", nodes=(shell("work", "echo inner"),)))
    flow_verbs.push(workshop.core, inner, "", "digest")

    run_id = workshop.run(Subflow(id="call", namespace="tests", flow="inner"), shell("after", "echo after"))

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    child = str(workshop.outputs(run_id)["call"]["executionId"])
    assert workshop.log(child) == "inner\n"


def test_a_limit_lets_runs_in_one_after_the_other(workshop: Workshop) -> None:
    lock = workshop.folder / "lock"
    task = shell("alone", f"mkdir {lock}; sleep 0.05; rmdir {lock}")
    flow = Flow(id="one", namespace="tests", body=Sequence(id="", nodes=(task,)), limits=(Limit(1),))

    ids = [workshop.start_flow(flow) for _ in range(4)]
    ended = [workshop.finish(run_id).status for run_id in ids]

    assert ended == [RunStatus.SUCCESS] * 4


def test_outputs_too_large_for_a_row_are_there_for_the_next_task(workshop: Workshop) -> None:
    make = python("make", """import json\nprint('::' + json.dumps({'outputs': {'text': 'x' * 300_000}}) + '::')""")

    run_id = workshop.run(make, python("use", "print(len('{{ outputs.make.vars.text }}'))"))

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert workshop.log(run_id, "use") == "300000\n"


def test_a_failure_in_one_branch_leaves_the_others_and_the_errors_list_runs(workshop: Workshop) -> None:
    both = Parallel(
        id="both", nodes=(shell("bad", "exit 1"), shell("good", "echo good")), errors=(shell("clean", "echo clean"),)
    )

    run_id = workshop.run(both)

    assert workshop.of(run_id).status is RunStatus.FAILED
    assert workshop.statuses(run_id)["good"] is StepStatus.SUCCESS
    assert workshop.log(run_id, "clean") == "clean\n"


def test_a_thousand_inline_steps_of_a_loop_end(workshop: Workshop) -> None:
    each = ForEach(
        id="each",
        values="{{ range(0, 999) }}",
        limit=0,
        nodes=(Task(id="say", type="return", properties={"format": "{{ taskrun.value }}"}),),
    )

    run_id = workshop.run(each)

    assert workshop.of(run_id).status is RunStatus.SUCCESS, workshop.of(run_id).failure
    assert len(workshop.attempts(run_id)) == 1000


def test_a_task_type_that_raises_what_it_should_not_fails_and_the_worker_goes_on(
    workshop: Workshop, tmp_path: Path
) -> None:
    broken = Task(id="broken", type="shell.commands", properties={"commands": ["true"], "inputFiles": {"../x": "y"}})

    first = workshop.run(broken)
    second = workshop.run(shell("fine", "echo fine"))

    assert workshop.of(first).status is RunStatus.FAILED
    assert workshop.of(second).status is RunStatus.SUCCESS
    assert not (tmp_path / "x").exists()
