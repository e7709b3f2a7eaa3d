"""Can people test their flows in a process, with fixtures and a clock held by hand?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.errors.project import InvalidFlows, NoSuchFile, WrongCall
from penstock.errors.run import InvalidInput
from penstock.testing import Call, Fixture, Harness, fails, gives, skips, warns

LOAD = """
id: load
namespace: shop
inputs:
  - {id: day, type: DATE, defaults: 2016-01-02}
tasks:
  - id: extract
    type: shell.commands
    commands: ["extract {{ inputs.day }}"]
    retry: {type: constant, interval: PT5M, maxAttempts: 3}
  - id: say
    type: log
    message: "{{ outputs.extract.vars.rows }} rows"
errors:
  - id: record
    type: log
    message: "it failed: {{ error.message }}"
outputs:
  - {id: rows, type: INT, value: "{{ outputs.extract.vars.rows }}"}
"""


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as opened:
        yield opened


def test_a_fixture_stands_for_a_task_and_the_others_are_really_done(harness: Harness) -> None:
    ran = harness.run(LOAD, tasks={"extract": gives(vars={"rows": 3})})

    ran.assert_status("success")
    ran.assert_steps({"extract": "success", "say": "success"})
    ran.assert_outputs({"rows": 3})
    ran.assert_logged("3 rows", "say")
    ran.assert_order(["extract", "say"])


def test_a_fixture_sees_the_rendered_properties(harness: Harness) -> None:
    seen: list[Call] = []

    def extract(call: Call) -> dict[str, object]:
        seen.append(call)
        return {"outputs": {"vars": {"rows": 1}}}

    harness.run(LOAD, {"day": "2016-02-03"}, tasks={"extract": extract})

    assert seen[0].properties["commands"] == ["extract 2016-02-03"]
    assert seen[0].type == "shell.commands"


def test_retries_wait_on_the_clock_of_the_test_and_not_on_ours(harness: Harness) -> None:
    before = harness.clock.now()

    ran = harness.run(LOAD, tasks={"extract": [fails("S3 is down"), fails("S3 is down"), gives(vars={"rows": 1})]})

    ran.assert_status("success")
    assert len(ran.step("extract").attempts) == 3
    assert harness.clock.now() - before >= 10 * 60 * 1_000_000


def test_a_failure_takes_the_errors_branch(harness: Harness) -> None:
    ran = harness.run(LOAD, tasks={"extract": fails("S3 is down", exit_code=4)})

    ran.assert_status("failed")
    ran.assert_steps({"extract": "failed", "record": "success"})
    ran.assert_logged("it failed: S3 is down")
    assert ran.step("extract").attempts[-1].exit_code == 4
    assert "say" not in ran.statuses


def test_an_exception_is_a_failure_too(harness: Harness) -> None:
    ran = harness.run(LOAD, tasks={"extract": ValueError("bad row")})

    ran.assert_status("failed")
    assert "ValueError: bad row" in ran.logs("extract")


@pytest.mark.parametrize(("fixture", "status"), [(warns("late"), "warning"), (skips(), "skipped")])
def test_a_task_may_warn_or_skip(harness: Harness, fixture: Fixture, status: str) -> None:
    flow = "id: f\nnamespace: shop\ntasks:\n  - {id: one, type: shell.commands, commands: [x]}\n"

    ran = harness.run(flow, tasks={"one": fixture})

    ran.assert_steps({"one": status})


def test_a_restart_goes_on_from_what_failed(harness: Harness) -> None:
    run = harness.run(LOAD, tasks={"extract": fails()})

    ran = harness.restart(run.id, tasks={"extract": gives(vars={"rows": 2})})

    ran.assert_status("success")
    assert len(ran.step("extract").attempts) == 4


def test_a_replay_keeps_what_came_before_its_step(harness: Harness) -> None:
    first = harness.run(LOAD, tasks={"extract": gives(vars={"rows": 2})})

    again = harness.replay(first.id, from_step="say")

    again.assert_status("success")
    assert again.id != first.id
    assert not again.calls_of("extract")
    again.assert_logged("2 rows", "say")


def test_a_task_that_starts_a_process_asks_for_its_fixture(harness: Harness) -> None:
    ran = harness.run(LOAD)

    ran.assert_status("failed")
    assert 'tasks={"extract": gives(…)}' in (ran.document.error.message if ran.document.error else "")


def test_loops_take_fixtures_by_the_key_of_one_round(harness: Harness) -> None:
    flow = """
id: loop
namespace: shop
tasks:
  - id: each
    type: foreach
    values: [a, b]
    tasks:
      - {id: work, type: shell.commands, commands: ["{{ taskrun.value }}"]}
"""

    ran = harness.run(flow, tasks={"work": gives(), "each[1]/work": fails("b is bad")})

    ran.assert_steps({"each[0]/work": "success", "each[1]/work": "failed"})
    assert ran.step("each[1]/work").value == "b"
    assert ran.step("each[1]/work").iteration == 1


def test_subflows_run_with_the_fixtures_of_their_caller(harness: Harness) -> None:
    harness.push("id: child\nnamespace: shop\ntasks:\n  - {id: inner, type: shell.commands, commands: [x]}\n")
    flow = "id: parent\nnamespace: shop\ntasks:\n  - {id: call, type: subflow, namespace: shop, flowId: child}\n"

    ran = harness.run(flow, tasks={"inner": gives()})

    ran.assert_status("success")
    assert [child.status for child in ran.document.children] == ["success"]


def test_time_passes_only_when_it_is_told_to(harness: Harness) -> None:
    run_id = harness.start(LOAD, tasks={"extract": [fails(), gives(vars={"rows": 1})]})

    harness.step()
    assert harness.ran(run_id).statuses["extract"] == "retrying"
    harness.advance("PT4M59S")
    assert not harness.step()
    harness.advance(1)

    assert harness.step()
    assert harness.finish(run_id).status == "success"


def test_a_run_can_be_killed_between_two_steps(harness: Harness) -> None:
    run_id = harness.start(LOAD, tasks={"extract": [fails(), gives(vars={"rows": 1})]})
    harness.step()

    harness.kill(run_id)

    assert harness.finish(run_id).status == "killed"


def test_secrets_keys_and_environment_are_the_tests_own() -> None:
    flow = (
        "id: f\nnamespace: shop\ntasks:\n"
        "  - {id: one, type: return, format: \"{{ secret('TOKEN') }} {{ kv('colour') }} {{ envs.place }}\"}\n"
    )
    with Harness(secrets={"token": "s3cret"}, environ={"ENV_PLACE": "here"}) as harness:
        harness.set_kv("shop", colour="blue")

        ran = harness.run(flow)

        assert ran.step("one").outputs["value"] == "s3cret blue here"


def test_sleeping_takes_the_tests_time(harness: Harness) -> None:
    before = harness.clock.now()

    ran = harness.run("id: f\nnamespace: shop\ntasks:\n  - {id: nap, type: sleep, duration: PT8H}\n")

    ran.assert_status("success")
    assert harness.clock.now() - before == 8 * 3600 * 1_000_000


def test_a_failing_assertion_shows_the_whole_run(harness: Harness) -> None:
    ran = harness.run(LOAD, tasks={"extract": fails("S3 is down")})

    with pytest.raises(AssertionError, match=r"(?s)not success.*extract: failed, 3 attempts.*S3 is down"):
        ran.assert_status("success")


def test_a_flow_with_errors_and_a_wrong_input_are_told(harness: Harness) -> None:
    with pytest.raises(InvalidFlows) as told:
        harness.run("id: f\nnamespace: shop\ntasks:\n  - {id: one, type: nonsense}\n")
    assert "nonsense" in told.value.problems[0].sentence
    with pytest.raises(InvalidInput):
        harness.run(LOAD, {"dya": "2016-01-01"})
    with pytest.raises(NoSuchFile):
        harness.run("nowhere.yml")


def test_a_fixture_that_nobody_can_read_is_refused(harness: Harness) -> None:
    with pytest.raises(WrongCall, match="cannot be read"):
        harness.run(LOAD, tasks={"extract": {"rows": 3}})


def test_a_file_is_run_with_the_flows_beside_it(harness: Harness, tmp_path: Path) -> None:
    (tmp_path / "child.yml").write_text("id: child\nnamespace: shop\ntasks:\n  - {id: hi, type: log, message: hi}\n")
    (tmp_path / "parent.yml").write_text(
        "id: parent\nnamespace: shop\ntasks:\n  - {id: call, type: subflow, namespace: shop, flowId: child}\n"
    )

    ran = harness.run(tmp_path / "parent.yml")

    ran.assert_status("success")
