"""Does a worker do what groups need of it? A shared folder, results used again, parts told while an attempt goes."""

from __future__ import annotations

from pathlib import Path

from penstock.model.node import Folder, Parallel, Sequence, Task
from penstock.model.policy import SECOND, Cache, Sensor
from penstock.model.status import Outcome, RunStatus, StepStatus
from penstock.services import operate
from penstock.services import runs as verbs
from penstock.services.worker.places import work_root
from tests.worker.workshop import Workshop, python, shell


def folders(workshop: Workshop) -> list[Path]:
    """What is left of working directories with something in them."""
    root = work_root(workshop.core)
    return [path for path in root.rglob("*") if path.is_file()] if root.is_dir() else []


def test_tasks_of_a_working_directory_share_one_folder_and_hand_on_its_files(workshop: Workshop) -> None:
    inside = (shell("make", "cat in.txt > out.csv"), shell("see", "echo more >> out.csv; cat out.csv"))
    properties: dict[str, object] = {"inputFiles": {"in.txt": "{{ flow.id }}\n"}, "outputFiles": ["*.csv"]}

    run_id = workshop.run(Folder(id="dir", nodes=inside, properties=properties))

    assert workshop.log(run_id, "see") == "flow\nmore\n"
    uri = workshop.outputs(run_id)["dir"]["outputFiles"]["out.csv"]
    assert workshop.core.blobs.get(uri) == b"flow\nmore\n"
    assert folders(workshop) == []


def test_groups_in_a_working_directory_share_its_folder_too(workshop: Workshop) -> None:
    side = Parallel(id="p", nodes=(shell("a", "echo a > a"), shell("b", "echo b > b")))

    run_id = workshop.run(Folder(id="dir", nodes=(Sequence(id="s", nodes=(side,)), shell("see", "cat a b"))))

    assert workshop.log(run_id, "see") == "a\nb\n"


def test_a_failed_working_directory_leaves_no_folder_behind(workshop: Workshop) -> None:
    run_id = workshop.run(Folder(id="dir", nodes=(shell("a", "echo a > a; exit 3"), shell("b", "true"))))

    assert workshop.of(run_id).status is RunStatus.FAILED
    worker = workshop.workers[0]
    workshop.until(worker, lambda: not folders(workshop))


def test_a_file_that_is_missing_fails_the_working_directory(workshop: Workshop) -> None:
    run_id = workshop.run(Folder(id="dir", nodes=(shell("a", "true"),), properties={"outputFiles": ["no.csv"]}))

    failure = workshop.of(run_id).failure
    assert failure is not None and '"no.csv" was not made' in failure.message


def test_files_that_a_working_directory_keeps_are_there_in_the_next_run(workshop: Workshop) -> None:
    kept: dict[str, object] = {"cache": {"patterns": ["lib/**"], "ttl": 3600}}
    make = shell("make", "test -f lib/x || { mkdir -p lib; echo made > lib/x; echo fresh; }")

    first = workshop.run(Folder(id="dir", nodes=(make,), properties=kept))
    second = workshop.run(Folder(id="dir", nodes=(make,), properties=kept))

    assert (workshop.log(first, "make"), workshop.log(second, "make")) == ("fresh\n", "")


def test_a_result_is_used_again_until_its_time_is_over(workshop: Workshop) -> None:
    told = shell("tell", 'echo "::{\\"outputs\\": {\\"n\\": $(date +%s%N)}}::"')
    task = Task(id="tell", type=told.type, properties=told.properties, cache=Cache(ttl=3600 * SECOND))
    other = Task(id="tell", type=told.type, properties=told.properties, cache=Cache(version="2"))

    first, second, third = workshop.run(task), workshop.run(task), workshop.run(other)

    made = [workshop.outputs(run_id)["tell"]["vars"]["n"] for run_id in (first, second, third)]
    assert made[0] == made[1] != made[2]
    assert f"taken from run {first}, step tell" in workshop.log(second)


def test_a_failure_is_not_kept(workshop: Workshop) -> None:
    task = shell("fail", "exit 1")
    cached = Task(id="fail", type=task.type, properties=task.properties, cache=Cache())

    workshop.run(cached)
    again = workshop.run(cached)

    assert [attempt.outcome for attempt in workshop.attempts(again)] == [Outcome.FAILED]


def test_parts_are_told_while_the_attempt_goes(workshop: Workshop) -> None:
    parts = """
print('::{"parts": [{"name": "orders", "status": "running"}, {"name": "users", "status": "running"}]}::', flush=True)
import time
time.sleep(1)
print('::{"parts": [{"name": "orders", "status": "success"}]}::', flush=True)
"""
    run_id = workshop.start(python("dbt", parts))
    worker = workshop.worker()
    workshop.until(worker, lambda: workshop.statuses(run_id).get("dbt#users") is StepStatus.RUNNING)

    workshop.finish(run_id)

    statuses = workshop.statuses(run_id)
    assert statuses["dbt#orders"] is StepStatus.SUCCESS
    assert statuses["dbt#users"] is StepStatus.CANCELLED


def test_a_script_is_told_which_of_its_parts_are_wanted(workshop: Workshop) -> None:
    look = """echo '::{"parts": [{"name": "orders", "status": "failed"}, {"name": "users", "status": "failed"}]}::'
[ "$PENSTOCK_ONLY" = orders ]"""
    run_id = workshop.run(shell("dbt", look))

    operate.restart_parts(workshop.core, run_id, "ann", ["dbt#orders"])
    workshop.finish(run_id)

    assert [attempt.outcome for attempt in workshop.attempts(run_id)] == [Outcome.FAILED, Outcome.DONE]


def test_a_working_directory_that_is_killed_leaves_nothing(workshop: Workshop) -> None:
    run_id = workshop.start(Folder(id="dir", nodes=(shell("a", "echo a > a; sleep 60"),)))
    worker = workshop.worker()
    workshop.until(worker, lambda: bool(folders(workshop)))

    verbs.kill(workshop.core, run_id, "ann")
    workshop.finish(run_id)

    assert workshop.of(run_id).status is RunStatus.KILLED
    workshop.until(worker, lambda: not folders(workshop))


def test_a_script_that_waits_for_something_looks_again_without_a_process_in_between(workshop: Workshop) -> None:
    look = shell(
        "look", """test -f {{ vars.flag }} && echo there || { touch {{ vars.flag }}; echo '::{"snooze": 0.3}::'; }"""
    )
    flag = workshop.folder / "flag"

    run_id = workshop.run(look, variables={"flag": str(flag)})

    assert [attempt.outcome for attempt in workshop.attempts(run_id)] == [Outcome.SNOOZED, Outcome.DONE]
    assert "there" in workshop.log(run_id, "look")


def test_a_sensor_looks_as_often_as_its_task_says_and_gives_up_softly(workshop: Workshop) -> None:
    look = shell("look", """echo '::{"snooze": true}::'""")
    sensor = Sensor(interval=SECOND // 5, longest=SECOND, soft=True)

    run_id = workshop.run(Task(id="look", type=look.type, properties=look.properties, sensor=sensor))

    assert workshop.statuses(run_id)["look"] is StepStatus.SKIPPED
    assert workshop.of(run_id).status is RunStatus.SUCCESS
