"""How does what was sent become values? Parameters and bodies are read into the shapes that the table declares."""

from __future__ import annotations

import re
from typing import Any, BinaryIO, Final

import msgspec
from msgspec.inspect import (
    CollectionType,
    DateTimeType,
    EnumType,
    Metadata,
    NoneType,
    StructType,
    Type,
    UnionType,
    type_info,
)

from penstock.api.route import JSON, Route
from penstock.errors import nearest
from penstock.errors.api import BadRequest, WrongMediaType

TEXTS: Final = ("application/yaml", "application/x-yaml", "text/plain", "text/yaml", "text/x-yaml")
# As JSON writes it; an even number of backslashes before it are themselves written ones.
NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

NUMBER: Final = re.compile(r"[-+\d.eE]+")
INSTANT: Final = "An instant has its zone: 2016-01-02T00:00:00Z"
MOST_WHOLE: Final = 20
STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
UNKNOWN: Final = re.compile(r"Object contains unknown field `([^`]+)`")
WORD: Final = re.compile(r"Invalid enum value '([^']*)' - at `\$\.(\w+)")
FRACTION: Final = re.compile(r"Expected `int(?: \| null)?`, got `float` - at `\$((?:\.\w+|\[\d+\])+)`")


class Reader:
    """Reads what one route takes.

    Made once, before any thread may ask: two threads that have msgspec look at a type for the first time crash Python.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._decoder: msgspec.json.Decoder[Any] | None = None
        self._several: frozenset[str] = frozenset()
        self._absent: frozenset[str] = frozenset()
        self._known: dict[str, str] = {}
        self._instants: frozenset[str] = frozenset()
        if route.body not in (None, str, BinaryIO):
            self._decoder = msgspec.json.Decoder(route.body)
        if route.query not in (None, dict):
            assert route.query is not None
            fields = msgspec.structs.fields(route.query)
            self._known = {each.encode_name: each.encode_name for each in fields}
            self._several = frozenset(each.encode_name for each in fields if _holds_several(each.type))
            self._absent = frozenset(each.encode_name for each in fields if _may_be_absent(each.type))
            self._instants = frozenset(each.encode_name for each in fields if _is_instant(each.type))
            msgspec.json.Decoder(route.query)

    def query(self, given: list[tuple[str, str]]) -> Any:
        """The parameters behind the `?`; unknown ones are refused, as are repeated ones of a single value."""
        if self._route.query is None:
            if given:
                raise BadRequest(f'This address takes no parameters, and "{given[0][0]}" was given.')
            return None
        raw: dict[str, Any] = {}
        if self._route.query is dict:
            for name, value in given:
                raw.setdefault(name, []).append(value)
            return raw
        for name, value in given:
            if name not in self._known:
                hint = nearest(name, self._known) or f"It takes: {', '.join(self._known)}."
                raise BadRequest(f'There is no parameter "{name}" here.', hint=hint)
            if name in self._several:
                raw.setdefault(name, []).append(value)
            elif name in self._absent and value.lower() == "null":
                raise BadRequest(f'The parameter "{name}" is left out, not written as "{value}".')
            elif name in raw:
                raise BadRequest(f'The parameter "{name}" was given twice.')
            elif name in self._instants and NUMBER.fullmatch(value):
                raise BadRequest(f'The parameter "{name}" is no instant: "{value[:100]}".', hint=INSTANT)
            else:
                raw[name] = value
        try:
            return msgspec.convert(raw, self._route.query, strict=False)
        except msgspec.ValidationError as error:
            hint = _helps(error, self._route.query)
            raise BadRequest(f"A parameter is not right: {_said(error)}.", hint=hint) from None

    def body(self, sent: Any, media: str) -> Any:
        """The body; a file or a text where the route takes one, else JSON of its shape."""
        if self._route.body is None:
            return None
        if self._route.body is BinaryIO:
            return sent
        kind = media.partition(";")[0].strip().lower()
        if self._decoder is None:
            if kind not in (*TEXTS, JSON, ""):
                raise WrongMediaType(f'This address takes a text, not "{kind}".', hint=f"Send {self._route.takes}.")
            if not sent:
                raise BadRequest("The body is empty, and this address takes a text.")
            if b"\0" in sent:
                raise BadRequest("The body has a sign in it that no text may have: NUL.")
            try:
                return sent.decode("utf-8-sig")
            except UnicodeDecodeError:
                raise BadRequest("The body is no UTF-8 text.") from None
        if not sent and _may_be_empty(self._route.body):
            return self._route.body()
        if kind != JSON:
            said = f'"{kind}"' if kind else "without a type"
            raise WrongMediaType(f"This address takes JSON, and the body is {said}.", hint=f"Content-Type: {JSON}")
        if NUL.search(sent):
            raise BadRequest("The body has a sign in it that no text may have: NUL.")
        try:
            return self._decoded(sent)
        except msgspec.ValidationError as error:
            hint = _helps(error, self._route.body)
            raise BadRequest(f"The body is not right: {_said(error)}.", hint=hint) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(f"The body is no JSON: {error}.") from None

    def _decoded(self, sent: bytes) -> Any:
        """JSON of the shape; 5.0 is a whole number as 5 is one."""
        assert self._decoder is not None
        seen: set[str] = set()
        while len(seen) < MOST_WHOLE:
            try:
                return self._decoder.decode(sent)
            except msgspec.ValidationError as error:
                found = FRACTION.search(str(error))
                if found is None or found[1] in seen:
                    raise
                seen.add(found[1])
                sent = _whole(sent, found[1])
        return self._decoder.decode(sent)


def refuse_nul(path: str, query: str) -> None:
    """Refuse an address with a sign in it that no database takes. Raises BadRequest."""
    if "\0" in path or "%00" in query or "\0" in query:
        raise BadRequest("The address has a sign in it that no text may have: NUL.")


def _holds_several(kind: Any) -> bool:
    found = type_info(kind)
    return isinstance(found.type if isinstance(found, Metadata) else found, CollectionType)


def _may_be_absent(kind: Any) -> bool:
    return any(isinstance(each, NoneType) for each in _kinds(type_info(kind)))


def _is_instant(kind: Any) -> bool:
    return any(isinstance(each, DateTimeType) for each in _kinds(type_info(kind)))


def _kinds(found: Type) -> list[Type]:
    """What a value may be, constraints left out."""
    bare = found.type if isinstance(found, Metadata) else found
    return [each for one in bare.types for each in _kinds(one)] if isinstance(bare, UnionType) else [bare]


def _may_be_empty(shape: Any) -> bool:
    return isinstance(type_info(shape), StructType) and all(not each.required for each in msgspec.structs.fields(shape))


def _whole(sent: bytes, path: str) -> bytes:
    """The same with the number at a place as a whole one, if it is that."""
    tree = msgspec.json.decode(sent)
    *way, last = [int(index) if index else name for name, index in STEP.findall(path)]
    at = tree
    for each in way:
        at = at[each]
    if isinstance(at[last], float) and at[last].is_integer():
        at[last] = int(at[last])
    return msgspec.json.encode(tree)


def _said(error: msgspec.ValidationError) -> str:
    return str(error).replace(" - at `$.", " at `").replace(" - at `$", " at `")


def _helps(error: msgspec.ValidationError, shape: Any) -> str:
    """What would have been right instead: an instant, the name of a field, one of the words that a field may be."""
    said = str(error)
    if "RFC3339" in said:
        return INSTANT
    if not isinstance(type_info(shape), StructType):
        return ""
    fields = {each.encode_name: each.type for each in msgspec.structs.fields(shape)}
    if found := UNKNOWN.fullmatch(said):
        return nearest(found[1], fields) or f"It takes: {', '.join(fields)}."
    if (found := WORD.match(said)) and found[2] in fields:
        words = _words(fields[found[2]])
        return nearest(found[1], words) or f"It is one of: {', '.join(words)}."
    return ""


def _words(kind: Any) -> list[str]:
    """The words that a field may be, or that may stand in it."""
    kinds = [each.item_type if isinstance(each, CollectionType) else each for each in _kinds(type_info(kind))]
    return [str(word.value) for each in kinds if isinstance(each, EnumType) for word in each.cls]
