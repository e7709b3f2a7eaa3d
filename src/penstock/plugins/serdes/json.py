"""How does a flow turn JSON, JSON lines and Ion text into records, and back?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from penstock.plugins.serdes import ion, records
from penstock.plugins.serdes.options import MADE, RECORDS, Serde
from penstock.sdk.context import Context
from penstock.sdk.plain import plain
from penstock.sdk.task import TaskFailed

BLOCK: Final = 1024 * 1024
SPACE: Final = " \t\r\n\ufeff"


class Read(Serde, frozen=True, kw_only=True):
    """Turn a file of JSON, one value per line or one list of values, into a file of records."""

    type_name: ClassVar[str] = "json.read"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.serdes.json.JsonToIon",
        "io.kestra.plugin.serdes.json.JsonReader",
    )
    outputs: ClassVar[dict[str, str]] = RECORDS
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.download.uri }}", "newLine": False}

    new_line: Annotated[
        bool, Meta(description="Whether each line is a value; otherwise the file is one list of them, or one value.")
    ] = True

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        path = context.fetch(self.from_)
        with records.opened(path, self.charset) as source:
            return records.stored(context, lines(source) if self.new_line else elements(source))


class ToLines(Read, frozen=True, kw_only=True):
    """Turn a file of JSON that is one list of values into one value per line."""

    type_name: ClassVar[str] = "json.to_lines"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.serdes.json.JsonToJsonl",)
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.download.uri }}"}

    new_line: Annotated[bool, Meta(description="Whether each line is a value already.")] = False


class Write(Serde, frozen=True, kw_only=True):
    """Turn a file of records into JSON, one value per line or one list of values."""

    type_name: ClassVar[str] = "json.write"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.serdes.json.IonToJson",
        "io.kestra.plugin.serdes.json.JsonWriter",
    )
    outputs: ClassVar[dict[str, str]] = MADE
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.query.uri }}", "newLine": False}

    new_line: Annotated[bool, Meta(description="Whether each record is a line; otherwise they are one list.")] = True
    should_keep_annotations: Annotated[
        bool, Meta(description="Read and not used: annotations of Ion are left out.")
    ] = False
    time_zone_id: Annotated[str, Meta(description="Read and not used: instants keep their zone.")] = ""

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        source = context.fetch(self.from_)
        target = context.workdir / ("records.jsonl" if self.new_line else "records.json")
        encode = msgspec.json.Encoder(enc_hook=plain).encode
        count = 0
        with target.open("w", encoding=self.charset, newline="") as file:
            file.write("" if self.new_line else "[")
            for record in records.read(source):
                text = encode(plain(record)).decode()
                file.write(f"{text}\n" if self.new_line else f",{text}" if count else text)
                count += 1
            file.write("" if self.new_line else "]")
        return self.told(context, target, count)


class ReadIon(Serde, frozen=True, kw_only=True):
    """Turn Ion text into a file of records."""

    type_name: ClassVar[str] = "ion.read"
    outputs: ClassVar[dict[str, str]] = RECORDS
    example: ClassVar[dict[str, object]] = {"from": "{{ inputs.file }}"}

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        return records.stored(context, records.read(context.fetch(self.from_), self.charset), exact=True)


class WriteIon(Serde, frozen=True, kw_only=True):
    """Turn a file of records into Ion text, one value per line."""

    type_name: ClassVar[str] = "ion.write"
    outputs: ClassVar[dict[str, str]] = MADE

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        source = context.fetch(self.from_)
        target = context.workdir / "records.ion"
        count = 0
        with target.open("w", encoding=self.charset, newline="") as file:
            for record in records.read(source):
                file.write(ion.written(record) + "\n")
                count += 1
        return self.told(context, target, count)


def lines(source: IO[str]) -> Iterator[object]:
    """The values of a file that has one on each line."""
    decode = msgspec.json.Decoder().decode
    for number, line in enumerate(source, 1):
        if line.isspace():
            continue
        try:
            yield decode(line)
        except msgspec.DecodeError:
            try:
                yield json.loads(line)
            except ValueError as error:
                raise TaskFailed(
                    f"Line {number} is no JSON: {error}. (Is the file one list? newLine: false.)"
                ) from None


def elements(source: IO[str]) -> Iterator[object]:
    """The values of the list that a file is, or the values that follow each other in it."""
    cursor = _Buffer(source)
    listed = cursor.peek() == "["
    if listed:
        cursor.at += 1
        if cursor.peek() == "]":
            cursor.at += 1
            cursor.finish()
            return
    while cursor.peek():
        yield cursor.value(listed)
        if not listed:
            continue
        sign = cursor.peek()
        cursor.at += 1
        if sign == "]":
            cursor.finish()
            return
        if sign != ",":
            raise TaskFailed(f"The list of JSON breaks off at {cursor.where()}.")
    if listed:
        raise TaskFailed("The list of JSON does not end.")


class _Buffer:
    """The part of a text that is looked at; what was read is let go."""

    def __init__(self, source: IO[str]) -> None:
        self.at = 0
        self._source = source
        self._text = ""
        self._gone = 0
        self._ended = False
        self._decode = json.JSONDecoder().raw_decode

    def peek(self) -> str:
        """The next sign that is no space; nothing at the end."""
        while True:
            while self.at < len(self._text) and self._text[self.at] in SPACE:
                self.at += 1
            if self.at < len(self._text) or not self._more(BLOCK):
                return self._text[self.at : self.at + 1]

    def value(self, listed: bool) -> object:
        """The value that begins here."""
        wanted = BLOCK
        while True:
            try:
                found, end = self._decode(self._text, self.at)
            except ValueError as error:
                if not self._more(wanted):
                    raise TaskFailed(f"There is no JSON at {self.where()}: {error}.") from None
                wanted *= 2
                continue
            # A number at the end of what was read may go on.
            if end == len(self._text) and (listed or not isinstance(found, dict | list)) and self._more(wanted):
                continue
            self.at = end
            return found

    def finish(self) -> None:
        """Raise TaskFailed when more follows."""
        if self.peek():
            raise TaskFailed(f"Something follows the list of JSON, at {self.where()}.")

    def where(self) -> str:
        """The place, for messages."""
        return f"sign {self._gone + self.at + 1}"

    def _more(self, size: int) -> bool:
        if self._ended:
            return False
        block = self._source.read(size)
        self._ended = not block
        self._gone += self.at
        self._text, self.at = self._text[self.at :] + block, 0
        return bool(block)
