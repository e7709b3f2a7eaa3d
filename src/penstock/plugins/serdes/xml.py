"""How does a flow turn XML into records, and records into XML? Element by element, without definitions of types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final
from xml.parsers import expat
from xml.sax.saxutils import escape

import msgspec
from msgspec import Meta

from penstock.errors.task import NotOffered
from penstock.plugins.serdes import records
from penstock.plugins.serdes.options import MADE, RECORDS, Serde
from penstock.sdk.context import Context
from penstock.sdk.plain import plain
from penstock.sdk.task import TaskFailed

BLOCK: Final = 256 * 1024
STEP: Final = re.compile(r"(//?)(?:\*\[(?:local-)?name\(\)\s*=\s*['\"]([^'\"]+)['\"]\]|(?:[\w.-]+:)?([\w.-]+|\*))")
WHOLE: Final = re.compile(r"-?(?:0|[1-9]\d{0,17})")
BROKEN: Final = re.compile(r"-?(?:0|[1-9]\d*)\.\d+")
NO_NAME: Final = re.compile(r"[^\w.-]")


class Parser(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How elements become values."""

    force_list: Annotated[
        list[str], Meta(description="Names of elements that are a list even when there is one.", examples=[["book"]])
    ] = []


class Read(Serde, frozen=True, kw_only=True):
    """Turn XML into a file of records: the whole document is one, or each element that `query` finds."""

    type_name: ClassVar[str] = "xml.read"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.serdes.xml.XmlToIon",
        "io.kestra.plugin.serdes.xml.XmlReader",
    )
    outputs: ClassVar[dict[str, str]] = RECORDS
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.download.uri }}", "query": "/catalog/book"}

    query: Annotated[
        str, Meta(description="Path of the elements: names, `*`, `/` and `//` of XPath.", examples=["//book"])
    ] = ""
    parser_configuration: Annotated[Parser, Meta(description="How elements become values.")] = Parser()

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        path = context.fetch(self.from_)
        force = frozenset(self.parser_configuration.force_list)
        found = elements(path, "" if self.charset.upper() == "UTF-8" else self.charset, steps(self.query), force)
        return records.stored(context, found)


class Write(Serde, frozen=True, kw_only=True):
    """Turn a file of records into XML: an element `item` for each."""

    type_name: ClassVar[str] = "xml.write"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.serdes.xml.IonToXml",
        "io.kestra.plugin.serdes.xml.XmlWriter",
    )
    outputs: ClassVar[dict[str, str]] = MADE

    root_name: Annotated[str, Meta(description="Name of the element around them.")] = "items"
    time_zone_id: Annotated[str, Meta(description="Read and not used: instants keep their zone.")] = ""

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        source = context.fetch(self.from_)
        target = context.workdir / "records.xml"
        root = tag(self.root_name)
        count = 0
        with target.open("w", encoding=self.charset, errors="xmlcharrefreplace") as file:
            file.write(f"<?xml version='1.0' encoding='{self.charset}'?>\n<{root}>\n")
            for record in records.read(source):
                file.write(element("item", plain(record)) + "\n")
                count += 1
            file.write(f"</{root}>\n")
        return self.told(context, target, count)


def steps(query: str) -> tuple[tuple[bool, str], ...]:
    """A path as steps: whether any depth may lie before it, and the name; NotOffered for what else XPath can say."""
    found: list[tuple[bool, str]] = []
    at = 0
    path = query.strip()
    while at < len(path):
        match = STEP.match(path, at)
        if match is None:
            raise NotOffered(
                f'The query "{query}" cannot be read at "{path[at:]}".', hint="It has names, `*`, `/` and `//`."
            )
        found.append((match[1] == "//", match[2] or match[3]))
        at = match.end()
    return tuple(found)


def matches(path: list[str], wanted: tuple[tuple[bool, str], ...]) -> bool:
    """Whether an element, by the names from the root to it, is one that the steps mean."""
    if not wanted:
        return not path
    deep, name = wanted[-1]
    if not path or name not in ("*", path[-1]):
        return False
    if not deep:
        return matches(path[:-1], wanted[:-1])
    return any(matches(path[:end], wanted[:-1]) for end in range(len(path)))


def elements(path: Path, charset: str, wanted: tuple[tuple[bool, str], ...], force: frozenset[str]) -> Iterator[object]:
    """The values of the elements that are wanted, or of the document; TaskFailed for what is no XML."""
    reader = _Reader(wanted, force)
    parser = expat.ParserCreate(charset or None)
    parser.buffer_text = True
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        with path.open("rb") as source:
            while block := source.read(BLOCK):
                parser.Parse(block, False)
                yield from reader.taken()
            parser.Parse(b"", True)
        yield from reader.taken()
    except expat.ExpatError as error:
        raise TaskFailed(f"The file is no XML: {error}.") from None


def _refuse(*_: object) -> None:
    # Entities that a document defines can make a small file endless, or read other files.
    raise TaskFailed("The XML defines types of its own (DOCTYPE), which is not read.")


class _Reader:
    """What is known of the elements that are open; the finished ones wait to be taken."""

    def __init__(self, wanted: tuple[tuple[bool, str], ...], force: frozenset[str]) -> None:
        self._wanted, self._force = wanted, force
        self._path: list[str] = []
        self._open: list[tuple[dict[str, object], list[str]]] = []
        self._done: list[object] = []

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._path.append(name.rpartition(":")[2] if self._wanted else name)
        if self._open or not self._wanted or matches(self._path, self._wanted):
            self._open.append(({key: typed(value) for key, value in attributes.items()}, []))

    def text(self, data: str) -> None:
        """Text stands in the innermost element."""
        if self._open:
            self._open[-1][1].append(data)

    def end(self, name: str) -> None:
        """An element ends."""
        self._path.pop()
        if not self._open:
            return
        fields, texts = self._open.pop()
        value = self._value(fields, "".join(texts).strip())
        if self._open:
            self._into(self._open[-1][0], name, value)
        else:
            self._done.append(value if self._wanted else {name: value})

    def taken(self) -> list[object]:
        """The elements that ended since the last time."""
        done, self._done = self._done, []
        return done

    @staticmethod
    def _value(fields: dict[str, object], text: str) -> object:
        if not fields:
            return typed(text)
        return {**fields, "content": typed(text)} if text else fields

    def _into(self, fields: dict[str, object], name: str, value: object) -> None:
        there = fields.get(name)
        if isinstance(there, list):
            there.append(value)
        elif name in fields:
            fields[name] = [there, value]
        else:
            fields[name] = [value] if name in self._force else value


def typed(text: str) -> object:
    """The value that a text of XML says: a number, yes or no, else the text."""
    if WHOLE.fullmatch(text):
        return int(text)
    if BROKEN.fullmatch(text):
        return float(text) if len(text) < 17 else text
    return {"true": True, "false": False}.get(text, text)


def tag(name: str) -> str:
    """A name that an element may have."""
    clean = NO_NAME.sub("_", name)
    return clean if clean[:1].isalpha() or clean[:1] == "_" else f"_{clean}"


def element(name: str, value: object) -> str:
    """A value as an element, or one element for each item of a list."""
    match value:
        case list():
            return "".join(element(name, item) for item in value)
        case dict():
            inside = "".join(element(str(key), item) for key, item in value.items())
        case None:
            inside = ""
        case bool():
            inside = "true" if value else "false"
        case other:
            inside = escape(str(other))
    return f"<{tag(name)}>{inside}</{tag(name)}>"
