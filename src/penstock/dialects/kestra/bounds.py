"""Does a default fit its input, and do an input's bounds leave room? What can be seen before anybody gives a value."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from typing import Final

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.durations import parse_duration
from penstock.dialects.kestra.page import Page, shown, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, Tree, as_text, kind_of, written
from penstock.errors import nearest
from penstock.errors.flow import WrongDefault, WrongValue
from penstock.model.inputs import Input

LOWER: Final = ("min", "after")
UPPER: Final = ("max", "before")
SHAPES: Final = {
    "INT": "a whole number",
    "FLOAT": "a number",
    "BOOLEAN": "true or false",
    "DATE": "a date such as 2016-01-31",
    "TIME": "a time such as 14:30:00",
    "DATETIME": "an instant such as 2016-01-31T14:30:00Z",
    "DURATION": "a duration such as PT5M",
}
WHOLE: Final = re.compile(r"[-+]?[0-9]{1,18}")
URI: Final = re.compile(r"[a-z][a-z0-9+.-]*://\S+")
EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def is_template(text: str) -> bool:
    """Does a text have to be rendered before it says anything?"""
    return "{{" in text or "{%" in text


def low(owner: str) -> str:
    """An owner's words inside a sentence."""
    return owner[:1].lower() + owner[1:]


def check_order(page: Page, tree: Map, made: Input, owner: str) -> None:
    """Bounds are of the input's own kind, and the lower one is not above the upper one."""
    read = READERS.get(made.type)
    if read is None:
        return
    found: list[object] = []
    for names in (LOWER, UPPER):
        bound = next((tree.entries[name] for name in names if fields.given(tree, name) is not None), None)
        if bound is None:
            continue
        value = read(as_text(bound)) if isinstance(bound, Scalar) else None
        if value is None:
            tell(page, WrongValue, bound, f"A bound of {low(owner)} is {SHAPES[made.type]}.")
            continue
        found.append(value)
    if len(found) == 2 and _above(found[0], found[1]):
        at = next(tree.entries[name] for name in LOWER if name in tree.entries)
        tell(page, WrongValue, at, f"{owner} accepts nothing: its lower bound is above its upper bound.")


def check_default(page: Page, default: Tree, made: Input, owner: str) -> None:
    """A default is a value that the input accepts."""
    why = _misfit(default, made)
    if why:
        hint = nearest(as_text(default), [str(value) for value in made.values]) if isinstance(default, Scalar) else ""
        tell(page, WrongDefault, default, f"The default of {low(owner)} {why}.", hint)


def _misfit(default: Tree, made: Input) -> str:
    match made.type:
        case "FILE":
            uri = isinstance(default, Scalar) and default.text.startswith(("nsfile:///", "file:///", "kestra:///"))
            return "" if uri else "must be the address of a file: nsfile:///… or file:///…"
        case "JSON" | "YAML":
            return ""
        case "ARRAY" | "MULTISELECT":
            return _misfit_list(default, made)
        case _ if not isinstance(default, Scalar):
            return f"cannot be {kind_of(default)}"
        case _:
            # A number may be written in more ways in YAML than in text: 1_000, 0x1F.
            number = isinstance(default.value, int | float) and made.type in ("INT", "FLOAT")
            return _misfit_text(written(default.value) if number else as_text(default), made)


def _misfit_list(default: Tree, made: Input) -> str:
    if isinstance(default, Scalar):
        return "" if as_text(default).lstrip().startswith("[") else "is no list"
    if isinstance(default, Map):
        return "is no list"
    for item in default.items:
        if isinstance(item, Items | Map):
            if made.item_type not in ("JSON", "YAML"):
                return f"holds {kind_of(item)}"
            continue
        text = as_text(item)
        read = READERS.get(made.item_type)
        if read is not None and not is_template(text) and read(text) is None:
            return f'holds "{shown(text)}", which is not {SHAPES[made.item_type]}'
        if made.values and not made.allow_custom and text not in made.values:
            return f'holds "{shown(text)}", which is none of its values'
    return ""


def _misfit_text(text: str, made: Input) -> str:
    read = READERS.get(made.type)
    if read is not None:
        value = read(text)
        if value is None:
            return f'is "{shown(text)}", which is not {SHAPES[made.type]}'
        lower, upper = (None if bound is None else read(str(bound)) for bound in (made.least, made.most))
        if lower is not None and _above(lower, value):
            return f'is "{shown(text)}", below its lower bound'
        if upper is not None and _above(value, upper):
            return f'is "{shown(text)}", above its upper bound'
        return ""
    if made.type == "SELECT" and made.values and not made.allow_custom and text not in made.values:
        return f'is "{shown(text)}", which is none of its values'
    if made.type == "URI" and not URI.fullmatch(text):
        return f'is "{shown(text)}", which is no URI'
    if made.type == "EMAIL" and not EMAIL.fullmatch(text):
        return f'is "{shown(text)}", which is no e-mail address'
    if made.type == "STRING" and made.validator and not _matches(made.validator, text):
        return f'is "{shown(text)}", which its validator refuses'
    return ""


def _matches(pattern: str, text: str) -> bool:
    try:
        import regex

        return regex.fullmatch(pattern, text, timeout=0.2) is not None
    except TimeoutError:
        return True


def _above(one: object, other: object) -> bool:
    match one, other:
        case (int() | float(), int() | float()):
            return one > other
        case (datetime.datetime(), datetime.datetime()):
            return one > other
        case (datetime.time(), datetime.time()):
            return one.replace(tzinfo=None) > other.replace(tzinfo=None)
        case (datetime.date(), datetime.date()):
            return one > other
        case _:
            return False


def _int(text: str) -> int | None:
    return int(text) if WHOLE.fullmatch(text.strip()) else None


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _bool(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _time(text: str) -> datetime.time | None:
    try:
        return datetime.time.fromisoformat(text)
    except ValueError:
        return None


def _instant(text: str) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


READERS: Final[dict[str, Callable[[str], object]]] = {
    "INT": _int,
    "FLOAT": _float,
    "BOOLEAN": _bool,
    "DATE": _date,
    "TIME": _time,
    "DATETIME": _instant,
    "DURATION": parse_duration,
}
