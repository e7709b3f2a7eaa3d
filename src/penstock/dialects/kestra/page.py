"""What is at hand while one flow is read? The setting, the task types, and the lists that fill with what is found."""

from __future__ import annotations

from typing import Final

import msgspec

from penstock.dialects.kestra.tree import Map, Scalar, Tree
from penstock.dialects.kestra.types import Types
from penstock.errors import PenstockError, Place, Problem, Severity
from penstock.errors.flow import TooLarge

# Stands in a problem's path until the end of the reading: the problem is about the whole list or map at its place.
WHOLE = "*"
MOST: Final = 500


class Found(msgspec.Struct, frozen=True):
    """A template in the text: whose property it is in, what sort of place that is, whether people see it."""

    scalar: Scalar
    owner: str
    sort: str
    printed: bool = False


class Page(msgspec.Struct, frozen=True):
    """One reading. `around` is where the part stands that is being read: the place of what was written nowhere.

    `queue` is the one of tasks that say none.
    """

    file: str
    version: str
    types: Types
    namespace: str = ""
    problems: list[Problem] = []
    templates: list[Found] = []
    around: list[Tree] = []
    queue: str = "default"


def tell(
    page: Page,
    error: type[PenstockError],
    at: Tree,
    sentence: str,
    hint: str = "",
    severity: Severity = Severity.ERROR,
) -> None:
    """Note a problem at the place of a part of the text."""
    if at.line == 0 and page.around:
        at = page.around[-1]
    place = Place(at.line, at.column, page.file) if at.line else None
    path = "" if isinstance(at, Scalar) else WHOLE
    problem = Problem(error.code, sentence, place=place, hint=hint or error.hint, severity=severity, path=path)
    add(page, problem)


def add(page: Page, problem: Problem) -> None:
    """Keep a problem; raises TooLarge when there are so many that nobody reads them all."""
    if len(page.problems) >= MOST:
        raise TooLarge(f"There are more than {MOST} problems; reading ended here.", place=problem.place)
    page.problems.append(problem)


def key_of(tree: Map, name: str) -> Tree:
    """Where a property is written: its key, or the map when it is not."""
    return tree.keys.get(name, tree)


def note_templates(page: Page, tree: Tree, owner: str, sort: str, *, printed: bool = False) -> None:
    """Keep every template of a part of the text, keys too, for the check at the end."""
    match tree:
        case Scalar():
            if isinstance(tree.value, str) and ("{{" in tree.text or "{%" in tree.text):
                page.templates.append(Found(tree, owner, sort, printed))
        case Map():
            for name, item in tree.entries.items():
                if "{{" in name:
                    page.templates.append(Found(tree.keys[name], owner, sort, printed))
                note_templates(page, item, owner, sort, printed=printed)
        case _:
            for item in tree.items:
                note_templates(page, item, owner, sort, printed=printed)


def shown(text: str) -> str:
    """People's text as it may stand in a sentence: one line, at most 60 characters."""
    line = "".join(each if each.isprintable() else "�" for each in " ".join(text[:1000].split()))
    return line if len(line) <= 60 else f"{line[:57]}…"
