"""What does a name mean here? Lookup in maps and lists, which are data: no Python attribute is ever read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from penstock.errors import nearest
from penstock.errors.expr import UnknownName
from penstock.expr.lexer import place_of
from penstock.expr.printing import kind_of


class Absent:
    """The type of ABSENT alone: what a lookup gives where there is nothing, since null is a value."""

    __slots__ = ()


ABSENT = Absent()


class Missing(Exception):
    """A name was not found; told to people as UnknownName once nobody has caught it."""

    def __init__(self, at: int, name: str, owner: str, container: object, also: Iterable[str] = ()) -> None:
        super().__init__(name)
        self.at = at
        self.name = name
        self.owner = owner
        self.container = container
        self.also = also


def entry(container: object, key: object) -> object:
    """Give the entry of a map or the element of a list, or ABSENT."""
    if isinstance(container, Mapping):
        return _of_map(container, key)
    if isinstance(container, (list, tuple)):
        index = int(key) if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 10 else key
        if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(container):
            return container[index]
    return ABSENT


def told(missing: Missing, text: str) -> UnknownName:
    """Turn a missing name into the error that people see."""
    known = _names(missing.container, missing.also)
    hint = _hyphen(missing.name, known) or nearest(missing.name, known)
    match missing.container:
        case Mapping() if not missing.owner:
            sentence = f"There is no `{missing.name}` here."
        case Mapping():
            sentence = f"`{missing.owner}` has no `{missing.name}`."
        case list() | tuple():
            count = len(missing.container)
            sentence = f"`{missing.owner}` is a list of {count}, which has no element `{missing.name}`."
        case _:
            sentence = f"`{missing.owner}` is {kind_of(missing.container)}, which has no `{missing.name}`."
    return UnknownName(sentence, hint=hint, place=place_of(text, missing.at))


def _of_map(container: Mapping[object, object], key: object) -> object:
    if isinstance(key, (list, dict)):
        return ABSENT
    try:
        return container[key]
    except KeyError:
        pass
    # Keys that were numbers become text on their way through JSON; the index stays a number.
    if isinstance(key, int) and not isinstance(key, bool):
        try:
            return container[str(key)]
        except KeyError:
            pass
    return ABSENT


def _names(container: object, also: Iterable[str]) -> list[str]:
    names = list(also)
    if isinstance(container, Mapping):
        names += [key for key, _ in zip(container, range(5000), strict=False) if isinstance(key, str)]
    return names


def _hyphen(name: str, known: list[str]) -> str:
    for other in known:
        if other.startswith(name + "-"):
            return f"A name with a hyphen stands in brackets: `['{other}']`."
    return ""
