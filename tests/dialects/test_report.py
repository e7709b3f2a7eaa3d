"""How do problems look in a terminal? The line with a caret, and nothing that could steer the terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock.dialects.kestra import INSTALLED, read
from penstock.errors import Place, Problem
from penstock.errors.report import render_problems


def test_a_problem_shows_its_line_with_a_caret() -> None:
    text = "id: a\nnamespace: co\ntasks:\n  - id: x\n    type: log\n    mesage: hello\n    message: m\n"

    shown = render_problems(read(text, types=INSTALLED, file="flows/a.yml").problems)

    assert shown == (
        'flows/a.yml:6:5: error PS-210: Task "x" (log) has no property "mesage". Did you mean "message"?\n'
        "    6 |     mesage: hello\n"
        "      |     ^\n"
    )


def test_of_a_long_line_the_part_around_the_caret_is_shown() -> None:
    text = "x" * 500 + "!" + "y" * 500

    shown = render_problems([Problem("PS-200", "Here.", place=Place(3, 501, "f.yml", text))])

    line, caret = shown.splitlines()[1:]
    assert len(line) < 140
    assert line[caret.index("^")] == "!"


def test_a_problem_without_a_place_is_one_line() -> None:
    assert render_problems([Problem("PS-200", "Somewhere.", hint="Look.")]) == "error PS-200: Somewhere. Look.\n"


@given(st.text(), st.text(), st.integers(0, 50), st.integers(0, 5000))
def test_nothing_in_a_report_can_steer_a_terminal(sentence: str, line: str, row: int, column: int) -> None:
    problem = Problem("PS-200", sentence, place=Place(row, column, "f.yml", line))

    shown = render_problems([problem])

    assert all(each.isprintable() or each == "\n" for each in shown)
    assert shown.count("\n") in (1, 3)
