"""Are flows read as people write them, and do they run where they need nothing from outside?

`written/` holds them by theme; `runs.yml` there says which are run, with which inputs, and what comes of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.dialects.kestra import INSTALLED, read
from penstock.errors import Severity
from penstock.testing import Harness

WRITTEN = Path(__file__).parent / "written"
FLOWS = sorted(WRITTEN.glob("*/*.yml"))
RUNS: dict[str, dict[str, Any]] = yaml.safe_load((WRITTEN / "runs.yml").read_text(encoding="utf-8"))
SECRETS = {"SLACK_WEBHOOK": "http://localhost:1/"}


def test_there_are_at_least_eighty_flows() -> None:
    assert len(FLOWS) >= 80


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_a_flow_is_read_without_a_problem(path: Path) -> None:
    found = read(path.read_bytes(), types=INSTALLED, file=path.name)

    assert found.flow is not None
    assert [each for each in found.problems if each.severity is not Severity.NOTE] == []


@pytest.mark.parametrize("name", RUNS)
def test_a_flow_runs_as_its_author_would_see_it(name: str) -> None:
    asked = RUNS[name]
    with Harness(secrets=SECRETS) as harness:
        for other in asked.get("others", []):
            harness.push((WRITTEN / f"{other}.yml").read_text(encoding="utf-8"))

        done = harness.run((WRITTEN / f"{name}.yml").read_text(encoding="utf-8"), asked.get("inputs"))

    made = {f"{step.task}": step.outputs.get("value") for step in done.document.steps}
    assert done.document.status == asked["ends"], done
    assert done.document.outputs == asked.get("gives", {})
    assert {task: made[task] for task in asked.get("makes", {})} == asked.get("makes", {})
