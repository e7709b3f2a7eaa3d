"""Can one task be tried with what another run handed on, and is nothing of it kept?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli.conftest import Penstock

FLOW = """id: etl
namespace: play
inputs:
  - {id: who, type: STRING, defaults: world}
tasks:
  - {id: extract, type: output.values, values: {rows: 3}}
  - id: each
    type: foreach
    values: [x, y]
    tasks:
      - {id: one, type: return, format: "{{ taskrun.value }} of {{ outputs.extract['values'].rows }}"}
  - {id: load, type: return, format: "{{ inputs.who }} {{ outputs.one.y.value }}"}
"""


def test_a_task_as_it_is_now_written_finds_what_another_run_handed_on(folder: Path, penstock: Penstock) -> None:
    (folder / "etl.yml").write_text(FLOW)
    assert penstock("run", "etl.yml", "-q").code == 0
    (folder / "etl.yml").write_text(FLOW.replace("{{ inputs.who }} ", "for {{ inputs.who }}: "))

    done = penstock("run", "etl.yml", "--only", "load", "--from", "last", "-i", "who=me")

    assert done.out == 'load={"value":"for me: y of 3"}\n'
    listed: Any = penstock("runs", "list", "--json").json()
    assert len(listed) == 1
    stored: Any = penstock("flows", "list", "--json").json()
    assert stored[0]["revision"] == 1


def test_a_task_in_a_loop_is_tried_for_one_of_its_values(folder: Path, penstock: Penstock) -> None:
    (folder / "etl.yml").write_text(FLOW)
    penstock("run", "etl.yml", "-q")

    vague = penstock("run", "etl.yml", "--only", "one", "--from", "last")
    done: Any = penstock("run", "etl.yml", "--only", "each[1]/one", "--from", "last", "--json").json()

    assert "each[0]/one" in vague.err
    steps = {step["key"]: step for step in done["steps"]}
    assert steps["each[0]/one"]["outputs"] == {"value": "y of 3"}


def test_what_does_not_exist_is_told_with_the_nearest(folder: Path, penstock: Penstock) -> None:
    (folder / "etl.yml").write_text(FLOW)

    assert 'Did you mean "extract"?' in penstock("run", "etl.yml", "--only", "extrct").err
    assert penstock("run", "etl.yml", "--from", "last").code == 2
