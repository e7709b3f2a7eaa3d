"""What is in the repository, as the house's tests read it? Its files, and its Python parsed once."""

from __future__ import annotations

import ast
import functools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "penstock"


class Page(msgspec.Struct, frozen=True):
    """One Python file: its path from the root, its text and its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        return self.text.count("\n")


@functools.cache
def files() -> tuple[str, ...]:
    """Every file that is or would be committed, by its path from the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True, env=git_free()).stdout
    return tuple(sorted({path for path in listing.split("\0") if path and (ROOT / path).is_file()}))


def git_free() -> dict[str, str]:
    """This process's environment without what a git hook puts there, which would name another repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


@functools.cache
def pages() -> tuple[Page, ...]:
    """Every Python file of the repository."""
    return tuple(page(path) for path in files() if path.endswith(".py"))


@functools.cache
def page(path: str) -> Page:
    """One Python file, parsed."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return Page(path, text, ast.parse(text, filename=path))


def own_pages() -> tuple[Page, ...]:
    """The files of the package itself."""
    return tuple(each for each in pages() if each.path.startswith("src/penstock/"))


def texts(*endings: str) -> Iterator[tuple[str, str]]:
    """Every committed text (with one of the endings, where some are given), by path."""
    for path in files():
        if endings and not path.endswith(endings):
            continue
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            yield path, content.decode("utf-8", errors="replace")


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a tree, nested ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def offenders(title: str, found: list[str]) -> str:
    """What a failing test says: the rule, how many break it, and each by name."""
    return "\n  ".join([f"{title} ({len(found)}):", *found])
