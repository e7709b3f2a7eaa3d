"""Does `penstock test` tell people what they need to know, and end with the code that says it?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.cli.conftest import Penstock

SUITE = """id: hello_tests
namespace: play
flowId: hello
testCases:
  - id: greets
    fixtures: {inputs: {who: me}}
    assertions: [{value: "{{ outputs.greet.value }}", equalTo: "Hello, me"}]
  - id: greets_you
    fixtures: {inputs: {who: me}}
    assertions: [{value: "{{ outputs.greet.value }}", equalTo: "Hello, you"}]
"""


def test_what_passes_is_a_line_and_what_fails_shows_place_and_difference(folder: Path, penstock: Penstock) -> None:
    (folder / "hello_tests.yml").write_text(SUITE)

    done = penstock("test")

    assert done.code == 1
    assert "✓ hello_tests.greets " in done.out
    assert 'hello_tests.yml:10:55: {{ outputs.greet.value }} should equal "Hello, you"' in done.out
    assert 'was       "Hello, me"' in done.out
    assert "1 passed, 1 failed; 2 assertions" in done.err
    assert not (folder / ".penstock").exists()


def test_a_filter_chooses(folder: Path, penstock: Penstock) -> None:
    (folder / "hello_tests.yml").write_text(SUITE)

    chosen = penstock("test", "-k", "*.greets")
    none = penstock("test", "-k", "hello_tests.greet_you")

    assert (chosen.code, "1 passed;" in chosen.err) == (0, True)
    assert none.code == 2
    assert 'Did you mean "hello_tests.greets_you"?' in none.err


def test_a_build_server_gets_xml_and_a_program_json(folder: Path, penstock: Penstock) -> None:
    (folder / "hello_tests.yml").write_text(SUITE)

    done: Any = penstock("test", "--json", "--junit", "report.xml").json()
    report = ElementTree.fromstring((folder / "report.xml").read_text())

    assert [each["state"] for each in done["results"]] == ["passed", "failed"]
    assert done["coverage"][0]["missed_tasks"] == []
    [suite] = report
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert 'was       "Hello, me"' in (suite[1][0].text or "")


def test_an_invalid_suite_ends_with_the_code_of_invalid_texts_and_others_still_run(
    folder: Path, penstock: Penstock
) -> None:
    (folder / "good.yml").write_text(SUITE.replace('"Hello, you"', '"Hello, me"'))
    (folder / "bad.yml").write_text(SUITE.replace("equalTo", "equalToo"))

    done = penstock("test")

    assert done.code == 3
    assert 'Did you mean "equalTo"?' in done.out
    assert "2 passed; 2 assertions" in done.err
    assert "1 file is invalid." in done.err


def test_check_reads_tests_as_tests(folder: Path, penstock: Penstock) -> None:
    (folder / "hello_tests.yml").write_text(SUITE.replace("outputs.greet.", "outputs.gret."))

    done = penstock("check")

    assert done.code == 3
    assert 'Did you mean "greet"?' in done.out
    assert "1 flow, 1 file of tests: 2 errors" in done.err


def test_tests_beside_a_flow_are_no_flows(folder: Path, penstock: Penstock) -> None:
    (folder / "hello_tests.yml").write_text(SUITE)

    assert json.loads(penstock("flows", "push", "--json").out)[0]["flow"] == "hello"
    assert penstock("test", "--list").out.splitlines() == [
        "hello_tests.greets  (hello_tests.yml:5)",
        "hello_tests.greets_you  (hello_tests.yml:8)",
    ]


def test_data_beside_flows_is_no_flow(folder: Path, penstock: Penstock) -> None:
    (folder / "rows.json").write_text('{"rows": [1, 2]}')

    assert "1 flow: 0 errors" in penstock("check").err


def test_who_runs_tests_as_a_flow_is_told_how(folder: Path, penstock: Penstock) -> None:
    (folder / "hello_tests.yml").write_text(SUITE)

    done = penstock("run", "hello_tests.yml")

    assert done.code == 2
    assert "penstock test hello_tests.yml" in done.err


def test_without_any_tests_it_says_where_they_would_stand(penstock: Penstock) -> None:
    done = penstock("test")

    assert done.code == 2
    assert "testCases" in done.err


def test_pytest_finds_them(folder: Path, penstock: Penstock) -> None:
    """In a pytest of its own: ours has other plugins."""
    (folder / "hello_tests.yml").write_text(SUITE)
    (folder / "conftest.py").write_text('pytest_plugins = ["penstock.testing.collecting"]\n')

    done = pytest_in(folder)

    assert "1 failed, 1 passed" in done
    assert 'was       "Hello, me"' in done


def pytest_in(folder: Path) -> str:
    """What pytest says of a folder."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    path = os.pathsep.join(sys.path)
    return subprocess.run(
        words, capture_output=True, text=True, check=False, cwd=folder, env=os.environ | {"PYTHONPATH": path}
    ).stdout
