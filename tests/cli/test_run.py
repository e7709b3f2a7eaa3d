"""Does `penstock run` run a flow here, tell it as it should, and end with its status?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import HELLO, Penstock

FAILING = """id: failing
namespace: play
tasks:
  - {id: first, type: log, message: one}
  - {id: bad, type: fail, errorMessage: no more}
  - {id: last, type: log, message: never}
"""


def test_outputs_go_to_stdout_and_the_story_to_stderr(penstock: Penstock) -> None:
    done = penstock("run", "hello.yml", "-i", "who=you")

    assert done.code == 0
    assert done.out == "said=Hello, you\n"
    assert "say  │ Hello, you!" in done.err
    assert "success" in done.err.splitlines()[-1]


POLLING = """id: polling
namespace: play
tasks:
  - id: poll
    type: loop_until
    condition: "{{ outputs.poll.iterationCount >= 30 }}"
    checkFrequency: {maxIterations: 100, interval: PT0S}
    tasks: [{id: look, type: log, message: "look {{ taskrun.iteration }}"}]
"""


def test_every_round_of_a_loop_is_told_though_the_last_alone_is_kept(penstock: Penstock, folder: Path) -> None:
    (folder / "polling.yml").write_text(POLLING)

    done = penstock("run", "polling.yml")
    shown = penstock("runs", "show", "last")

    assert done.code == 0
    lines = [line.partition("  ")[2] for line in done.err.splitlines()]
    assert [line for line in lines if "│ look" in line] == [f"poll[{n}]/look  │ look {n}" for n in range(30)]
    assert sum("/look  success" in line for line in lines) == 30
    assert "poll  round 30 of at most 100" in lines
    assert "✓ poll  30 rounds" in shown.out
    assert "poll[28]" not in shown.out


NUMBERS = """id: numbers
namespace: play
tasks:
  - id: count
    type: metric.publish
    metrics:
      - {name: rows, type: counter, value: 1200, tags: {table: a}}
      - {name: rows, type: counter, value: 34, tags: {table: a}}
      - {name: lag, type: gauge, value: 7}
      - {name: lag, type: gauge, value: 5}
      - {name: load, type: timer, value: PT1.5S}
"""


def test_what_steps_recorded_is_shown_once_each(penstock: Penstock, folder: Path) -> None:
    (folder / "numbers.yml").write_text(NUMBERS)

    done = penstock("run", "numbers.yml")
    shown = penstock("runs", "show", "last")

    assert done.code == 0, done.err
    assert shown.out.endswith("\nnumbers of count\n  rows = 1,234  table=a\n  lag = 5\n  load = 1.5 s\n"), shown.out


def test_quiet_leaves_only_the_outputs(penstock: Penstock) -> None:
    done = penstock("run", "hello.yml", "-q")

    assert (done.code, done.out, done.err) == (0, "said=Hello, world\n", "")


def test_json_is_the_run_document(penstock: Penstock) -> None:
    done = penstock(
        "run", "hello.yml", "--json", "--label", "team=core", "--priority", "3", "--logical-date", "2016-01-02"
    )

    told: Any = done.json()
    assert (told["namespace"], told["flow"], told["revision"], told["status"]) == ("play", "hello", 1, "success")
    assert [moment["status"] for moment in told["history"]] == ["queued", "running", "success"]
    assert told["inputs"] == {"who": "world"}
    assert told["outputs"] == {"said": "Hello, world"}
    assert told["labels"]["team"] == "core"
    assert told["priority"] == 3
    assert told["logical_date"] == "2016-01-02T00:00:00.000Z"
    assert [(step["task"], step["status"]) for step in told["steps"]] == [("greet", "success"), ("say", "success")]
    assert told["steps"][0]["attempts"][0]["status"] == "success"
    assert told["steps"][0]["outputs"] == {"value": "Hello, world"}


def test_a_failed_run_ends_with_one_and_says_how_to_go_on(penstock: Penstock, folder: Path) -> None:
    (folder / "failing.yml").write_text(FAILING)

    done = penstock("run", "failing.yml")

    assert done.code == 1
    assert "bad  failed" in done.err
    assert "no more" in done.err
    assert "penstock runs restart" in done.err
    assert "never" not in done.err


def test_an_invalid_flow_ends_with_three_and_shows_the_place(penstock: Penstock, folder: Path) -> None:
    (folder / "bad.yml").write_text(HELLO.replace("type: log", "type: lgo").replace("inputs.who", "inputs.whom"))

    done = penstock("run", "bad.yml")

    assert done.code == 3
    assert 'bad.yml:7:21: error PS-214: There is no task type "lgo".' in done.err
    assert "^" in done.err
    assert "`inputs` has no `whom`" in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run", "nothere.yml"), "There is no file nothere.yml."),
        (("run", "helo.yml"), 'Did you mean "hello.yml"?'),
        (("run", "nowhere"), 'There is no file and no flow "nowhere".'),
        (("run", "hello.yml", "-i", "whoo=x"), 'Did you mean "who"?'),
        (("run", "hello.yml", "-i", "who"), '"who" is not name=value.'),
        (("run", "hello.yml", "--logical-date", "monday"), '"monday" is no instant.'),
        (("run", "hello.yml", "--label", "system.x=1"), "system"),
        (("run",), "Missing argument"),
        (("run", "hello.yml", "--nonsense"), "No such option"),
        (("run", "."), "is a folder"),
        (("nonsense",), "There is no command"),
    ],
)
def test_a_wrong_call_ends_with_two_and_says_why(penstock: Penstock, arguments: tuple[str, ...], sentence: str) -> None:
    done = penstock(*arguments)

    assert done.code == 2
    assert sentence in done.err
    assert not done.out


def test_the_same_text_is_the_same_revision_and_another_one_the_next(penstock: Penstock, folder: Path) -> None:
    penstock("run", "hello.yml", "-q")
    penstock("run", "hello.yml", "-q")
    (folder / "hello.yml").write_text(HELLO.replace("Hello", "Good day"))

    penstock("run", "hello.yml", "-q")

    runs: Any = penstock("runs", "list", "--json").json()
    assert [run["revision"] for run in runs] == [2, 1, 1]


def test_a_flow_that_was_run_can_be_named_afterwards(penstock: Penstock) -> None:
    penstock("run", "hello.yml", "-q")

    by_id, by_name = penstock("run", "hello", "-q"), penstock("run", "play.hello", "-q")

    assert by_id.out == by_name.out == "said=Hello, world\n"


def test_the_same_key_is_the_same_run(penstock: Penstock) -> None:
    first: Any = penstock("run", "hello.yml", "--key", "monday", "--json").json()

    again: Any = penstock("run", "hello.yml", "--key", "monday", "--json").json()

    assert first["id"] == again["id"]


def test_inputs_come_from_files_too(penstock: Penstock, folder: Path) -> None:
    (folder / "who.txt").write_text("a file")
    (folder / "inputs.yml").write_text("who: a map\n")

    typed = penstock("run", "hello.yml", "-q", "-i", "who=@who.txt")
    whole = penstock("run", "hello.yml", "-q", "--inputs", "inputs.yml")
    sign = penstock("run", "hello.yml", "-q", "-i", "who=@@home")

    assert typed.out == "said=Hello, a file\n"
    assert whole.out == "said=Hello, a map\n"
    assert sign.out == "said=Hello, @home\n"


def test_a_file_input_is_stored_where_tasks_find_it(penstock: Penstock, folder: Path) -> None:
    (folder / "data.csv").write_text("a,b\n1,2\n")
    (folder / "size.yml").write_text(
        "id: size\nnamespace: play\ninputs:\n  - {id: data, type: FILE}\ntasks:\n"
        '  - {id: read, type: return, format: "{{ read(inputs.data) }}"}\n'
        'outputs:\n  - {id: text, type: STRING, value: "{{ outputs.read.value }}"}\n'
    )

    done = penstock("run", "size.yml", "-q", "-i", "data=data.csv")

    assert done.out == "text=a,b\n1,2\n\n"


def test_a_process_runs_in_a_child_and_what_it_prints_is_told(penstock: Penstock, folder: Path) -> None:
    (folder / "shell.yml").write_text(
        "id: shell\nnamespace: play\ntasks:\n  - id: one\n    type: shell.commands\n"
        "    commands:\n      - echo out\n      - echo err >&2\n      - exit 7\n"
    )

    done = penstock("run", "shell.yml")
    told: Any = penstock("runs", "show", "last", "--json").json()

    assert done.code == 1
    assert "one  │ out" in done.err
    assert "one  │ err" in done.err
    assert told["steps"][0]["attempts"][0]["exit_code"] == 7
    assert told["error"]["kind"] == "exit"


def test_a_flow_finds_the_flows_beside_it(penstock: Penstock, folder: Path) -> None:
    (folder / "parent.yml").write_text(
        "id: parent\nnamespace: play\ntasks:\n  - {id: call, type: subflow, namespace: play, flowId: hello}\n"
    )

    done = penstock("run", "parent.yml", "--json")

    told: Any = done.json()
    assert told["status"] == "success"
    assert [child["flow"] for child in told["children"]] == ["hello"]
    assert told["steps"][0]["children"] == [told["children"][0]["id"]]


def test_what_is_only_started_is_done_by_a_worker(penstock: Penstock) -> None:
    started = penstock("run", "hello.yml", "--no-wait")
    before: Any = penstock("runs", "show", "last", "--json").json()

    worker = penstock("worker", "--until-idle")

    after: Any = penstock("runs", "show", started.out.strip(), "--json").json()
    assert (before["status"], before["steps"][1]["status"]) == ("running", "waiting")
    assert worker.code == 0
    assert after["status"] == "success"


def test_a_worker_tells_programs_what_happens_in_lines_of_json(penstock: Penstock) -> None:
    started = penstock("run", "hello.yml", "--no-wait").out.strip()

    worker = penstock("worker", "--until-idle", "--json")

    told = [json.loads(line) for line in worker.err.splitlines()]
    assert not worker.out
    assert started in {line.get("run") for line in told if line["notice"] == "run.success"}


def test_a_run_that_nobody_does_can_be_gone_on_with_by_its_id(penstock: Penstock) -> None:
    started = penstock("run", "hello.yml", "--no-wait").out.strip()

    done = penstock("run", started)

    assert done.code == 0
    assert done.out == "said=Hello, world\n"


def test_a_run_that_is_retried_as_a_new_one_is_followed_to_its_end(penstock: Penstock) -> None:
    Path("again.yml").write_text(
        "id: again\nnamespace: play\n"
        "retry: {type: constant, interval: PT0.1S, maxAttempts: 3, behavior: CREATE_NEW_EXECUTION}\n"
        "tasks:\n  - {id: bad, type: fail}\n"
    )

    done = penstock("run", "again.yml")

    first, second, third = (line for line in done.err.splitlines() if line.startswith("Run "))
    assert done.code == 1
    assert "retried after" in first and "retried after" in second and "failed after" in third
    assert done.err.count("bad  failed in") == 3
    assert done.err.count("Another run takes its place: ") == 2
    assert f"retried as      {second.split()[1]}" in penstock("runs", "show", first.split()[1]).out


def test_lines_tell_how_a_step_ended_where_its_attempts_do_not(penstock: Penstock) -> None:
    Path("told.yml").write_text(
        "id: told\nnamespace: play\ntasks:\n"
        "  - {id: allowed, type: fail, allowFailure: true}\n"
        "  - id: look\n    type: shell.commands\n"
        '    commands: ["echo \'::{\\"snooze\\": 0.05}::\'"]\n'
        "    sensor: {interval: PT0.1S, deadline: PT0.2S, softFail: true}\n"
        "  - {id: call, type: subflow, namespace: play, flowId: nope, allowFailure: true}\n"
        "  - id: folder\n    type: working_directory\n    tasks:\n"
        "      - {id: inside, type: shell.commands, commands: [echo inside]}\n"
    )

    done = penstock("run", "told.yml")
    lines = [line[14:] for line in done.err.splitlines()]

    assert done.code == 0
    assert "allowed  warning" in lines
    assert 'look  skipped: "look" has looked for 0.2 s in vain.' in lines
    assert any(line.startswith("call  warning: PS-309") for line in lines)
    assert not any(line.startswith("folder  ") for line in lines)
    assert "folder" in (shown := penstock("runs", "show", "last").out) and "2 attempts" not in shown.split("folder")[1]
