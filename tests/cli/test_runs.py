"""Can runs be listed, shown, read, killed, restarted and replayed from the command line?"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Penstock

STEPS = """id: steps
namespace: play
inputs:
  - {id: fail, type: BOOLEAN, defaults: true}
tasks:
  - {id: first, type: return, format: one}
  - {id: second, type: fail, runIf: "{{ inputs.fail }}", errorMessage: no}
  - {id: third, type: log, message: three}
"""


def test_the_list_is_newest_first_and_can_be_narrowed(penstock: Penstock, folder: Path) -> None:
    (folder / "steps.yml").write_text(STEPS)
    penstock("run", "hello.yml", "-q", "-l", "team=core")
    penstock("run", "steps.yml", "-q")

    every: Any = penstock("runs", "list", "--json").json()
    failed: Any = penstock("runs", "list", "--status", "failed", "--json").json()
    labelled: Any = penstock("runs", "list", "--label", "team=core", "--json").json()
    flow: Any = penstock("runs", "list", "--flow", "play.hello", "--json").json()
    late: Any = penstock("runs", "list", "--until", "2001-01-01", "--json").json()

    assert [run["flow"] for run in every] == ["steps", "hello"]
    assert [run["flow"] for run in failed] == ["steps"]
    assert [run["flow"] for run in labelled] == ["hello"]
    assert [run["flow"] for run in flow] == ["hello"]
    assert late == []


def test_the_list_is_a_table_for_people_with_the_next_page_named(penstock: Penstock) -> None:
    penstock("run", "hello.yml", "-q")
    penstock("run", "hello.yml", "-q")

    done = penstock("runs", "list", "--limit", "1")

    head, row = done.out.splitlines()
    assert head.split() == ["ID", "FLOW", "STATUS", "STARTED", "TOOK", "BY"]
    assert "play.hello" in row
    assert "--before" in done.err


def test_show_tells_steps_inputs_and_outputs(penstock: Penstock) -> None:
    penstock("run", "hello.yml", "-q", "-i", "who=you")

    done = penstock("runs", "show", "last")

    assert "✓ play.hello" in done.out
    assert "✓ greet" in done.out
    assert "who = you" in done.out
    assert "said = Hello, you" in done.out


def test_the_newest_run_goes_by_the_name_last_and_it_is_told_which_one_that_is(penstock: Penstock) -> None:
    penstock("run", "hello.yml", "-q", "-i", "who=you")
    told: Any = penstock("run", "hello.yml", "--json").json()

    done = penstock("runs", "show", "last", "--json")

    assert json.loads(done.out)["id"] == told["id"]
    assert done.err == f"The last run is {told['id']}: play.hello, success.\n"


def test_a_part_of_an_id_is_enough(penstock: Penstock) -> None:
    told: Any = penstock("run", "hello.yml", "--json").json()

    done = penstock("runs", "show", told["id"][-6:], "--json")

    assert json.loads(done.out)["id"] == told["id"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("0" * 26, "There is no run"), ("zzzzzz", "no run whose id has"), ("ab", "too short"), ("01", "too short")],
)
def test_an_id_that_means_no_run_is_told(penstock: Penstock, text: str, sentence: str) -> None:
    penstock("run", "hello.yml", "-q")

    done = penstock("runs", "show", text)

    assert done.code == 2
    assert sentence in done.err


def test_nothing_to_look_at_yet_is_told_and_makes_no_store(penstock: Penstock, folder: Path) -> None:
    done = penstock("runs", "list")

    assert done.code == 2
    assert "Nothing has been kept here yet" in done.err
    assert not (folder / ".penstock").exists()


def test_logs_are_data_by_step_level_and_end(penstock: Penstock, folder: Path) -> None:
    (folder / "steps.yml").write_text(STEPS)
    penstock("run", "steps.yml", "-q", "-i", "fail=false")

    every = penstock("runs", "logs", "last")
    step = penstock("runs", "logs", "last", "--step", "third")
    bad = penstock("runs", "logs", "last", "--level", "error")
    lines = [json.loads(line) for line in penstock("runs", "logs", "last", "--json").out.splitlines()]
    followed = penstock("runs", "logs", "last", "--follow", "--raw")

    assert "third │ three\n" in every.out
    assert step.out == "three\n"
    assert bad.out == ""
    assert {line["step"] for line in lines} >= {"third"}
    assert "three\n" in followed.out


def test_a_restart_goes_on_from_what_failed_and_keeps_the_attempts(penstock: Penstock, folder: Path) -> None:
    (folder / "steps.yml").write_text(STEPS)
    first: Any = penstock("run", "steps.yml", "--json").json()

    again: Any = penstock("runs", "restart", "last", "--json").json()

    assert again["id"] == first["id"]
    assert again["status"] == "failed"
    attempts = {step["task"]: [attempt["status"] for attempt in step["attempts"]] for step in again["steps"]}
    assert attempts == {"first": ["success"], "second": ["failed", "failed"]}
    assert [moment["by"] != "" for moment in again["history"]] == [True, False, False, True, False]
    assert "gone on with" in penstock("runs", "show", "last").out


def test_a_success_cannot_be_restarted_but_replayed(penstock: Penstock) -> None:
    penstock("run", "hello.yml", "-q")

    refused = penstock("runs", "restart", "last")
    replayed: Any = penstock("runs", "replay", "last", "-i", "who=again", "--json").json()

    assert refused.code == 2
    assert "replay" in refused.err
    assert replayed["outputs"] == {"said": "Hello, again"}
    assert replayed["origin"]


def test_a_replay_from_a_step_keeps_what_came_before(penstock: Penstock, folder: Path) -> None:
    (folder / "steps.yml").write_text(STEPS)
    old: Any = penstock("run", "steps.yml", "--json").json()

    done = penstock("runs", "replay", old["id"], "--from", "second", "-i", "fail=false", "--json")

    new: Any = done.json()
    assert done.code == 0
    assert new["id"] != old["id"]
    assert {step["task"]: step["status"] for step in new["steps"]} == {
        "first": "success",
        "second": "skipped",
        "third": "success",
    }


def test_replaying_from_a_step_that_is_not_there_is_a_wrong_call(penstock: Penstock) -> None:
    penstock("run", "hello.yml", "-q")

    done = penstock("runs", "replay", "last", "--from", "nowhere")

    assert done.code == 2
    assert "nowhere" in done.err


def test_a_run_that_waits_for_a_worker_can_be_killed(penstock: Penstock) -> None:
    started = penstock("run", "hello.yml", "--no-wait").out.strip()

    done = penstock("runs", "kill", started)

    told: Any = penstock("runs", "show", started, "--json").json()
    assert done.code == 0
    assert done.out.split() == [started, "killed"]
    assert told["killed_by"]


def test_a_run_that_goes_on_is_not_restarted_and_the_way_is_told(penstock: Penstock) -> None:
    started = penstock("run", "hello.yml", "--no-wait").out.strip()

    done = penstock("runs", "restart", started)

    assert done.code == 2
    assert f"penstock run {started}" in done.err


def test_a_restart_tells_what_is_new_and_not_the_whole_story_again(penstock: Penstock, folder: Path) -> None:
    (folder / "steps.yml").write_text(STEPS)
    first = penstock("run", "steps.yml")

    again = penstock("runs", "restart", "last")

    assert "first  success" in first.err
    assert "first  success" not in again.err
    assert "second  started (attempt 2)" in again.err
    assert "second  failed (attempt 2)" in again.err


def test_runs_are_verified_and_what_was_changed_is_told(penstock: Penstock, folder: Path) -> None:
    told: Any = penstock("run", "hello.yml", "--json").json()
    penstock("run", "hello.yml", "-q")

    sound = penstock("runs", "verify", "--all")
    with sqlite3.connect(folder / ".penstock" / "penstock.db") as light:
        light.execute("UPDATE steps SET status = 'failed' WHERE key = 'greet' AND run_id = ?", [told["id"]])
    light.close()
    wrong = penstock("runs", "verify", told["id"])
    every: Any = penstock("runs", "verify", "--all", "--json")

    assert (sound.code, sound.out) == (0, "")
    assert "2 runs of" in sound.err
    assert wrong.code == every.code == 4
    assert f'{told["id"]}\n  The column status of step "greet" is "failed"' in wrong.out
    assert [bool(one["differences"]) for one in every.json()] == [False, True]


def test_verify_wants_to_know_which_runs(penstock: Penstock) -> None:
    penstock("run", "hello.yml", "-q")

    assert penstock("runs", "verify").code == 2
    assert penstock("runs", "verify", "last", "--all").code == 2


def test_a_story_is_explained_whole_and_by_step(penstock: Penstock, folder: Path) -> None:
    (folder / "steps.yml").write_text(STEPS)
    penstock("run", "steps.yml", "-q")

    whole = penstock("runs", "explain", "last")
    step = penstock("runs", "explain", "last", "second")
    told: Any = penstock("runs", "explain", "last", "second", "--json").json()
    unknown = penstock("runs", "explain", "last", "secnd")

    assert 'attempt 1 of "first" is done' in whole.out
    assert "second  queued → failed  because it failed, and no retry policy is about it" in step.out
    assert 'attempt 1 of "first"' not in step.out.replace('attempt 1 of "first" is done', "", 1)
    assert told["chapters"][-1]["decided"][0]["rules"] == ["no_retry"]
    assert (unknown.code, 'Did you mean "second"?' in unknown.err) == (2, True)
