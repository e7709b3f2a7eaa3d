"""Is everything told that is wrong with a file of tests, before anything runs? With its place, and the name meant."""

from __future__ import annotations

from pathlib import Path

from tests.testing.conftest import Suites

FLOW = """
id: load
namespace: shop
inputs: [{id: name, type: STRING, defaults: you}]
tasks:
  - {id: greeting, type: return, format: "Hello {{ inputs.name }}"}
"""
GOOD = """id: load_tests
namespace: shop
flowId: load
testCases:
  - id: first
    type: io.kestra.core.tests.flow.UnitTest
    fixtures:
      inputs: {name: me}
      tasks: [{id: greeting, outputs: {anything: 1}}]
    assertions:
      - taskId: greeting
        value: "{{ outputs.greeting.anything }}"
        equalsTo: 1
        errorMessage: "it was {{ outputs.greeting.anything }}"
"""


def told(found: Suites, old: str, new: str) -> list[str]:
    """The problems of the good suite with one thing changed."""
    assert old in GOOD
    suite = found(GOOD.replace(old, new))
    return [f"{each.place.line if each.place else 0}: {each.sentence} {each.hint}" for each in suite.problems]


def test_a_good_suite_has_no_problem(project: Path, found: Suites) -> None:
    (project / "flows" / "load.yml").write_text(FLOW)

    suite = found(GOOD)

    assert suite.usable
    assert suite.problems == ()


def test_every_name_that_does_not_exist_is_told_with_the_nearest(project: Path, found: Suites) -> None:
    (project / "flows" / "load.yml").write_text(FLOW)
    cases = [
        ("flowId: load", "flowId: laod", '3: There is no flow "laod"', '"load"'),
        ("fixtures:", "fixture:", '7: A test has no property "fixture".', '"fixtures"'),
        ("inputs: {name: me}", "inputs: {nam: me}", 'has no input "nam"', '"name"'),
        ("[{id: greeting,", "[{id: greting,", '9: The flow shop.load has no task "greting".', '"greeting"'),
        ("taskId: greeting", "taskId: greeter", 'has no task "greeter"', '"greeting"'),
        ("equalsTo: 1", "equalTwo: 1", '13: An assertion has no property "equalTwo".', '"equalTo"'),
        ("outputs.greeting.anything }}\"\n        e", "outputs.gretin.x }}\"\n        e", "12: `outputs`", "greeting"),
        ("UnitTest", "UnitTests", '6: There is no kind of test "io.kestra.core.tests.flow.UnitTests".', "UnitTest"),
    ]  # fmt: skip

    for old, new, sentence, hint in cases:
        problems = told(found, old, new)

        assert any(sentence in each and hint in each for each in problems), (new, problems)


def test_a_value_of_the_wrong_kind_is_told(project: Path, found: Suites) -> None:
    (project / "flows" / "load.yml").write_text(FLOW)

    assert told(found, "equalsTo: 1", "greaterThan: many") == ['13: "greaterThan" is a number, not "many". ']
    assert told(found, "equalsTo: 1", "in: many") == ['13: "in" is a list, not "many". ']
    assert told(found, "equalsTo: 1", "isNull: 1") == ['13: "isNull" is true or false, not "1". ']


def test_what_is_missing_is_told(project: Path, found: Suites) -> None:
    (project / "flows" / "load.yml").write_text(FLOW)

    assert "A suite needs at least one test." in found("id: a\nflowId: load\ntestCases: []\n").problems[0].sentence
    nothing = told(found, "        equalsTo: 1\n", "")
    assert "An assertion needs something that must be true." in nothing[0]


def test_a_flow_that_is_wrong_is_told_with_its_own_problems(project: Path, found: Suites) -> None:
    (project / "flows" / "load.yml").write_text(FLOW.replace("format:", "formt:"))

    suite = found(GOOD)

    assert not suite.usable
    assert any("formt" in problem.sentence for problem in suite.problems)
