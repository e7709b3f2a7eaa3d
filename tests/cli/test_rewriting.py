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
    (folder / "old.yml").write_text(OLD + "  - {id: kept, type: state.get}\n")
    (folder / "bad.yml").write_text(OLD.replace("Log", "Lgo"))

    done = penstock("flows", "migrate", "old.yml", "bad.yml", "-y")

    assert done.code == 3
    assert "Left for you to replace:" in done.err and "are an older way" in done.err
    assert "bad.yml: left as it is, since it cannot be read." in done.err
    assert (folder / "bad.yml").read_text() == OLD.replace("Log", "Lgo")


def including(folder: Path, message: str) -> str:
    """A flow with older words, in old.yml, whose message comes from another file."""
    (folder / "said.txt").write_text("hello\n")
    text = OLD.replace('"{{ [1] | json }}"', message)
    (folder / "old.yml").write_text(text)
    return text


@pytest.mark.parametrize("message", ["[[> said.txt ]]", '"[[> said.txt]]"', "|\n      [[> said.txt ]]"])
def test_migrating_never_writes_what_is_included(penstock: Penstock, folder: Path, message: str) -> None:
    text = including(folder, message)

    done = penstock("flows", "migrate", "old.yml", "-y")
    found: Any = penstock("flows", "migrate", "old.yml", "--json").json()

    assert done.code == 0 and done.out == ""
    assert (folder / "old.yml").read_text() == text
    assert "old.yml: left as it is." in done.err
    line = text[: text.index("[[>")].count("\n") + 1
    assert f"old.yml:{line}:" in done.err and "`[[> said.txt ]]` keeps this file as it is." in done.err
    assert not found[0]["changed"] and not found[0]["diff"]
    assert any("is an old name of" in left for left in found[0]["left"])


def test_older_words_beside_what_is_included_are_told(penstock: Penstock, folder: Path) -> None:
    text = including(folder, "'[[> said.txt ]]'")
    (folder / "old.yml").write_text(f"# kestra: 2\n{text}pluginDefaults: [{{type: log, values: {{level: WARN}}}}]\n")

    found: Any = penstock("flows", "migrate", "old.yml", "--json", "-y").json()

    assert not found[0]["changed"]
    assert sum("[[>" in line for line in found[0]["left"]) == 1
    assert any("Plugin defaults of a flow" in line for line in found[0]["left"])


def test_migrating_tells_what_cannot_be_included(penstock: Penstock, folder: Path) -> None:
    text = including(folder, '"[[> none.txt ]]"')

    done = penstock("flows", "migrate", "old.yml", "-y")

    assert done.code == 3 and "PS-233" in done.err
    assert (folder / "old.yml").read_text() == text


def test_formatting_never_writes_what_is_included(penstock: Penstock, folder: Path) -> None:
    text = including(folder, "[[> said.txt ]]")

    bare = penstock("flows", "fmt", "old.yml")
    kept = (folder / "old.yml").read_text()
    (folder / "old.yml").write_text('namespace: co\nid: a\ndescription: "[[> said.txt ]]"\n')
    quoted = penstock("flows", "fmt", "old.yml")

    assert (bare.code, quoted.code) == (0, 0)
    assert kept == text
    assert "old.yml: left as it is. old.yml:7:" in bare.err and "includes another file" in bare.err
    assert (folder / "old.yml").read_text() == 'id: a\nnamespace: co\ndescription: "[[> said.txt ]]"\n'


@pytest.mark.parametrize("verb", [("migrate", "-y"), ("fmt",)])
def test_a_byte_order_mark_is_no_change_and_stays(penstock: Penstock, folder: Path, verb: tuple[str, ...]) -> None:
    file = folder / "marked.yml"
    file.write_text("# kestra: 2\n" + HELLO, encoding="utf-8-sig")
    before = file.read_bytes()

    same = penstock("flows", *verb, "marked.yml")
    kept = file.read_bytes()
    file.write_text(OLD.replace("id: old # the id\nnamespace: play", "namespace: play\nid: old"), encoding="utf-8-sig")
    done = penstock("flows", *verb, "marked.yml")

    assert same.code == 0 and same.out == ""
    assert kept == before
    assert done.code == 0
    assert file.read_text(encoding="utf-8-sig") != OLD
    assert file.read_bytes().count(b"\xef\xbb\xbf") == 1


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
