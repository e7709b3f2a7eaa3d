"""Do all tables hold what was sent, once, whoever is killed while it goes through?"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from projects.lakehouse.services.stack import Stack
from tests.acceptance.observe import eventually
from tests.lakehouse.ordeal import SIX, Ordeal, told
from tests.lakehouse.pipeline import FLOW, copied

pytestmark = [pytest.mark.acceptance, pytest.mark.long, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def ordeal(lakehouse: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordeal]:
    """A project whose jobs go on from test to test."""
    made = Ordeal(lakehouse, copied(lakehouse, tmp_path_factory.mktemp("ordeal")))
    yield made
    if made.sent:
        made.leave()


def test_a_taskmanager_is_killed_between_checkpoints(ordeal: Ordeal) -> None:
    with ordeal.telling("TaskManager"):
        ordeal.warm()
        going = ordeal.send()
        ordeal.amid(going)
        ordeal.between(going)
        at = time.time()
        ordeal.stack.taskmanager.crash()
        ordeal.recovered("TaskManager killed", at)
        ordeal.passes(going)


def test_a_jobmanager_is_killed_while_events_come(ordeal: Ordeal) -> None:
    with ordeal.telling("JobManager"):
        ordeal.warm()
        going = ordeal.send()
        ordeal.amid(going)
        at = time.time()
        ordeal.stack.jobmanager.crash()
        ordeal.recovered("JobManager killed while events come", at)
        ordeal.passes(going)


def test_a_jobmanager_is_killed_while_the_flow_waits(ordeal: Ordeal) -> None:
    with ordeal.telling("JobManager while the flow waits"):
        ordeal.warm()
        going = ordeal.send()
        going.says("through[0]/bronze  started", ordeal.stack.mend)
        at = time.time()
        ordeal.stack.jobmanager.crash()
        going.says("bronze_lives  started", ordeal.stack.mend)
        ordeal.recovered("JobManager killed while the flow waits", at)
        ordeal.passes(going)


def test_kafka_is_killed_in_mid_produce(ordeal: Ordeal) -> None:
    with ordeal.telling("Kafka"):
        ordeal.warm()
        going = ordeal.send()
        held = ordeal.amid(going)
        at = time.time()
        ordeal.stack.kafka.crash()
        ordeal.until(ordeal.stack.kafka.answers, "Kafka answers")
        ordeal.until(lambda: ordeal.held() > held, "further events come")
        told("Kafka killed in mid-produce", at, "further events")
        ordeal.passes(going)


def test_the_object_store_is_down_for_20_seconds_while_tables_are_written(ordeal: Ordeal) -> None:
    with ordeal.telling("S3"):
        ordeal.warm()
        going = ordeal.send()
        ordeal.amid(going)
        at = time.time()
        ordeal.stack.s3.crash()
        eventually(lambda: time.time() > at + 20, "20 s", 30)
        ordeal.recovered("S3 down for 20 s", at)
        ordeal.passes(going)


def test_jobmanager_and_object_store_are_killed_at_once(ordeal: Ordeal) -> None:
    with ordeal.telling("JobManager and S3"):
        ordeal.warm()
        going = ordeal.send()
        ordeal.amid(going)
        at = time.time()
        ordeal.stack.jobmanager.crash()
        ordeal.stack.s3.crash()
        ordeal.recovered("JobManager and S3 killed", at)
        ordeal.passes(going)


def test_who_waits_is_killed_and_its_run_is_taken_up_by_its_id(ordeal: Ordeal) -> None:
    with ordeal.telling("penstock run"):
        ordeal.warm()
        going = ordeal.send()
        going.says("submit_flink_silver  success", ordeal.stack.mend)
        # what is in the topic cannot come through before the one that waits is dead
        os.kill(ordeal.stack.taskmanager.pid, signal.SIGSTOP)
        going.says("through[0]/bronze  started", ordeal.stack.mend)
        going.process.kill()
        going.ended()
        at = time.time()
        os.kill(ordeal.stack.taskmanager.pid, signal.SIGCONT)
        again = ordeal.begin("run", going.run_id())
        again.says("through[0]/bronze", ordeal.stack.mend)
        told("penstock run killed while it waits", at, "the wait was taken up")
        assert again.ended(ordeal.stack.mend) == 0, again.said
        ordeal.right(going)
        assert "generate_events  started" not in again.said


def test_a_worker_that_waits_is_killed_and_another_goes_on(ordeal: Ordeal) -> None:
    with ordeal.telling("penstock worker"):
        ordeal.warm()
        first = ordeal.begin("worker")
        started = ordeal.send(0, how=("run", "--no-wait", FLOW))
        assert started.ended() == 0, started.said
        first.says("step=through[0]/sent attempt=1 outcome=done", ordeal.stack.mend)
        first.process.kill()
        first.ended()
        at = time.time()
        second = ordeal.begin("worker")
        second.says("step=through[0]/silver", ordeal.stack.mend)
        told("penstock worker killed while it waits", at, "the wait was over")
        following = ordeal.begin("run", started.said.split()[0])
        assert following.ended(ordeal.stack.mend) == 0, second.said + following.said
        assert "step=dbt_build attempt=1 outcome=done" in second.said, second.said + following.said
        ordeal.right(following)


def test_a_run_that_is_killed_in_each_of_its_tasks_is_restarted_to_a_right_end(ordeal: Ordeal) -> None:
    with ordeal.telling("killed in each task"):
        ordeal.fresh()
        going = first = ordeal.send()
        for step in SIX.values():
            going.says(f"{step}  started", ordeal.stack.mend)
            if step == "generate_events":
                ordeal.amid(going)
            going.process.send_signal(signal.SIGINT)
            assert going.ended(ordeal.stack.mend) != 0, going.said
            going = ordeal.begin("runs", "restart", first.run_id())
        assert going.ended(ordeal.stack.mend) == 0, going.said
        ordeal.right(first)


def test_a_run_is_replayed_from_each_of_its_tasks(ordeal: Ordeal) -> None:
    with ordeal.telling("replayed from each task"):
        ordeal.warm()
        going = ordeal.send(0)
        ordeal.passes(going)
        for task in SIX:
            again = ordeal.begin("runs", "replay", going.run_id(), "--from", task)
            assert again.ended(ordeal.stack.mend) == 0, again.said
            ordeal.right(going)


@pytest.mark.parametrize("mode", ["streaming", "bounded"])
def test_the_whole_flow_runs_twice(ordeal: Ordeal, mode: str) -> None:
    with ordeal.telling(f"twice, {mode}"):
        ordeal.leave()
        ordeal.fresh()
        ordeal.passes(ordeal.send(0, mode=mode))
        ordeal.passes(ordeal.send(0, 0, mode=mode))
