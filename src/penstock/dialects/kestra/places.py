"""Where in the file is it? Lines for carets, paths such as `tasks[0].message`, places inside values."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from penstock.dialects.kestra.page import WHOLE
from penstock.dialects.kestra.tree import Items, Map, Scalar, Tree
from penstock.errors.problem import Problem

BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
PROPERTIES: Final = re.compile(r"(?:[&!][^\s]*\s+)+")
ESCAPE: Final = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.|$)")
LONGEST_LINE: Final = 1000
LONGEST_TEXT: Final = 200_000


def lines_of(source: str) -> list[str]:
    """The lines of a text as YAML counts them."""
    return BREAK.split(source)


def finish(problems: list[Problem], tree: Tree | None, source: str, file: str) -> tuple[Problem, ...]:
    """Give each problem its file, line and path; in the order of the text, each once."""
    if not problems:
        return ()
    lines = lines_of(source)
    spots = sorted(_spots(tree, ""), key=lambda spot: spot[0]) if tree is not None else []
    starts = [spot[0] for spot in spots]
    found: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        place, path = problem.place, ""
        if place is not None:
            text = lines[place.line - 1] if place.line <= len(lines) else ""
            place = replace(place, file=file, text=text[:LONGEST_LINE])
            path = _path(spots, starts, (place.line, place.column), problem.path == WHOLE)
        told = replace(problem, place=place, path=path)
        found.setdefault((place and (place.line, place.column), told.code, told.sentence), told)
    return tuple(
        sorted(found.values(), key=lambda told: (told.place.line, told.place.column) if told.place else (0, 0))
    )


def inside(lines: list[str], scalar: Scalar, offset: int) -> tuple[int, int]:
    """Line and column in the file of a character of a scalar's text.

    Blanks are what YAML folds and indents, so the characters between them are counted, in the text and in the file.
    Of a very long text the beginning has to do.
    """
    if len(scalar.text) > LONGEST_TEXT:
        return scalar.line, scalar.column
    before = sum(1 for character in scalar.text[:offset] if not character.isspace())
    for line, column, _ in _characters(lines, scalar):
        if before == 0:
            return line, column
        before -= 1
    return scalar.line, scalar.column


def _characters(lines: list[str], scalar: Scalar) -> Iterator[tuple[int, int, str]]:
    """Every character of a scalar that is no blank, as it stands in the file."""
    row, at = scalar.line - 1, scalar.column - 1
    if found := PROPERTIES.match(lines[row], at):
        at = found.end()
    block = scalar.style in ("|", ">")
    if block:
        row, at = row + 1, 0
    elif scalar.style:
        at += 1
    while row < len(lines):
        line = lines[row]
        while at < len(line):
            size, counts = _one(line, at, scalar.style)
            if counts:
                yield row + 1, at + 1, line[at]
            at += size
        row, at = row + 1, 0


def _one(line: str, at: int, style: str) -> tuple[int, bool]:
    """How many characters of the file make the next character of the text, and whether that is no blank."""
    character = line[at]
    if style == '"' and character == "\\" and (found := ESCAPE.match(line, at)):
        code = found[0][1:]
        blank = code in ("", " ", "t", "n", "r", "v", "f", "N", "_", "L", "P", "\t") or code in (
            "x20",
            "x0a",
            "x09",
            "x0A",
        )
        return len(found[0]), not blank
    if style == "'" and line.startswith("''", at):
        return 2, True
    return 1, not character.isspace()


def _path(
    spots: list[tuple[tuple[int, int], str, bool]], starts: list[tuple[int, int]], at: tuple[int, int], whole: bool
) -> str:
    index = bisect.bisect_right(starts, at) - 1
    if index < 0:
        return ""
    start = starts[index]
    while whole and index >= 0 and starts[index] == start:
        if spots[index][2]:
            return spots[index][1]
        index -= 1
    return spots[bisect.bisect_right(starts, at) - 1][1]


def _spots(tree: Tree, path: str) -> Iterator[tuple[tuple[int, int], str, bool]]:
    """Where every part of the tree begins: its path, and whether it is a list or map."""
    waiting: list[tuple[Tree, str]] = [(tree, path)]
    while waiting:
        part, path = waiting.pop()
        match part:
            case Scalar():
                yield (part.line, part.column), path, False
            case Items():
                yield (part.line, part.column), path, True
                waiting.extend((item, f"{path}[{index}]") for index, item in enumerate(part.items))
            case Map():
                yield (part.line, part.column), path, True
                for name, item in part.entries.items():
                    below = f"{path}.{name}" if path else name
                    yield (part.keys[name].line, part.keys[name].column), below, False
                    waiting.append((item, below))
