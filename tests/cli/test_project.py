"""Does a project name what its flows get, and are init, doctor, db and help what they promise?"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from penstock.cli.init import TEMPLATES
from penstock.cli.main import COMMANDS
from penstock.cli.main import penstock as root
from tests.cli.conftest import HELLO, Penstock


def test_a_new_project_runs(penstock: Penstock, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = penstock("init", "shop")
    monkeypatch.chdir(folder / "shop")

    checked = penstock("check")
    greeted = penstock("run", "flows/hello.yml", "-i", "who=you")
    counted = penstock("run", "count", "-q", "-i", "numbers=[1, 2, 39]")

    assert made.code == 0
    assert "shop/penstock.yaml" in made.out
    assert "penstock run flows/hello.yml" in made.err
    assert checked.code == 0
    assert "2 passed" in penstock("test").err
    assert "greet  │ Hello, you!" in greeted.err
    assert counted.out == "total=42\n"


def test_nothing_of_a_new_project_is_compiled_when_the_package_is_installed() -> None:
    assert not list(TEMPLATES.rglob("*.py")), "what an installer makes of it would be no text of the project"


def test_init_never_touches_what_is_there(penstock: Penstock, folder: Path) -> None:
    (folder / "README.md").write_text("mine")

    first, second = penstock("init"), penstock("init")

    assert first.code == 0
    assert (folder / "README.md").read_text() == "mine"
    assert second.code == 2
    assert "holds a project already" in second.err


def test_a_project_gives_its_flows_namespace_variables_and_defaults(penstock: Penstock, folder: Path) -> None:
    (folder / "penstock.yaml").write_text(
        "namespace: shop.daily\nflows: [pipes]\nvariables: {greeting: Good day}\n"
        "pluginDefaults:\n  - {type: log, values: {level: WARN}}\n"
    )
    (folder / "pipes").mkdir()
    (folder / "pipes" / "one.yml").write_text(
        'id: one\ntasks:\n  - {id: say, type: log, message: "{{ globals.greeting }}"}\n'
    )

    done = penstock("run", "one", "--json")

    told: Any = done.json()
    lines = [json.loads(line) for line in penstock("runs", "logs", "last", "--json").out.splitlines()]
    assert (told["namespace"], told["status"]) == ("shop.daily", "success")
    assert (lines[0]["text"], lines[0]["level"]) == ("Good day", "warning")


def test_another_variable_is_another_revision(penstock: Penstock, folder: Path) -> None:
    (folder / "penstock.yaml").write_text("variables: {colour: blue}\n")
    penstock("run", "hello.yml", "-q")
    (folder / "penstock.yaml").write_text("variables: {colour: red}\n")

    told: Any = penstock("run", "hello.yml", "--json").json()

    assert told["revision"] == 2


def test_an_unknown_setting_is_refused_with_its_place(penstock: Penstock, folder: Path) -> None:
    (folder / "penstock.yaml").write_text("namespace: shop\nlimits:\n  atempts: 3\n")

    done = penstock("check")

    assert done.code == 2
    assert "penstock.yaml:3:3" in done.err
    assert 'Did you mean "attempts"?' in done.err


def test_secrets_of_a_file_stay_out_of_logs(penstock: Penstock, folder: Path) -> None:
    (folder / "penstock.yaml").write_text("secrets: .secrets\n")
    (folder / ".secrets").write_text("TOKEN=sesame-open\n")
    (folder / ".secrets").chmod(0o600)
    (folder / "seal.yml").write_text(
        "id: seal\nnamespace: play\ntasks:\n  - {id: say, type: log, message: \"it is {{ secret('TOKEN') }}\"}\n"
    )

    done = penstock("run", "seal.yml")
    (folder / ".secrets").chmod(0o644)
    refused = penstock("run", "seal.yml")

    assert done.code == 0
    assert "it is ********" in done.err
    assert refused.code == 2
    assert "chmod 600" in refused.err


def test_the_store_can_stand_elsewhere(penstock: Penstock, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_STORE", str(folder / "env" / "a.db"))
    penstock("run", "hello.yml", "-q")
    penstock("run", "hello.yml", "-q", "--store", str(folder / "said" / "b.db"))

    assert (folder / "env" / "a.db").exists()
    assert (folder / "said" / "b.db").exists()
    assert not (folder / ".penstock").exists()


def test_a_lone_flow_keeps_its_history_beside_it_and_it_is_found_from_below(
    penstock: Penstock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    penstock("run", "hello.yml", "-q")
    (folder / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(folder / "deep" / "er")

    listed: Any = penstock("runs", "list", "--json").json()

    assert [run["flow"] for run in listed] == ["hello"]


def test_doctor_finds_a_sound_machine_sound(penstock: Penstock) -> None:
    penstock("run", "hello.yml", "-q")

    done = penstock("doctor", "--json")

    told: Any = done.json()
    assert done.code == 0, done.out
    assert {"python", "disk", "processes", "store", "clock"} <= {finding["what"] for finding in told}
    assert not [finding for finding in told if finding["grade"] == "bad"]


def test_doctor_says_what_is_wrong(penstock: Penstock, folder: Path) -> None:
    (folder / ".penstock").mkdir()
    (folder / ".penstock" / "penstock.db").write_text("this is no database, and long enough to look like a page of it")

    done = penstock("doctor")

    assert done.code == 4
    assert "✗ store" in done.out


def test_db_status_counts_what_is_there(penstock: Penstock) -> None:
    penstock("run", "hello.yml", "-q")

    told: Any = penstock("db", "status", "--json").json()

    assert (told["kind"], told["flows"], told["runs"], told["pending"]) == ("sqlite", 1, {"success": 1}, [])


def test_a_store_is_made_by_migrate(penstock: Penstock, folder: Path) -> None:
    done = penstock("db", "migrate")

    assert done.code == 0
    assert (folder / ".penstock" / "penstock.db").exists()


def test_prune_removes_what_ended_before(penstock: Penstock) -> None:
    penstock("run", "hello.yml", "-q")

    kept: Any = penstock("db", "prune", "--json").json()
    gone: Any = penstock("db", "prune", "--runs", "PT0S", "--json").json()

    assert (kept["runs"], gone["runs"]) == (0, 1)
    assert penstock("runs", "list", "--json").json() == []


def test_runs_are_counted_anew(penstock: Penstock) -> None:
    penstock("run", "hello.yml", "-q")

    first: Any = penstock("db", "recount", "--json").json()
    penstock("db", "prune", "--runs", "PT0S")
    told = penstock("db", "recount")

    assert (first["runs"], first["since"]) == (1, None)
    assert told.code == 0 and told.out.startswith("0 runs counted, created on ")


def test_a_backup_is_a_store_of_its_own(penstock: Penstock, folder: Path) -> None:
    penstock("run", "hello.yml", "-q")

    done = penstock("db", "backup", "copy.db")
    again = penstock("db", "backup", "copy.db")
    listed: Any = penstock("runs", "list", "--store", "copy.db", "--json").json()

    assert done.code == 0
    assert again.code == 2
    assert [run["flow"] for run in listed] == ["hello"]
    with sqlite3.connect(folder / "copy.db") as session:
        assert session.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_export_writes_lines_of_json(penstock: Penstock, folder: Path) -> None:
    penstock("run", "hello.yml", "-q")

    out = penstock("db", "export", "--logs").out
    filed = penstock("db", "export", "all.jsonl")
    told: Any = penstock("db", "export", "more.jsonl", "--json").json()

    kinds = {json.loads(line)["what"] for line in out.splitlines()}
    assert {"revision", "run", "step", "attempt", "event", "outputs", "log"} <= kinds
    assert filed.code == 0
    assert (folder / "all.jsonl").read_text().count("\n") < out.count("\n")
    assert told == {"file": "more.jsonl", "lines": (folder / "more.jsonl").read_text().count("\n")}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(penstock: Penstock, shell: str) -> None:
    done = penstock("completion", shell)

    assert done.code == 0
    assert "_PENSTOCK_COMPLETE" in done.out


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("ru", ["run", "runs"]),
        ("runs re", ["resume", "restart", "replay"]),
        ("flows show pl", ["play.hello"]),
        ("runs show la", ["last"]),
        ("types shell.", ["shell.commands", "shell.script"]),
    ],
)
def test_a_shell_is_offered_commands_flows_runs_and_types(
    penstock: Penstock,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: str,
    offered: list[str],
) -> None:
    penstock("run", "hello.yml", "-q")
    monkeypatch.setenv("_PENSTOCK_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"penstock {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))

    with pytest.raises(SystemExit):
        penstock()

    out = capfd.readouterr().out
    assert [line.partition(",")[2] for line in out.splitlines()] == offered


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example_and_the_sentence_of_the_list(penstock: Penstock, name: str) -> None:
    done = penstock(name, "--help")

    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert done.code == 0
    assert "Examples:" in done.out
    assert f"penstock {name}" in done.out.partition("Examples:")[2]
    assert (command.help or "").startswith(COMMANDS[name][1].rstrip(".").partition(";")[0][:20])


def test_help_names_every_command_and_the_exit_codes(penstock: Penstock) -> None:
    done = penstock("--help")

    assert done.code == 0
    assert all(f"  {name} " in done.out for name in COMMANDS)
    assert "Exit codes: 0 success, 1 the run failed, 2 wrong call, 3 invalid flow, 4 the system failed." in done.out


def test_a_broken_store_ends_with_four(penstock: Penstock, folder: Path) -> None:
    (folder / "broken.db").write_text("no database at all, but some text that is here in its place")

    done = penstock("run", "hello.yml", "--store", "broken.db")

    assert done.code == 4
    assert "PS-4" in done.err


def test_a_store_where_none_can_be_ends_with_four_and_says_what_helps(penstock: Penstock) -> None:
    done = penstock("run", "hello.yml", "--store", "hello.yml/inside/a.db")

    assert done.code == 4
    assert "Not a directory" in done.err
    assert "PENSTOCK_STORE" in done.err


def test_another_python_than_ours_must_be_there(penstock: Penstock, folder: Path) -> None:
    (folder / "penstock.yaml").write_text("python: nowhere/bin/python\n")
    (folder / "hello.yml").write_text(HELLO)

    done = penstock("run", "hello.yml")

    assert done.code == 2
    assert "nowhere/bin/python" in done.err


def test_a_task_runs_in_the_python_that_it_names(penstock: Penstock, folder: Path) -> None:
    other = folder / "other" / "bin" / "python"
    other.parent.mkdir(parents=True)
    other.symlink_to(sys.executable)
    (folder / "penstock.yaml").write_text("pythons: {other: other}\n")
    (folder / "named.yml").write_text(
        "id: named\nnamespace: play\ntasks:\n  - id: py\n    type: python.script\n    python: other\n"
        "    script: |\n      import sys\n      print(sys.executable)\n"
    )

    done = penstock("run", "named.yml")

    assert done.code == 0, done.err
    assert str(other) in done.err


def test_a_named_python_must_be_there(penstock: Penstock, folder: Path) -> None:
    (folder / "penstock.yaml").write_text("pythons: {other: nowhere}\n")
    (folder / "hello.yml").write_text(HELLO)

    done = penstock("run", "hello.yml")

    assert done.code == 2
    assert "`pythons.other`" in done.err


def test_tasks_get_the_projects_environment_and_nothing_of_ours(
    penstock: Penstock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGION", "north")
    monkeypatch.setenv("HIDDEN", "sesame")
    (folder / "penstock.yaml").write_text('environment: {WHERE: "far ${REGION}"}\npreimports: [fractions]\n')
    (folder / "env.yml").write_text(
        "id: env\nnamespace: play\ntasks:\n  - id: py\n    type: python.script\n    script: |\n"
        "      import os, sys\n      env = os.environ\n"
        "      print(env.get('WHERE'), env.get('HIDDEN'), 'fractions' in sys.modules)\n"
    )

    done = penstock("run", "env.yml")

    assert done.code == 0, done.err
    assert "py  │ far north None True" in done.err
