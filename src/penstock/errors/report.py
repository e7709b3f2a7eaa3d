"""How are problems shown to people? `file:line:column`, code, sentence and hint, then the line with a caret."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from penstock.errors.problem import Place, Problem

WIDEST: Final = 120
BEFORE: Final = 60


def render_problems(problems: Iterable[Problem]) -> str:
    """All problems as text, an empty line between two; nothing in it can steer the terminal it is shown on."""
    return "\n".join(render_problem(problem) for problem in problems)


def render_problem(problem: Problem) -> str:
    """One problem as text, ending with a line break."""
    where = f"{problem.place}: " if problem.place else ""
    hint = f" {problem.hint}" if problem.hint else ""
    head = _tame(f"{where}{problem.severity} {problem.code}: {problem.sentence}{hint}")
    return f"{head}\n{_excerpt(problem.place)}" if problem.place and problem.place.text.strip() else f"{head}\n"


def _excerpt(place: Place) -> str:
    """The line with a caret under its column; of a long line the part around the caret."""
    at = max(0, min(place.column - 1, len(place.text)))
    begin = 0 if len(place.text) <= WIDEST or at < BEFORE else at - BEFORE
    end = begin + WIDEST
    left, right = "…" if begin else "", "…" if end < len(place.text) else ""
    line = _tame(place.text[begin:end])
    number = f"{place.line:>5} | "
    return f"{number}{left}{line}{right}\n{' ' * (len(number) - 2)}| {' ' * (len(left) + at - begin)}^\n"


def _tame(text: str) -> str:
    """Text with every character replaced that would not print as one place: a tab by a blank, a control by �."""
    return "".join(each if each.isprintable() else " " if each == "\t" else "�" for each in text)
