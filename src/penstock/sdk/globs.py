"""Which files does a pattern mean? As Java's globs do: `*` within a folder, `**` across, `{a,b}` one or the other."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[str]:
    """The names of all files below a folder, by name; links to folders are not followed."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        yield from ((Path(root) / name).relative_to(folder).as_posix() for name in sorted(names))


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name fits one of the patterns."""
    return any(compiled(pattern).fullmatch(name) for pattern in patterns)


@functools.lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression; what cannot be read as one means itself. `**/` stands for no folder, too."""
    text = pattern.removeprefix("glob:").removeprefix("./").lstrip("/")
    try:
        return re.compile(_translated(text), re.DOTALL)
    except re.error:
        return re.compile(re.escape(text))


def _translated(text: str) -> str:
    found: list[str] = []
    at, within = 0, 0
    while at < len(text):
        sign = text[at]
        at += 1
        match sign:
            case "*" if text.startswith("*/", at):
                found.append("(?:.*/)?")
                at += 2
            case "*" if text.startswith("*", at):
                found.append(".*")
                at += 1
            case "*":
                found.append("[^/]*")
            case "?":
                found.append("[^/]")
            case "[" if (end := text.find("]", at + 1)) > 0:
                inside = text[at:end].replace("\\", "\\\\")
                found.append(f"[{f'^{inside[1:]}' if inside[0] == '!' else inside}]")
                at = end + 1
            case "{":
                within += 1
                found.append("(?:")
            case "}" if within:
                within -= 1
                found.append(")")
            case "," if within:
                found.append("|")
            case "\\" if at < len(text):
                found.append(re.escape(text[at]))
                at += 1
            case _:
                found.append(re.escape(sign))
    return "".join(found)
