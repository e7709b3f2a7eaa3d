"""How do properties become a task? Rendered text is turned into what each field wants; all misfits are told."""

from __future__ import annotations

import enum
import functools
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from penstock.errors import nearest
from penstock.errors.problem import Problem
from penstock.errors.task import InvalidProperties
from penstock.sdk.task import TaskType
from penstock.sdk.values import OWN, dec_hook

T = TypeVar("T", bound=TaskType)
CODE: Final = InvalidProperties.code
# Of so many words all are told; of more, some.
MOST: Final = 10
FIRST: Final = 4
NUMBERS: Final = (int, float, bool)


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a field accepts, as far as text has to be turned into it."""

    text: bool = False
    number: bool = False
    nothing: bool = False
    anything: bool = False
    items: Shape | None = None
    values: Shape | None = None
    struct: type[msgspec.Struct] | None = None
    words: dict[str, object] = {}

    @property
    def nested(self) -> bool:
        """Whether text may be JSON of something with parts."""
        return self.items is not None or self.values is not None or self.struct is not None


def decode(kind: type[T], properties: Mapping[str, object]) -> T:
    """Make a task of rendered properties; InvalidProperties lists each that is unknown, missing or unfit."""
    given = _fields_of(kind, properties)
    try:
        return msgspec.convert(given, kind, strict=False, dec_hook=dec_hook)
    except msgspec.ValidationError as error:
        problems = tuple(_problems(kind, given)) or (Problem(CODE, f"{error}."),)
        raise InvalidProperties(kind.type_name, problems) from None


def check(kind: type[TaskType], properties: Mapping[str, object]) -> tuple[Problem, ...]:
    """What is wrong with properties as written; values that hold a template are judged only when rendered."""
    return tuple(_problems(kind, _fields_of(kind, properties), written=True))


def field_names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The properties that a type declares, as flows write them."""
    return tuple(field.encode_name for field in _fields(kind))


def output_fields(kind: type[TaskType]) -> tuple[str, ...]:
    """The names of what a type's tasks hand on."""
    return tuple(kind.outputs)


def has_template(value: object) -> bool:
    """Whether a value as written holds a template anywhere."""
    match value:
        case str():
            return "{{" in value or "{%" in value
        case Mapping():
            return any(has_template(name) or has_template(item) for name, item in value.items())
        case list() | tuple():
            return any(has_template(item) for item in value)
        case _:
            return False


@functools.cache
def shapes(kind: type[msgspec.Struct]) -> dict[str, Shape]:
    """The shape of each property of a type."""
    return {field.encode_name: shape_of(field.type) for field in _fields(kind)}


def shape_of(hint: Any) -> Shape:
    """The shape of one annotation."""
    origin = get_origin(hint)
    if origin is Annotated:
        return shape_of(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return _either([shape_of(part) for part in get_args(hint)])
    if origin is Literal:
        return Shape(words={str(word).lower(): word for word in get_args(hint)})
    if origin in (list, tuple, set):
        return Shape(items=shape_of(get_args(hint)[0]))
    if origin is dict:
        return Shape(values=shape_of(get_args(hint)[1]))
    if hint is type(None):
        return Shape(nothing=True)
    if hint in (Any, object):
        return Shape(anything=True)
    if hint in OWN:
        return Shape(number=True)
    if hint is str:
        return Shape(text=True)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return Shape(words={str(word.value).lower(): word.value for word in hint})
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return Shape(struct=hint)
    return Shape(number=hint in NUMBERS)


def _either(parts: list[Shape]) -> Shape:
    return Shape(
        text=any(part.text for part in parts),
        number=any(part.number for part in parts),
        nothing=any(part.nothing for part in parts),
        anything=any(part.anything for part in parts),
        items=next((part.items for part in parts if part.items), None),
        values=next((part.values for part in parts if part.values), None),
        struct=next((part.struct for part in parts if part.struct), None),
        words={word: value for part in parts for word, value in part.words.items()},
    )


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _fields_of(kind: type[msgspec.Struct], properties: Mapping[str, object]) -> dict[str, object]:
    known = shapes(kind)
    fitted: dict[str, object] = {}
    for name, value in properties.items():
        shape = known.get(name)
        fit = value if shape is None else _fit(shape, value)
        if fit is None and shape is not None and not (shape.nothing or shape.anything):
            continue  # A property written without a value is one not written.
        fitted[name] = fit
    return fitted


def _fit(shape: Shape, value: object) -> object:
    if shape.anything:
        return value
    match value:
        case str():
            return _fit_text(shape, value)
        case bool():
            return ("true" if value else "false") if shape.text and not shape.number else value
        case int() | float():
            return str(value) if shape.text and not shape.number else value
        case list() | tuple() if shape.items is not None:
            return [_fit(shape.items, item) for item in value]
        case Mapping() if shape.struct is not None:
            return _fields_of(shape.struct, value)
        case Mapping() if shape.values is not None:
            return {str(name): _fit(shape.values, item) for name, item in value.items()}
        case _:
            return value


def _fit_text(shape: Shape, text: str) -> object:
    if shape.text:
        return text
    bare = text.strip()
    if not bare and shape.nothing:
        return None
    if shape.words:
        return shape.words.get(bare.lower(), text)
    if shape.nested and bare[:1] in ("[", "{"):
        try:
            return _fit(shape, msgspec.json.decode(bare))
        except msgspec.DecodeError:
            return text
    return bare if shape.number else text


def _problems(
    kind: type[msgspec.Struct], given: Mapping[str, object], path: str = "", *, written: bool = False
) -> Iterator[Problem]:
    known = {field.encode_name: field for field in _fields(kind)}
    for name in given:
        if name not in known:
            hint = nearest(str(name), known) or f"It has: {', '.join(sorted(known))}."
            yield Problem(CODE, f'It has no property "{path}{name}".', hint=hint, path=f"{path}{name}")
    for name, field in known.items():
        if name not in given:
            if field.required:
                yield Problem(CODE, f'It needs the property "{path}{name}".', path=f"{path}{name}")
            continue
        shape, value = shapes(kind)[name], given[name]
        if shape.struct is not None and isinstance(value, Mapping):
            yield from _problems(shape.struct, value, f"{path}{name}.", written=written)
        elif not (written and has_template(value)):
            yield from _unfit(field, shape, value, f"{path}{name}")


def _unfit(field: msgspec.structs.FieldInfo, shape: Shape, value: object, path: str) -> Iterator[Problem]:
    try:
        msgspec.convert(value, field.type, strict=False, dec_hook=dec_hook)
    except msgspec.ValidationError as error:
        why = str(error).replace("`", '"').rstrip(".")
        hint = ""
        if shape.words and isinstance(value, str):
            words = [str(word) for word in shape.words.values()]
            more = f" and {len(words) - FIRST} other names" if len(words) > MOST else ""
            why = f'"{value}" is none of {", ".join(words[:FIRST] if more else words)}{more}'
            hint = nearest(value.lower(), shape.words)
        yield Problem(CODE, f'Property "{path}": {why}.', hint=hint, path=path)
