"""Which filters, functions and tests does the language have? One decorated function each; this page keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeVar

import msgspec

Kind = Literal["filter", "function", "test"]
F = TypeVar("F", bound=Callable[..., object])


class Parameter(msgspec.Struct, frozen=True):
    """One argument: its name in the language, its kinds of value (empty: any), its default."""

    name: str
    kinds: tuple[type, ...]
    declared: str
    required: bool
    default: object = None
    many: bool = False


class Word(msgspec.Struct, frozen=True):
    """A filter, function or test, as its Python function declares it.

    A filter's or test's value on the left is not among `parameters`: its kinds are `subject`.
    """

    kind: Kind
    name: str
    doc: str
    call: Callable[..., object]
    parameters: tuple[Parameter, ...]
    subject: tuple[type, ...] = ()
    pure: bool = True
    # The Python function takes the Frame first.
    framed: bool = False
    # A null on the left gives null, and the Python function is not asked.
    null_passes: bool = False
    # A missing name on the left counts as null.
    missing_passes: bool = False
    replaced_by: str = ""

    @property
    def signature(self) -> str:
        """The word with its arguments, as one would write it."""
        inside = ", ".join(_written(parameter) for parameter in self.parameters)
        match self.kind:
            case "filter":
                return f"| {self.name}({inside})" if inside else f"| {self.name}"
            case "test":
                return f"is {self.name}({inside})" if inside else f"is {self.name}"
            case "function":
                return f"{self.name}({inside})"


FILTERS: dict[str, Word] = {}
FUNCTIONS: dict[str, Word] = {}
TESTS: dict[str, Word] = {}


def filter(  # the language's own word, and only ever used as `@filter(…)`
    *names: str, null: Literal["passes", "taken"] = "passes", missing: bool = False, rest: tuple[str, ...] = ()
) -> Callable[[F], F]:
    """Register a filter under its name (and older names): the function's parameters are the filter's arguments.

    With `null="taken"` the function sees a null on its left; `missing` makes a missing name such a null. `rest` names
    arguments that can be left out, which the function takes as its `*rest`.
    """

    def register(call: F) -> F:
        word = _word("filter", names[0], call, null_passes=null == "passes", missing_passes=missing, rest=rest)
        return _keep(FILTERS, word, names, call)

    return register


def function(*names: str) -> Callable[[F], F]:
    """Register a function that needs nothing but its arguments and the frame."""

    def register(call: F) -> F:
        return _keep(FUNCTIONS, _word("function", names[0], call), names, call)

    return register


def outside(*names: str, rest: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Declare a function that reaches out; the one in `Calls.functions` is called, this one gives signature and doc."""

    def register(call: F) -> F:
        return _keep(FUNCTIONS, _word("function", names[0], call, pure=False, rest=rest), names, call)

    return register


def test(*names: str, missing: bool = False) -> Callable[[F], F]:
    """Register a test (`is name`); `missing` makes a missing name on the left a null."""

    def register(call: F) -> F:
        return _keep(TESTS, _word("test", names[0], call, missing_passes=missing), names, call)

    return register


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "None": (type(None),),
    "list[object]": (list, tuple),
    "Mapping[str, object]": (Mapping,),
    "datetime": (datetime,),
    "date": (date,),
    "time": (time,),
    "timedelta": (timedelta,),
}


def _keep(words: dict[str, Word], word: Word, names: tuple[str, ...], call: F) -> F:
    for name in names:
        older = word if name == word.name else msgspec.structs.replace(word, name=name, replaced_by=word.name)
        words[name] = older
    return call


def _word(
    kind: Kind,
    name: str,
    call: Callable[..., object],
    *,
    pure: bool = True,
    null_passes: bool = False,
    missing_passes: bool = False,
    rest: tuple[str, ...] = (),
) -> Word:
    code = call.__code__
    names = list(code.co_varnames[: code.co_argcount])
    framed = bool(names) and names[0] == "frame"
    names = names[1:] if framed else names
    subject: tuple[type, ...] = ()
    if kind != "function":
        subject = _kinds(call.__annotations__[names.pop(0)])
    defaults = call.__defaults__ or ()
    required = len(names) - len(defaults)
    parameters = []
    for index, own in enumerate(names):
        declared = call.__annotations__[own]
        default = defaults[index - required] if index >= required else None
        parameters.append(Parameter(_camel(own), _kinds(declared), declared, index < required, default))
    if code.co_flags & 0x04:
        own = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        declared = call.__annotations__[own]
        if rest:
            parameters += [Parameter(name, _kinds(declared), declared, False) for name in rest]
        else:
            parameters.append(Parameter(_camel(own), _kinds(declared), declared, False, many=True))
    doc = (call.__doc__ or "").strip()
    return Word(kind, name, doc, call, tuple(parameters), subject, pure, framed, null_passes, missing_passes)


def _kinds(declared: str) -> tuple[type, ...]:
    parts = declared.split(" | ")
    if "object" in parts:
        return ()
    return tuple(kind for part in parts for kind in _KINDS[part])


def _camel(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def _written(parameter: Parameter) -> str:
    if parameter.many:
        return f"{parameter.name}…"
    if parameter.required:
        return parameter.name
    match parameter.default:
        case None:
            shown = "null"
        case bool():
            shown = "true" if parameter.default else "false"
        case str():
            shown = f"'{parameter.default}'"
        case _:
            shown = str(parameter.default)
    return f"{parameter.name}={shown}"
