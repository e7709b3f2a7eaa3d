"""Are all flows of a file read, each at its own place, and what they include where it is named?"""

from __future__ import annotations

import pytest

from penstock.dialects.kestra import INSTALLED, Reading, expand, read, read_several, traced
from penstock.errors.flow import BadInclude
from penstock.model.node import Task

SAY = "tasks:\n  - {id: x, type: log, message: hello}\n"
ONE = "id: a\nnamespace: co\n" + SAY
TWO = "id: b\nnamespace: co\n" + SAY


def several(text: str, version: str = "1") -> tuple[Reading, ...]:
    return read_several(text, types=INSTALLED, file="f.yml", version=version)


def test_each_document_is_a_flow_with_a_text_of_its_own() -> None:
    found = several(f"---\n{ONE}---\n{TWO}")

    assert [each.flow.name for each in found if each.flow] == ["co.a", "co.b"]
    assert [each.source for each in found] == [ONE, TWO]
    assert [each.before for each in found] == [1, 6]
    assert found[1].digest == read(TWO, types=INSTALLED).digest


def test_a_file_of_one_flow_is_read_as_ever() -> None:
    for text in (ONE, f"# about\n---\n{ONE}", f"{ONE}---\n# nothing\n", f"{ONE}...\n"):
        assert several(text)[0].flow == read(ONE, types=INSTALLED).flow
    assert several(ONE) == (read(ONE, types=INSTALLED, file="f.yml"),)


def test_a_problem_stands_at_its_place_in_the_file() -> None:
    wrong = TWO.replace("type: log", "type: lgo")

    found = several(f"{ONE}--- # two\n{wrong}")

    place = found[1].problems[0].place
    assert found[0].problems == () and place is not None
    assert (place.line, place.column, place.text.strip()) == (9, 19, "- {id: x, type: lgo, message: hello}")


def test_the_first_line_says_the_version_of_all_documents_and_a_document_its_own() -> None:
    found = several(f"# kestra: 2\n{ONE}---\n{TWO}---\n# kestra: 0.20\n{TWO.replace('id: b', 'id: c')}")

    assert [each.flow.language.version for each in found if each.flow] == ["2", "2", "0.20"]
    assert read(found[1].source, types=INSTALLED).flow == found[1].flow


def test_a_marker_inside_a_text_of_several_lines_ends_the_document_as_yaml_says() -> None:
    assert len(several(f"id: a\nnamespace: co\ndescription: |\n  ---\n{SAY}---\n{TWO}")) == 2


FILES = {"one.txt": "hello\n", "two.sh": "set -e\nls\n", "bad.yml": "- id: y\n  type: lgo\n"}


def look(name: str) -> str:
    if name not in FILES:
        raise BadInclude(f"There is no {name}.")
    return FILES[name]


def included(text: str, version: str = "0.20") -> Reading:
    whole = expand(text, "f.yml", look, version)
    return traced(read_several(whole.text, types=INSTALLED, file="f.yml", version=version), whole)[0]


def test_a_file_of_one_line_stands_where_it_is_named() -> None:
    found = included(ONE.replace("hello", "'[[> one.txt ]] all'")).flow

    assert found is not None and isinstance(found.body.nodes[0], Task)
    assert found.body.nodes[0].properties == {"message": "hello all"}


def test_the_lines_of_a_longer_file_are_as_far_in_as_its_name() -> None:
    commands = "tasks:\n  - id: x\n    type: shell.commands\n    commands:\n      - |\n        [[> two.sh ]]\n"

    found = included("id: a\nnamespace: co\n" + commands).flow

    assert found is not None and isinstance(found.body.nodes[0], Task)
    assert found.body.nodes[0].properties == {"commands": ["set -e\nls\n"]}


def test_a_problem_in_an_included_line_stands_in_its_own_file() -> None:
    found = included(f"{ONE}  [[> bad.yml]]\nlater: 1\n")

    places = {(p.place.file, p.place.line, p.place.column) for p in found.problems if p.place}
    assert places == {("bad.yml", 2, 9), ("f.yml", 6, 1)}


def test_what_cannot_be_included_is_told_where_it_is_named() -> None:
    found = included(ONE.replace("hello", "'[[> none.txt ]]'"))

    assert found.flow is None
    assert [(p.code, p.place.line, p.place.column) for p in found.problems if p.place] == [("PS-233", 4, 34)]


def test_version_2_is_told_that_it_has_no_such_thing() -> None:
    found = included(ONE.replace("hello", "'[[> one.txt ]]'"), "2")

    assert found.flow is not None
    assert [p.code for p in found.problems] == ["PS-225"]


@pytest.mark.parametrize("text", ["", "---\n", "# a\n---\n...\n"])
def test_a_file_that_holds_nothing_is_told_once(text: str) -> None:
    assert [problem.code for each in several(text) for problem in each.problems] == ["PS-208"]
