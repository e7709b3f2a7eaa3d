"""Do tasks change the variables of their run, and end it, as the language says?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.dialects.kestra import INSTALLED, read
from penstock.model.node import Task
from penstock.testing import Harness
from tests.worker.workshop import Workshop, shell

HEAD = "id: orders\nnamespace: shop\nvariables: {day: monday, deep: {a: 1}}\ntasks:\n"
CORE = "io.kestra.plugin.core.execution"


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as opened:
        yield opened


def value(harness: Harness, tasks: str) -> object:
    ran = harness.run(f"{HEAD}{tasks}  - {{id: r, type: return, format: '{{{{ vars }}}}'}}\n")
    ran.assert_status("success")
    outputs = ran.step("r").outputs
    assert outputs is not None
    return outputs["value"]


def test_variables_are_set_merged_and_removed(harness: Harness) -> None:
    tasks = f"  - {{id: s, type: {CORE}.SetVariables, variables: {{n: '{{{{ 1 + 1 }}}}', deep: {{b: 2}}}}}}\n"
    tasks += f"  - {{id: u, type: {CORE}.UnsetVariables, variables: [day, deep.a]}}\n"

    assert value(harness, tasks) == '{"deep":{"b":2},"n":"2"}'


def test_variables_may_come_from_a_template(harness: Harness) -> None:
    given = "{{ {'n': [1, 2]} }}"

    tasks = f'  - {{id: s, type: variables.set, overwrite: "{{{{ false }}}}", variables: "{given}"}}\n'

    assert value(harness, tasks) == '{"day":"monday","deep":{"a":1},"n":[1,2]}'


def test_a_variable_that_is_there_is_not_overwritten_unless_wanted(harness: Harness) -> None:
    ran = harness.run(f"{HEAD}  - {{id: s, type: variables.set, overwrite: false, variables: {{day: friday}}}}\n")

    ran.assert_status("failed")
    assert "are there already: day." in str(ran)


@pytest.mark.parametrize("state", ["SUCCESS", "WARNING", "FAILED", "CANCELLED", "CANCELED", "KILLED"])
def test_a_task_ends_its_run_in_a_state(harness: Harness, state: str) -> None:
    tasks = f"  - {{id: x, type: {CORE}.Exit, state: {state}}}\n  - {{id: after, type: log, message: never}}\n"

    ran = harness.run(HEAD + tasks)

    ran.assert_status({"CANCELED": "cancelled"}.get(state, state.lower()))
    assert "after" not in ran.statuses


def test_orders_come_from_a_worker_as_well(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    setting = Task(id="s", type="variables.set", properties={"variables": {"n": 5}})
    run_id = workshop.run(setting, Task(id="x", type="exit", properties={"state": "WARNING"}), shell("after", "true"))
    run = workshop.of(run_id)
    workshop.close()

    assert (run.status, run.variables) == ("warning", {"n": 5})


def test_names_that_a_task_sets_are_known_and_others_are_not() -> None:
    told = {}
    for name in ("n", "day", "deep.b", "typo"):
        tasks = "  - {id: s, type: variables.set, variables: {n: 1, deep: {b: 2}}}\n"
        text = f"{HEAD}{tasks}  - {{id: l, type: log, message: '{{{{ vars.{name} }}}}'}}\n"
        told[name] = [problem.code for problem in read(text, types=INSTALLED).problems]

    assert told == {"n": [], "day": [], "deep.b": [], "typo": ["PS-102"]}


def test_an_order_that_makes_no_sense_is_refused(harness: Harness) -> None:
    ran = harness.run(f"{HEAD}  - {{id: x, type: exit, state: \"{{{{ 'RUNNING' }}}}\"}}\n")

    ran.assert_status("failed")
    ran.assert_logged("RUNNING", "x")
