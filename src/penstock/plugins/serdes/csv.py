"""How does a flow turn CSV into records, and records into CSV?"""

from __future__ import annotations

import csv
import datetime
import enum
import itertools
from collections.abc import Iterator
from typing import IO, Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from penstock.plugins.serdes import patterns, records
from penstock.plugins.serdes.options import MADE, RECORDS, Serde
from penstock.plugins.serdes.patterns import BothFormat, DateFormat, Formats, TimeFormat, ZoneId
from penstock.sdk.context import Context, Level
from penstock.sdk.task import TaskFailed

LONGEST: Final = 64 * 1024 * 1024
SEPARATOR = "What stands between fields."
DELIMITER = "What a field stands in when it holds other signs."


class OnBadLines(enum.StrEnum):
    """What becomes of a line that cannot be read."""

    ERROR = "ERROR"
    WARN = "WARN"
    SKIP = "SKIP"


class Read(Serde, frozen=True, kw_only=True):
    """Turn a CSV file into a file of records."""

    type_name: ClassVar[str] = "csv.read"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.serdes.csv.CsvToIon",
        "io.kestra.plugin.serdes.csv.CsvReader",
    )
    outputs: ClassVar[dict[str, str]] = RECORDS
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.download.uri }}", "fieldSeparator": ";"}

    header: Annotated[bool, Meta(description="Whether the first line has the names; otherwise records are lists.")] = (
        True
    )
    field_separator: Annotated[str, Meta(description=SEPARATOR, examples=[";"])] = ","
    text_delimiter: Annotated[str, Meta(description=DELIMITER)] = '"'
    skip_empty_rows: Annotated[bool, Meta(description="Whether lines with nothing in them are left out.")] = False
    skip_rows: Annotated[int, Meta(description="Lines left out before anything is read.")] = 0
    max_rows: Annotated[int | None, Meta(description="At most so many records.")] = None
    error_on_different_field_count: Annotated[
        bool, Meta(description="Whether a line with more or fewer fields than the first one is a bad line.")
    ] = False
    on_bad_lines: Annotated[OnBadLines, Meta(description="What becomes of a bad line.")] = OnBadLines.ERROR

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        path = context.fetch(self.from_)
        csv.field_size_limit(LONGEST)
        with records.opened(path, self.charset, newline="") as source:
            rows = self._rows(source, context)
            return records.stored(context, itertools.islice(rows, self.max_rows))

    def _rows(self, source: IO[str], context: Context) -> Iterator[object]:
        for _ in range(self.skip_rows):
            source.readline()
        quoted: dict[str, Any] = (
            {"quotechar": self.text_delimiter} if self.text_delimiter else {"quoting": csv.QUOTE_NONE}
        )
        try:
            lines = csv.reader(source, delimiter=self.field_separator, strict=True, **quoted)
        except TypeError as error:
            raise TaskFailed(f"A separator and a delimiter are one sign each: {error}.") from None
        names: list[str] | None = None
        width = 0
        while True:
            try:
                cells = next(lines, None)
            except csv.Error as error:
                self._bad(context, lines.line_num, str(error))
                continue
            if cells is None:
                return
            if not any(cells) and (self.skip_empty_rows or (self.header and names is None)):
                continue
            cells = cells or [""]
            if self.header and names is None:
                names, width = cells, len(cells)
                continue
            width = width or len(cells)
            lost = names is not None and len(cells) > width
            if lost or (len(cells) != width and self.error_on_different_field_count):
                self._bad(context, lines.line_num, f"{len(cells)} fields where the first line has {width}")
                continue
            yield cells if names is None else dict(itertools.zip_longest(names, cells))

    def _bad(self, context: Context, line: int, why: str) -> None:
        said = f"Line {line + self.skip_rows}: {why}."
        match self.on_bad_lines:
            case OnBadLines.ERROR:
                raise TaskFailed(said)
            case OnBadLines.WARN:
                context.log(said, Level.WARN)
            case OnBadLines.SKIP:
                return


class Write(Serde, frozen=True, kw_only=True):
    """Turn a file of records into CSV."""

    type_name: ClassVar[str] = "csv.write"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.serdes.csv.IonToCsv",
        "io.kestra.plugin.serdes.csv.CsvWriter",
    )
    outputs: ClassVar[dict[str, str]] = MADE
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.query.uri }}", "fieldSeparator": ";"}

    header: Annotated[bool, Meta(description="Whether the first line has the names.")] = True
    field_separator: Annotated[str, Meta(description=SEPARATOR)] = ","
    line_delimiter: Annotated[str, Meta(description="What stands after each line.")] = "\n"
    text_delimiter: Annotated[str, Meta(description=DELIMITER)] = '"'
    always_delimit_text: Annotated[bool, Meta(description="Whether every field stands in delimiters.")] = False
    date_format: DateFormat = patterns.DATE
    time_format: TimeFormat = patterns.TIME
    date_time_format: BothFormat = patterns.BOTH
    time_zone_id: ZoneId = field(default="")

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        source = context.fetch(self.from_)
        target = context.workdir / "table.csv"
        count = 0
        with target.open("w", encoding=self.charset, newline="", errors="strict") as file:
            for cells in self._lines(records.read(source)):
                file.write(cells)
                count += 1
        return self.told(context, target, count - (1 if self.header and count else 0))

    def _lines(self, source: Iterator[object]) -> Iterator[str]:
        formats = Formats(
            date=self.date_format,
            time=self.time_format,
            both=self.date_time_format,
            zone=patterns.zone(self.time_zone_id),
        )
        line = _Lines(self)
        names: list[str] | None = None
        for number, record in enumerate(source, 1):
            if isinstance(record, dict):
                if names is None:
                    names = list(record)
                    if self.header:
                        yield line.of([line.cell(name, formats) for name in names])
                if extra := record.keys() - set(names):
                    raise TaskFailed(f'Record {number} has a value "{min(extra)}" that the first one has not.')
                cells = [line.cell(record.get(name), formats) for name in names]
            elif isinstance(record, list):
                cells = [line.cell(item, formats) for item in record]
            else:
                cells = [line.cell(record, formats)]
            yield line.of(cells)


class _Lines:
    """How the lines of one file are written."""

    def __init__(self, task: Write) -> None:
        self._quote, self._separator, self._end = task.text_delimiter, task.field_separator, task.line_delimiter
        self._always = task.always_delimit_text
        self._signs = tuple(sign for sign in (task.field_separator, task.text_delimiter, "\n", "\r") if sign)

    def of(self, cells: list[str]) -> str:
        """One line."""
        return self._separator.join(cells) + self._end

    def cell(self, value: object, formats: Formats) -> str:
        """One field: nothing for null, delimiters where they are needed."""
        match value:
            case None:
                return self._quote * 2 if self._always else ""
            case bool():
                text = "true" if value else "false"
            case str():
                text = value
            case datetime.date() | datetime.time():
                text = formats.text(value)
            case _:
                text = str(records.shown(value))
        quote = self._quote
        if quote and (self._always or any(sign in text for sign in self._signs)):
            return f"{quote}{text.replace(quote, quote * 2)}{quote}"
        return text
