"""Is penstock.yaml found, read with its defaults, and refused with the place of what is wrong?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors.project import BadSettings, NoSuchFile, WrongSetting
from penstock.settings import Settings, find
from penstock.settings.read import expanded, parse

WHOLE = """
namespace: shop
flows: [flows, more/one.yml]
kestra: {version: 0.20}
python: .venv
variables: {day: 2016-01-02, list: [1, a]}
pluginDefaults:
  - {type: log, values: {level: WARN}, forced: true}
store: postgresql://db/penstock
blobs: s3://bucket/prefix
secrets: .secrets
limits: {attempts: 8, log: 10 MB, grace: PT3S, lease: PT20S}
retention: {runs: P30D, logs: null}
"""


def test_every_key_is_read() -> None:
    settings = parse(WHOLE)

    assert settings.kestra.version == "0.20"
    assert settings.flows == ("flows", "more/one.yml")
    assert settings.variables == {"day": "2016-01-02", "list": [1, "a"]}
    assert settings.plugin_defaults[0].forced
    assert (settings.limits.attempts, settings.limits.log, settings.limits.lease) == (8, 10_000_000, 20_000_000)
    assert (settings.retention.runs, settings.retention.logs) == (30 * 86_400_000_000, None)


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_an_empty_file_is_all_defaults(text: str) -> None:
    assert parse(text) == Settings()


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("namspace: a\n", 1, 1, ["namspace", 'Did you mean "namespace"?']),
        ("limits:\n  log: lots\n", 2, 3, ["limits.log", "size"]),
        ("limits:\n  attempts: -1\n", 2, 3, ["limits.attempts", ">= 0"]),
        ("retention:\n  runs: 3 days\n", 2, 3, ["retention.runs", "duration"]),
        ("kestra:\n  version: 3\n", 2, 3, ["kestra.version"]),
        ("flows: here\n", 1, 1, ["flows"]),
        ("flows: [a, {b: c}]\n", 1, 12, ["flows.1"]),
        ("pluginDefaults:\n  - typ: log\n", 2, 5, ["pluginDefaults.0.typ"]),
        ("pluginDefaults:\n  - type: log\n", 2, 5, ["values"]),
        ("- a\n", 1, 1, ["map"]),
        ("a: [\n", 2, 1, ["not closed"]),
        ("a: &a [*a]\n", 1, 8, ["never end"]),
        ("namespace: a\nnamespace: b\n", 2, 1, ["namespace", "twice"]),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, line: int, column: int, words: list[str]) -> None:
    with pytest.raises(BadSettings) as told:
        parse(text)

    problem = told.value.problems[0]
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (line, column)
    assert all(word in f"{problem.sentence} {problem.hint}" for word in words), problem


def test_all_unknown_keys_are_told_at_once() -> None:
    with pytest.raises(BadSettings) as told:
        parse("one: 1\ntwo: 2\nlimits: {three: 3}\n")

    assert [problem.code for problem in told.value.problems] == ["PS-604"] * 3


@given(st.text(max_size=80))
def test_no_text_ends_in_anything_but_settings_or_their_problems(text: str) -> None:
    try:
        parse(text)
    except BadSettings as told:
        assert told.problems


def test_the_nearest_project_upward_is_meant(tmp_path: Path) -> None:
    (tmp_path / "penstock.yaml").write_text("namespace: outer\n")
    (tmp_path / "in" / "flows").mkdir(parents=True)
    (tmp_path / "in" / "penstock.yaml").write_text("namespace: inner\n")
    (tmp_path / "beside").mkdir()

    inner, outer = find(tmp_path / "in" / "flows"), find(tmp_path / "beside")

    assert (inner.settings.namespace, inner.root) == ("inner", tmp_path / "in")
    assert outer.settings.namespace == "outer"


def test_a_folder_without_settings_is_a_project_by_itself(tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text("")

    project = find(tmp_path / "flow.yml")

    assert (project.root, project.file, project.settings) == (tmp_path, None, Settings())


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "penstock.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(NoSuchFile, match="UTF-8"):
        find(tmp_path)


def test_settings_take_words_from_the_environment() -> None:
    assert expanded("postgresql://${USER}@db", {"USER": "me"}) == "postgresql://me@db"
    with pytest.raises(WrongSetting, match="NOBODY"):
        expanded("${NOBODY}", {})
