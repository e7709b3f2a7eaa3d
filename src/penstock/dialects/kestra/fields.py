"""What does one property of a map say? Its value, or a note of what is wrong and a value that stands in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from penstock.dialects.kestra.durations import MICROS, parse_duration
from penstock.dialects.kestra.page import Page, key_of, note_templates, shown, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, Tree, as_text, kind_of, plain, written
from penstock.errors import nearest
from penstock.errors.flow import BadDuration, MissingProperty, UnknownProperty, UnknownType, WrongValue

NOTHING = Scalar(0, 0, "", None)


def known(page: Page, tree: Map, names: Iterable[str], owner: str) -> None:
    """Note every property that is not among the names."""
    allowed = frozenset(names)
    for name in tree.entries:
        if name not in allowed:
            sentence = f'{owner} has no property "{shown(name)}".'
            tell(page, UnknownProperty, tree.keys[name], sentence, suggestion(name, allowed))


def given(tree: Map, name: str) -> Tree | None:
    """The value of a property; None when it is not written, or written without a value."""
    found = tree.entries.get(name)
    return None if found is None or (isinstance(found, Scalar) and found.value is None) else found


def filled(page: Page, tree: Map, names: Iterable[str]) -> None:
    """Note what is written without a value, which versions 1 and 2 refuse of these lists and maps."""
    for name in names if page.version != "0.20" else ():
        if name in tree.entries and given(tree, name) is None:
            sentence = f'"{name}" is written without a value.'
            tell(
                page, WrongValue, tree.keys.get(name, tree), sentence, "Leave it out, or write `[]` or `{}` behind it."
            )


def needed(page: Page, tree: Map, name: str, owner: str) -> Tree | None:
    """The value of a property that has to be there."""
    found = given(tree, name)
    if found is None:
        tell(page, MissingProperty, key_of(tree, name), f'{owner} needs the property "{name}".')
    return found


def text(page: Page, tree: Map, name: str, default: str = "") -> str:
    """A property that is text; numbers and true or false count as the text they are written as."""
    found = given(tree, name)
    if found is None:
        return default
    if not isinstance(found, Scalar):
        wrong(page, found, name, "text")
        return default
    return as_text(found)


def template(page: Page, tree: Map, name: str, owner: str, sort: str) -> str:
    """A property that is text and is rendered when the flow runs."""
    found = given(tree, name)
    if found is not None:
        note_templates(page, found, owner, sort)
    if isinstance(found, Scalar) and isinstance(found.value, bool):
        return written(found.value)
    return text(page, tree, name)


def flag(page: Page, tree: Map, name: str, default: bool = False) -> bool:
    """A property that is true or false."""
    found = given(tree, name)
    if found is None:
        return default
    if isinstance(found, Scalar):
        if isinstance(found.value, bool):
            return found.value
        if found.text.lower() in ("true", "false"):
            return found.text.lower() == "true"
    wrong(page, found, name, "true or false")
    return default


def whole(page: Page, tree: Map, name: str, least: int = 0) -> int | None:
    """A property that is a whole number of at least `least`."""
    found = given(tree, name)
    if found is None:
        return None
    value = found.value if isinstance(found, Scalar) else None
    if isinstance(value, str) and value.strip().isascii() and value.strip().lstrip("-").isdigit() and len(value) < 20:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        wrong(page, found, name, "a whole number")
        return None
    if not least <= value < 2**31:
        tell(page, WrongValue, found, f'"{name}" is {value}; it must be {least} or more, and below 2³¹.')
        return None
    return value


def number(page: Page, tree: Map, name: str, default: float) -> float:
    """A property that is a number."""
    found = given(tree, name)
    if found is None:
        return default
    value = found.value if isinstance(found, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        wrong(page, found, name, "a number")
        return default
    return float(value)


def duration(page: Page, tree: Map, name: str) -> int | None:
    """A property that is a span of time, in microseconds; a number counts seconds."""
    found = given(tree, name)
    return None if found is None else span(page, found, name)


def span(page: Page, found: Tree, name: str) -> int | None:
    """A value that is a span of time, zero or more, in microseconds."""
    if not isinstance(found, Scalar) or isinstance(found.value, bool):
        wrong(page, found, name, "a duration")
        return None
    value = found.value
    micros = round(value * MICROS) if isinstance(value, int | float) and value < 10**10 else parse_duration(found.text)
    if micros is None:
        tell(page, BadDuration, found, f'"{name}" is "{shown(found.text)}", which is no duration.')
    elif micros < 0:
        tell(page, BadDuration, found, f'"{name}" is "{shown(found.text)}"; a time to wait cannot be negative.')
        return None
    return micros


def how_many(page: Page, tree: Map, name: str, owner: str, default: int = 0) -> int | str:
    """A property that is a whole number, or a template that gives one when its group begins."""
    found = given(tree, name)
    if isinstance(found, Scalar) and ("{{" in found.text or "{%" in found.text):
        return template(page, tree, name, owner, "decides")
    number = whole(page, tree, name)
    return default if number is None else number


def choice(page: Page, tree: Map, name: str, words: Sequence[str], default: str) -> str:
    """A property that is one of some upper-case words."""
    found = given(tree, name)
    if found is None:
        return default
    word = as_text(found) if isinstance(found, Scalar) else ""
    if word.upper() in words:
        return word.upper()
    if not isinstance(found, Scalar):
        wrong(page, found, name, "text")
    else:
        hint = nearest(word.upper(), words) or f"It is one of {', '.join(words)}."
        tell(page, UnknownType, found, f'"{name}" cannot be "{shown(word)}".', hint)
    return default


def items(page: Page, tree: Map, name: str) -> tuple[Tree, ...]:
    """A property that is a list."""
    found = given(tree, name)
    if found is None:
        return ()
    if not isinstance(found, Items):
        wrong(page, found, name, "a list")
        return ()
    return found.items


def mapping(page: Page, tree: Map, name: str) -> Map | None:
    """A property that is a map."""
    found = given(tree, name)
    if found is None:
        return None
    if not isinstance(found, Map):
        wrong(page, found, name, "a map")
        return None
    return found


def maps(page: Page, tree: Map, name: str, each: str) -> list[Map]:
    """A property that is a list of maps."""
    found = []
    for item in items(page, tree, name):
        if isinstance(item, Map):
            found.append(item)
        else:
            tell(page, WrongValue, item, f"{each} is a map, and this is {kind_of(item)}.")
    return found


def texts(page: Page, tree: Map, name: str) -> tuple[str, ...]:
    """A property that is a list of text."""
    found = []
    for item in items(page, tree, name):
        if isinstance(item, Scalar) and item.value is not None:
            found.append(as_text(item))
        else:
            tell(page, WrongValue, item, f'"{name}" is a list of text, and this is {kind_of(item)}.')
    return tuple(found)


def values(page: Page, tree: Map, name: str) -> dict[str, object]:
    """A property that is a map of anything."""
    found = mapping(page, tree, name)
    return {} if found is None else {key: plain(item) for key, item in found.entries.items()}


def wrong(page: Page, found: Tree, name: str, wanted: str) -> None:
    """Note that a property is of the wrong kind."""
    instead = f'"{shown(found.text)}"' if isinstance(found, Scalar) else kind_of(found)
    tell(page, WrongValue, found, f'"{name}" is {wanted}, not {instead}.')


def suggestion(name: str, names: Iterable[str]) -> str:
    """The name that was probably meant, or all there are."""
    sorted_names = sorted(names)
    return nearest(name, sorted_names) or f"It has: {', '.join(sorted_names)}."


def text_of(tree: Tree, *, whole: bool = False) -> object:
    """A value whose every scalar is meant as text; where one text is wanted, a list or map is JSON."""
    match tree:
        case Items() | Map() if whole:
            return msgspec.json.encode(plain(tree)).decode()
        case Scalar(value=None):
            return None
        case Scalar():
            return tree.text if tree.text.lower() in ("yes", "no", "on", "off") else as_text(tree)
        case Items():
            return [text_of(item) for item in tree.items]
        case Map():
            return {key: text_of(item) for key, item in tree.entries.items()}
