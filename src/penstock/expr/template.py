"""How is a text with `{{ … }}` compiled once and rendered many times? Template, and rendering of whole trees."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NoReturn

import msgspec

from penstock.errors import PenstockError, Place
from penstock.errors.expr import ExprError, ExprLimit
from penstock.expr.calls import PURE, Calls, Frame, tank
from penstock.expr.closures import compiled
from penstock.expr.grammar import LOOSENED
from penstock.expr.nodes import Body, Print
from penstock.expr.parser import parse
from penstock.expr.printing import to_text
from penstock.expr.scope import Missing, told
from penstock.expr.source import Emit, Run, Source, source_of
from penstock.expr.statements import Plain, emitter, text_of
from penstock.expr.uses import Uses, uses_of

MAX_PASSES = 100
_CACHED_TEXT = 20_000
_WITHIN = "of the text that is rendered here."


class Template(msgspec.Struct, frozen=True, eq=False):
    """A compiled text: what it is, what it reads, and how to render it."""

    text: str
    constant: bool
    uses: Uses
    pure: bool
    source: Source
    body: Body
    emit: Emit
    # The closure of the one expression, when the text is that and nothing else.
    alone: Run | None
    # The same text as language version 2 reads it, where that is another tree.
    loose: Template | None = None

    def render(self, scope: Mapping[str, object], calls: Calls = PURE) -> str:
        """Give the text; raises an ExprError whose place is relative to the template's text."""
        if self.constant:
            return self.text
        if self.loose is not None and calls.version == "2":
            return self.loose.render(scope, calls)
        frame = self._frame(scope, calls)
        text = self.render_in(frame)
        return render_again(text, frame, MAX_PASSES) if calls.recursive else text

    def value(self, scope: Mapping[str, object], calls: Calls = PURE) -> object:
        """Give the value, its type kept when exactly one expression is printed, else the text."""
        if self.constant:
            return self.text
        if self.loose is not None and calls.version == "2":
            return self.loose.value(scope, calls)
        frame = self._frame(scope, calls)
        try:
            if calls.recursive:
                return self._again(frame)
            if self.alone is not None:
                return self.alone(frame)
            out: list[object] = []
            self.emit(frame, out)
            value = _kept_type(frame, out)
            if self.source.variables and not isinstance(value, str):
                # Only a template with variables can make a value that holds itself many times over.
                to_text(value)
            return value
        except (Missing, RecursionError, ExprError) as error:
            self._tell(error)

    @property
    def is_one(self) -> bool:
        """Is the text nothing but one expression?"""
        return self.alone is not None or (self.loose is not None and self.loose.is_one)

    def render_in(self, frame: Frame) -> str:
        """Render on behalf of another template, with its fuel and depth."""
        if self.loose is not None and frame.calls.version == "2":
            return self.loose.render_in(frame)
        try:
            if self.alone is not None:
                text = to_text(self.alone(frame))
                return text if len(text) <= frame.calls.output else text_of(frame, [text])
            out: list[object] = []
            self.emit(frame, out)
            return text_of(frame, out)
        except (Missing, RecursionError, ExprError) as error:
            self._tell(error)

    def _again(self, frame: Frame) -> object:
        """Give the value, and where it is a text with more to render, what comes of that."""
        if self.alone is not None and not isinstance(value := self.alone(frame), str):
            return value
        return render_again(self.render_in(frame), frame, MAX_PASSES)

    def _frame(self, scope: Mapping[str, object], calls: Calls) -> Frame:
        layers: tuple[dict[str, object], ...] = ({},) if self.source.variables else ()
        return Frame(scope, calls, layers, tank(calls), 0, [] if calls.recursive else None)

    def _tell(self, error: Missing | RecursionError | ExprError) -> NoReturn:
        match error:
            case Missing():
                raise told(error, self.text) from None
            case ExprError():
                error.place = error.place or Place(1, 1, text=_line(self.text))
                raise error
            case RecursionError():
                where = Place(1, 1, text=_line(self.text))
                raise ExprLimit("The expression, or a value in it, nests too deep.", place=where) from None


def compile(text: str, place: Place | None = None) -> Template:
    """Compile a text; raises ExprSyntaxError, with lines and columns counted on from `place` when it is given."""
    try:
        return _cached(text) if len(text) <= _CACHED_TEXT else _compiled(text)
    except PenstockError as error:
        if place is not None and error.place is not None:
            error.place = moved(error.place, place)
        raise


def moved(inner: Place, outer: Place) -> Place:
    """Tell where a place of the template's text is in the file whose `outer` place the text starts at."""
    if inner.line == 1:
        line = outer.text or inner.text
        return Place(outer.line, outer.column + inner.column - 1, outer.file, line)
    return Place(outer.line + inner.line - 1, inner.column, outer.file, inner.text)


def render(tree: object, scope: Mapping[str, object], calls: Calls = PURE) -> object:
    """Render every text of a tree of maps (keys too) and lists; other values stay as they are."""
    try:
        return _rendered(tree, scope, calls)
    except RecursionError:
        raise ExprLimit("The value to be rendered nests too deep.") from None


def render_again(text: str, frame: Frame, passes: int) -> str:
    """Render a text, and what comes out of it, until nothing changes; raw parts stay as they are."""
    kept: list[str] = frame.kept if frame.calls.recursive and frame.kept is not None else []
    for _ in range(passes):
        if "{" not in text:
            break
        rendered = _inner(text, frame, kept)
        if rendered == text:
            break
        text = rendered
    else:
        if passes > 1:
            raise ExprLimit(f"The text still changes after it was rendered {MAX_PASSES} times.")
    for number, raw in enumerate(kept):
        text = text.replace(f"\ue000{number}\ue001", raw)
    return text


def _inner(text: str, frame: Frame, kept: list[str]) -> str:
    """Render a text within a text; its errors are told at the place of the call, which is in the file people wrote."""
    try:
        template = compile(text)
        layers: tuple[dict[str, object], ...] = ({},) if template.source.variables else ()
        inner = Frame(frame.scope, frame.calls, layers, frame.fuel, frame.depth, kept)
        return text if template.constant else template.render_in(inner)
    except ExprError as error:
        tail = "" if error.sentence.endswith(_WITHIN) else f" At {error.place} {_WITHIN}"
        raise type(error)(error.sentence + tail, hint=error.hint) from None


def truthy(value: object) -> bool:
    """Tell whether a rendered condition holds: all but null, nothing but blanks, "false", "0" and "-0"."""
    return value is not None and to_text(value).strip() not in ("", "false", "0", "-0")


def _rendered(tree: object, scope: Mapping[str, object], calls: Calls) -> object:
    match tree:
        case str():
            return compile(tree).render(scope, calls) if "{" in tree else tree
        case dict():
            return {_rendered(key, scope, calls): _rendered(value, scope, calls) for key, value in tree.items()}
        case list():
            return [_rendered(item, scope, calls) for item in tree]
        case _:
            return tree


@functools.lru_cache(maxsize=8192)
def _cached(text: str) -> Template:
    return _compiled(text)


def _compiled(text: str) -> Template:
    if "{{" not in text and "{%" not in text and "{#" not in text:
        return Template(text, True, Uses(), True, source_of(text, ()), (), _nothing, None)
    body = parse(text)
    made = _made(text, body)
    if any(word in text for word in LOOSENED) and (other := parse(text, loose=True)) != body:
        return msgspec.structs.replace(made, loose=_made(text, other))
    return made


def _made(text: str, body: Body) -> Template:
    source = source_of(text, body)
    uses = uses_of(body, source)
    try:
        alone = compiled(body[0].of, source) if len(body) == 1 and isinstance(body[0], Print) else None
        emit = _nothing if alone is not None else emitter(body, source)
    except RecursionError:
        raise ExprLimit("The expression nests too deep.", place=Place(1, 1, text=_line(text))) from None
    return Template(text, False, uses, uses.pure, source, body, emit, alone)


def _kept_type(frame: Frame, out: list[object]) -> object:
    printed = [value for value in out if not isinstance(value, Plain)]
    blank = not any(isinstance(value, Plain) and value.strip() for value in out)
    if len(printed) == 1 and blank and not isinstance(printed[0], str):
        return printed[0]
    return text_of(frame, out)


def _nothing(frame: Frame, out: list[object]) -> None:
    """Print nothing."""


def _line(text: str) -> str:
    return text.partition("\n")[0]
