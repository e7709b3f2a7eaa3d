"""Which functions render a value as a template of its own, or show what there is?"""

from __future__ import annotations

from collections.abc import Mapping

from penstock.errors.expr import UnknownWord
from penstock.expr.calls import Frame, deeper, spend
from penstock.expr.printing import to_json, to_text
from penstock.expr.registry import function
from penstock.expr.template import MAX_PASSES, render_again


@function("render")
def render(frame: Frame, to_render: object, recursive: bool = True) -> object:
    """The value with its texts rendered, again and again until nothing changes; raw parts stay as they are."""
    if frame.calls.recursive:
        raise UnknownWord("There is no function `render` where everything is rendered again by itself.")
    return _rendered(to_render, deeper(frame), MAX_PASSES if recursive else 1)


@function("renderOnce")
def render_once(frame: Frame, to_render: object) -> object:
    """The value with its texts rendered, one time."""
    return _rendered(to_render, deeper(frame), 1)


@function("printContext", "fetchContext")
def print_context(frame: Frame) -> str:
    """Every variable that can be seen here, as JSON."""
    return to_json(dict(frame.scope))


def _rendered(value: object, frame: Frame, passes: int) -> object:
    spend(frame, 1)
    match value:
        case str():
            return render_again(value, frame, passes)
        case list() | tuple():
            return [_part(item, frame, passes) for item in value]
        case Mapping():
            return {to_text(_part(key, frame, passes)): _part(item, frame, passes) for key, item in value.items()}
        case _:
            return to_text(value)


def _part(value: object, frame: Frame, passes: int) -> object:
    return _rendered(value, frame, passes) if isinstance(value, (str, list, tuple, Mapping)) else value
