"""What is YAML once read? Scalars, lists and maps, each with line and column where it stands (from 1; 0: nowhere)."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Plain: TypeAlias = bool | int | float | str | None


class Scalar(msgspec.Struct, frozen=True, gc=False):
    """One value: `text` as written, `value` as YAML means it; `style` is the quotation mark, `|`, `>` or empty."""

    line: int
    column: int
    text: str
    value: Plain
    style: str = ""


class Items(msgspec.Struct, frozen=True):
    """A list."""

    line: int
    column: int
    items: tuple[Tree, ...]


class Map(msgspec.Struct, frozen=True):
    """A map: its values by key, and where each key was written."""

    line: int
    column: int
    entries: dict[str, Tree]
    keys: dict[str, Scalar]


Tree: TypeAlias = Scalar | Items | Map
Path: TypeAlias = tuple[str | int, ...]


def plain(tree: Tree) -> object:
    """The tree as plain values, positions forgotten."""
    match tree:
        case Scalar():
            return tree.value
        case Items():
            return [plain(item) for item in tree.items]
        case Map():
            return {name: plain(item) for name, item in tree.entries.items()}


def planted(value: object) -> Tree:
    """Plain values as a tree that was written nowhere."""
    match value:
        case dict():
            entries = {str(name): planted(item) for name, item in value.items()}
            return Map(0, 0, entries, {name: Scalar(0, 0, name, name) for name in entries})
        case list() | tuple():
            return Items(0, 0, tuple(planted(item) for item in value))
        case None | bool() | int() | float() | str():
            return Scalar(0, 0, written(value), value)
        case _:
            return Scalar(0, 0, str(value), str(value))


def written(value: Plain) -> str:
    """A value as text in a flow: true and false in small letters, nothing for null."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def as_text(scalar: Scalar) -> str:
    """A scalar where text is wanted: as it was written, so that 1.10 stays 1.10; true and false in small letters."""
    if isinstance(scalar.value, str):
        return scalar.value
    if scalar.value is None:
        return ""
    return scalar.text.lower() if isinstance(scalar.value, bool) else scalar.text


def size_of(tree: Tree) -> int:
    """How many parts a tree has, itself included."""
    match tree:
        case Scalar():
            return 1
        case Items():
            return 1 + sum(map(size_of, tree.items))
        case Map():
            return 1 + sum(map(size_of, tree.entries.values()))


def spot(tree: Tree, path: Path, *, key: bool = False) -> Tree:
    """The part of a tree at a path, or its key there; the deepest part that exists when the path goes on beyond it."""
    here = tree
    for index, step in enumerate(path):
        if isinstance(here, Map) and str(step) in here.entries:
            if key and index == len(path) - 1:
                return here.keys[str(step)]
            here = here.entries[str(step)]
        elif isinstance(here, Items) and isinstance(step, int) and step < len(here.items):
            here = here.items[step]
        else:
            break
    return here


def kind_of(tree: Tree) -> str:
    """What a value is, in a word for people."""
    match tree:
        case Map():
            return "a map"
        case Items():
            return "a list"
        case Scalar(value=None):
            return "empty"
        case Scalar(value=bool()):
            return "true or false"
        case Scalar(value=int() | float()):
            return "a number"
        case Scalar():
            return "text"
