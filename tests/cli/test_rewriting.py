"""Can flow files be put in order, brought to the newest version and described to editors from the command line?"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import HELLO, Penstock

OLD = """\
id: old # the id
namespace: play
tasks:
  - id: say
    # says it
    type: io.kestra.core.tasks.log.Log
    message: "{{ [1] | json }}"
"""


def test_formatting_tells_what_it_would_change_and_then_changes_it(penstock: Penstock, folder: Path) -> None:
    file = folder / "daily.yml"
    file.write_text("namespace: play # here\nid: daily\ntasks: [{id: x, type: log, message: m}]\n")

    checked = penstock("flows", "fmt", "--check", "daily.yml")
    kept = file.read_text()
    done = penstock("flows", "fmt", "daily.yml")
    again = penstock("flows", "fmt", "--check")

    assert (checked.code, done.code, again.code) == (3, 0, 0)
    assert kept.startswith("namespace")
    assert "+id: daily\n namespace: play # here\n-id: daily\n" in checked.out
    assert file.read_text() == "id: daily\nnamespace: play # here\ntasks: [{id: x, type: log, message: m}]\n"
    assert "2 files: 0 would change." in again.err


def test_formatting_reads_standard_input(penstock: Penstock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("namespace: play\nid: a\n"))

    assert penstock("flows", "fmt", "-").out == "id: a\nnamespace: play\n"


def test_what_is_no_yaml_keeps_no_other_file_from_being_formatted(penstock: Penstock, folder: Path) -> None:
    (folder / "a.yml").write_text("a: [\n")
    (folder / "b.yml").write_text("namespace: play\nid: b\n")

    done = penstock("flows", "fmt", "a.yml", "b.yml")

    assert done.code == 3
    assert "PS-201" in done.err
    assert (folder / "b.yml").read_text().startswith("id: b")


def test_migrating_shows_the_difference_and_writes_when_told_to(penstock: Penstock, folder: Path) -> None:
    (folder / "old.yml").write_text(OLD)

    asked = penstock("flows", "migrate", "old.yml", "--json")
    kept = (folder / "old.yml").read_text()
    done = penstock("flows", "migrate", "old.yml", "--to", "2", "-y")
    again = penstock("flows", "migrate", "old.yml", "-y")

    found: Any = asked.json()
    assert kept == OLD
    assert found[0]["changed"] and found[0]["differences"] == []
    assert "+    type: io.kestra.plugin.core.log.Log" in done.out
    newest = OLD.replace("io.kestra.core.tasks.log", "io.kestra.plugin.core.log").replace("json", "toJson")
    assert (folder / "old.yml").read_text() == f"# kestra: 2\n{newest}"
    assert "old.yml: nothing to change." in again.err


def test_migrating_asks_before_it_writes(penstock: Penstock, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "old.yml").write_text(OLD)
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))

    done = penstock("flows", "migrate", "old.yml")

    assert done.code == 0
    assert "Write old.yml?" in done.err
    assert (folder / "old.yml").read_text() == OLD


def test_migrating_tells_what_it_leaves_and_what_cannot_be_read(penstock: Penstock, folder: Path) -> None:
    (folder / "old.yml").write_text(OLD + "pluginDefaults: [{type: log, values: {level: WARN}}]\n")
    (folder / "bad.yml").write_text(OLD.replace("Log", "Lgo"))

    done = penstock("flows", "migrate", "old.yml", "bad.yml", "-y")

    assert done.code == 3
    assert "Left for you to replace:" in done.err and "Plugin defaults of a flow are gone in version 2" in done.err
    assert "bad.yml: left as it is, since it cannot be read." in done.err
    assert (folder / "bad.yml").read_text() == OLD.replace("Log", "Lgo")


def test_migrating_puts_what_is_included_into_the_file(penstock: Penstock, folder: Path) -> None:
    (folder / "said.txt").write_text("hello\n")
    (folder / "old.yml").write_text(OLD.replace('"{{ [1] | json }}"', "[[> said.txt ]]"))

    penstock("flows", "migrate", "old.yml", "-y")

    assert "    message: hello\n" in (folder / "old.yml").read_text()


def test_the_schema_for_editors_is_given(penstock: Penstock, folder: Path) -> None:
    done = penstock("flows", "schema", "-o", "flows.schema.json")

    found: Any = json.loads((folder / "flows.schema.json").read_text())
    assert done.code == 0
    assert found["$defs"]["task.log"]["properties"]["message"]


def test_a_file_of_several_flows_is_checked_and_pushed(penstock: Penstock, folder: Path) -> None:
    (folder / "two.yml").write_text(
        f"{HELLO.replace('id: hello', 'id: one')}---\n{HELLO.replace('id: hello', 'id: two')}"
    )

    checked = penstock("check", "two.yml")
    pushed: Any = penstock("flows", "push", "two.yml", "--json").json()
    single = penstock("run", "two.yml")

    assert checked.code == 0 and "2 flows: 0 errors" in checked.err
    assert [each["flow"] for each in pushed] == ["one", "two"]
    assert single.code == 3 and "PS-207" in single.err
    assert penstock("run", "two").code == 0


def test_nothing_outside_the_project_is_included(penstock: Penstock, folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "a.yml").write_text(OLD.replace('"{{ [1] | json }}"', "[[> ../hello.yml ]]"))

    done = penstock("check", "in/a.yml")

    assert done.code == 3
    assert "lies outside the project" in done.out
