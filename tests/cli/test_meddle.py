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


def test_all_that_fit_are_resumed_and_one_that_cannot_be_keeps_no_other_from_it(penstock: Penstock) -> None:
    ids = [penstock("run", written("waits.yml", WAITS), "--no-wait", "-q").out.strip() for _ in range(3)]
    penstock("runs", "resume", ids[0], "ask", "-i", "why=first")

    named = penstock("runs", "resume", "--flow", "play.waits", "--status", "paused", "ask", "-i", "why=all", "-y")
    again = penstock("runs", "resume", "--flow", "play.waits", "ask", "-i", "why=all", "-y")

    assert (named.code, sorted(named.out.split()[::2])) == (0, sorted(ids[1:]))
    assert (again.code, again.err.count("PS-315")) == (2, 3)
    assert "`penstock worker` goes on with it" in named.err


def test_runs_that_somebody_paused_are_all_resumed(penstock: Penstock) -> None:
    for _ in range(2):
        penstock("run", written("fails.yml", FAILS), "--no-wait", "-q")

    paused = penstock("runs", "pause", "--flow", "fails", "-y")
    resumed = penstock("runs", "resume", "--flow", "fails", "-y")

    assert paused.out.count("paused") == 2
    assert (resumed.code, resumed.out.count("running")) == (0, 2)


def test_a_step_of_all_that_fit_is_skipped_marked_and_all_are_done_again(penstock: Penstock) -> None:
    for name in ("one", "two"):
        penstock("run", written("fails.yml", FAILS), "-l", f"name={name}", "-q")

    marked = penstock("runs", "mark", "--flow", "fails", "--status", "failed", "bad", "success", "-y")
    skipped = penstock("runs", "skip", "--flow", "fails", "-y", "tell")
    worked = penstock("worker", "--until-idle")
    replayed = penstock("runs", "replay", "--having", "name=two", "-l", "name=three", "-y", "-q")
    refused = penstock("runs", "mark", "--flow", "fails", "--status", "queued", "bad", "success", "-y")

    assert marked.out.count("running") == 2
    assert skipped.out.count("\n") == 2
    assert worked.code == 0
    assert replayed.out.count("\n") == 1
    assert "skipped" in penstock("runs", "show", skipped.out.split()[0]).out
    assert (refused.code, refused.err) == (0, "No run fits.\n")


def test_how_many_fit_is_asked_in_good_grammar_and_what_had_ended_is_told(penstock: Penstock) -> None:
    penstock("run", written("waits.yml", WAITS), "--no-wait", "-q")

    asked = penstock("runs", "kill", "--flow", "play.waits")
    killed, again = penstock("runs", "kill", "last"), penstock("runs", "kill", "last")

    assert "1 run fits. Go on?" in asked.err
    assert killed.err.count("\n") == 1 and killed.err.startswith("The last run is ")
    assert "Had ended before: " in again.err
