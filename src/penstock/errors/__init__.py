"""What can go wrong, and how is it told? One class per error: a code, a sentence about this case, a hint.

Codes: PS-1xx expressions, PS-2xx flows as text, PS-3xx runs, PS-4xx store and blobs, PS-5xx workers and attempts,
PS-6xx projects, settings and the command line, PS-7xx task types, PS-8xx the control plane.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

from penstock.errors.problem import Place, Problem, Severity

__all__ = ["PenstockError", "Place", "Problem", "Severity", "nearest"]


class PenstockError(Exception):
    """An error that a person can act on; a subclass gives its code and its hint."""

    code: ClassVar[str] = "PS-000"
    hint: str = ""

    def __init__(self, sentence: str, *, hint: str = "", place: Place | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint or type(self).hint
        self.place = place

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        tail = f" {self.hint}" if self.hint else ""
        return f"{self.code}  {where}{self.sentence}{tail}"

    def problem(self) -> Problem:
        """Give the same news as a value that can stand in a list beside others."""
        return Problem(self.code, self.sentence, place=self.place, hint=self.hint)


def nearest(word: str, known: Iterable[str]) -> str:
    """Answer `Did you mean "x"?` for the known word most like `word`, or nothing when none is like it."""
    close = difflib.get_close_matches(word[:200], list(known), n=1, cutoff=0.6)
    return f'Did you mean "{close[0]}"?' if close else ""
