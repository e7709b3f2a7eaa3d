"""Which value does a YAML text hold? Its first document, by the rules of YAML 1.1, without anchors and merging."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from penstock.errors.expr import ExprFailed
from penstock.expr.calls import Frame, spend

if TYPE_CHECKING:
    import yaml

_INT = re.compile(r"[+-]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:\d[\d_]*\.[\d_]*|\.\d[\d_]*|\d[\d_]*(?=[eE]))(?:[eE][+-]?\d+)?", re.ASCII)
_WORDS: dict[str, object] = {
    spelled: value
    for name, value in {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}.items()
    for spelled in (name, name.capitalize(), name.upper())
}
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))


def from_yaml(text: str, frame: Frame) -> object:
    """Read a YAML text; raises ExprFailed."""
    import yaml

    try:
        events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                return _node(next(events), events, frame)
    except yaml.YAMLError as error:
        told = " ".join(str(error).split())
        raise ExprFailed(f"This is no YAML: {told[:200]}.") from None
    raise ExprFailed("This is no YAML: there is nothing in it.")


def _node(event: yaml.Event, events: Iterator[yaml.Event], frame: Frame) -> object:
    import yaml

    spend(frame, 1)
    match event:
        case yaml.ScalarEvent():
            return _scalar(event)
        case yaml.AliasEvent():
            return event.anchor
        case yaml.SequenceStartEvent():
            made = []
            while not isinstance(below := next(events), yaml.SequenceEndEvent):
                made.append(_node(below, events, frame))
            return made
        case _:
            entries: dict[str, object] = {}
            while not isinstance(below := next(events), yaml.MappingEndEvent):
                if not isinstance(below, yaml.ScalarEvent):
                    raise ExprFailed("This is no YAML that can be read here: a key is a text.")
                entries[below.value] = _node(next(events), events, frame)
            return entries


def _scalar(event: yaml.ScalarEvent) -> object:
    text = event.value
    plain, quoted_too = event.implicit
    del quoted_too
    if not plain or (event.tag is not None and event.tag.endswith(":str")):
        return text
    if text in _NULLS:
        return None
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > 1000:
        return text
    if _INT.fullmatch(text):
        return _whole(text)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    if text.lower().lstrip("+-") in (".inf", ".nan"):
        raise ExprFailed(f"`{text}` is no number that can be read here.")
    return text


def _whole(text: str) -> object:
    digits = text.replace("_", "")
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    try:
        if digits[:2] in ("0x", "0b"):
            return sign * int(digits, 0)
        return sign * int(digits, 8 if len(digits) > 1 and digits.startswith("0") else 10)
    except ValueError:
        return text
