"""Do the verbs about runs do what they say, for one run and for all that fit?"""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Penstock

WAITS = """
id: waits
namespace: play
tasks:
  - id: ask
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - id: why
        type: STRING
  - id: tell
    type: log
    message: "{{ outputs.ask.onResume.why }}"
"""
FAILS = """
id: fails
namespace: play
tasks:
  - id: bad
    type: fail
  - id: tell
    type: log
    message: hello
"""


def written(name: str, text: str) -> str:
    """A flow file in the project's folder."""
    Path(name).write_text(text)
    return name


def test_a_run_that_waits_is_resumed_with_values(penstock: Penstock) -> None:
    penstock("run", written("waits.yml", WAITS), "--no-wait", "-q")

    refused = penstock("runs", "resume", "last")
    resumed = penstock("runs", "resume", "last", "ask", "-i", "why=because")

    assert refused.code != 0
    assert '"why" (STRING) is required' in refused.err
    assert resumed.out.endswith("running\n")


def test_a_step_is_marked_and_its_run_goes_on(penstock: Penstock) -> None:
    penstock("run", written("fails.yml", FAILS), "-q")

    marked = penstock("runs", "mark", "last", "bad", "success", "--reason", "done by hand")
    gone_on = penstock("run", marked.out.split()[0], "-q")

    assert marked.out.endswith("running\n")
    assert gone_on.code == 0
    assert "tell" in penstock("runs", "show", "last").out


def test_all_runs_that_fit_are_paused_resumed_and_killed(penstock: Penstock) -> None:
    for _ in range(3):
        penstock("run", written("waits.yml", WAITS), "--no-wait", "-q")

    paused = penstock("runs", "pause", "--flow", "play.waits", "--status", "paused", "-y")
    killed = penstock("runs", "kill", "--flow", "play.waits", "-y")

    assert paused.out.count("paused") == 3
    assert killed.out.count("killed") == 3
    assert penstock("runs", "kill", "--flow", "play.waits", "--status", "running", "-y").out == ""


def test_who_names_neither_runs_nor_what_fits_is_told(penstock: Penstock) -> None:
    refused = penstock("runs", "pause")

    assert refused.code == 2
    assert "--flow" in refused.err
