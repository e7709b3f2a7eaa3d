"""How does a flow turn sheets of Excel into records, and records into sheets?"""

from __future__ import annotations

import datetime
import decimal
import enum
import itertools
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta, field

from penstock.errors.task import MissingExtra
from penstock.plugins.serdes import patterns, records
from penstock.plugins.serdes.options import MADE, Serde
from penstock.plugins.serdes.patterns import BothFormat, DateFormat, TimeFormat, ZoneId
from penstock.plugins.serdes.workbook import Workbook
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType

MOST_ROWS: Final = 1_048_576
LONGEST: Final = 32_767


class ValueRender(enum.StrEnum):
    """What of a cell is read."""

    UNFORMATTED_VALUE = "UNFORMATTED_VALUE"
    FORMATTED_VALUE = "FORMATTED_VALUE"
    FORMULA = "FORMULA"


class Read(Serde, frozen=True, kw_only=True):
    """Turn the sheets of an Excel file into files of records, one each."""

    type_name: ClassVar[str] = "excel.read"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.serdes.excel.ExcelToIon",
        "io.kestra.plugin.serdes.excel.ExcelReader",
    )
    outputs: ClassVar[dict[str, str]] = {
        "uris": "Address of each sheet's file of records, by the sheet's name.",
        "size": "How many records all of them have.",
    }
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.download.uri }}", "sheetsTitle": ["Orders"]}

    sheets_title: Annotated[list[str], Meta(description="Names of the sheets; all unless given.")] = field(
        default_factory=list
    )
    header: Annotated[bool, Meta(description="Whether the first row has the names; otherwise records are lists.")] = (
        True
    )
    skip_rows: Annotated[int, Meta(description="Rows left out before anything is read.")] = 0
    skip_empty_rows: Annotated[bool, Meta(description="Whether rows with nothing in them are left out.")] = False
    value_render: Annotated[
        ValueRender, Meta(description="The value, the value as text, or the formula where there is one.")
    ] = ValueRender.UNFORMATTED_VALUE
    date_time_render: Annotated[
        ValueRender, Meta(description="UNFORMATTED_VALUE: the number that a date is kept as; otherwise the date.")
    ] = ValueRender.UNFORMATTED_VALUE

    def run(self, context: Context) -> dict[str, object]:
        """Turn them."""
        uris: dict[str, object] = {}
        size = 0
        with Workbook(context.fetch(self.from_)) as book:
            if missing := set(self.sheets_title) - set(book.sheets):
                raise TaskFailed(f'There is no sheet "{min(missing)}"; there are: {", ".join(book.sheets)}.')
            for number, name in enumerate(self.sheets_title or book.sheets, 1):
                with records.Writer(context, f"sheet-{number}{records.SUFFIX}") as writer:
                    for record in self._records(book, name):
                        writer.write(record)
                    told = writer.done()
                uris[name], size = told["uri"], size + writer.count
        return {"uris": uris, "size": size}

    def _records(self, book: Workbook, name: str) -> Iterator[object]:
        names: list[str] | None = None
        formulas = self.value_render is ValueRender.FORMULA
        numbers = self.date_time_render is ValueRender.UNFORMATTED_VALUE
        for cells in itertools.islice(book.rows(name, formulas=formulas, numbers=numbers), self.skip_rows, None):
            empty = all(cell is None for cell in cells)
            if empty and (self.skip_empty_rows or (self.header and names is None)):
                continue
            if self.header and names is None:
                names = [str(cell) if cell is not None else f"column{at}" for at, cell in enumerate(cells, 1)]
                continue
            values = [_shown(cell) for cell in cells] if self.value_render is ValueRender.FORMATTED_VALUE else cells
            yield values if names is None else dict(itertools.zip_longest(names, values[: len(names)]))


class Write(TaskType, frozen=True, kw_only=True):
    """Turn files of records into an Excel file, a sheet each."""

    type_name: ClassVar[str] = "excel.write"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.serdes.excel.IonToExcel",
        "io.kestra.plugin.serdes.excel.ExcelWriter",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = MADE
    example: ClassVar[dict[str, object]] = {"from": {"Orders": "{{ outputs.query.uri }}"}}

    from_: Annotated[
        str | dict[str, str], Meta(description="Address of the file of records; or several, by the sheet's name.")
    ] = field(name="from")
    charset: Annotated[str, Meta(description="How the file's bytes are text.")] = "UTF-8"
    sheets_title: Annotated[str, Meta(description="Name of the one sheet.")] = "Sheet"
    header: Annotated[bool, Meta(description="Whether the first row has the names.")] = True
    date_format: DateFormat = patterns.DATE
    time_format: TimeFormat = patterns.TIME
    date_time_format: BothFormat = patterns.BOTH
    time_zone_id: ZoneId = ""
    styles: Annotated[bool, Meta(description="Whether dates are shown as such, and names stand out.")] = True

    def libraries(self) -> tuple[str, ...]:
        """XlsxWriter."""
        return ("xlsxwriter",)

    def run(self, context: Context) -> dict[str, object]:
        """Turn them."""
        library = driver()
        target = context.workdir / "records.xlsx"
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        count = 0
        try:
            with library.Workbook(target, {**options, "nan_inf_to_errors": True, "tmpdir": context.workdir}) as book:
                for name, uri in self._sheets().items():
                    sheet = _Sheet(self, book, name)
                    for record in records.read(context.fetch(uri), self.charset):
                        sheet.add(record)
                    count += sheet.count
        except library.exceptions.XlsxWriterException as error:
            raise TaskFailed(f"The sheet cannot be written: {error}.") from None
        context.metric("records", count)
        return {"uri": context.store(target), "size": count}

    def _sheets(self) -> Mapping[str, str]:
        if isinstance(self.from_, dict):
            return self.from_
        if self.from_.strip()[:1] != "{":
            return {self.sheets_title: self.from_}
        try:
            return msgspec.json.decode(self.from_, type=dict[str, str])
        except msgspec.MsgspecError as error:
            raise TaskFailed(f"`from` is no map of addresses: {error}.") from None


class _Sheet:
    """A sheet being written, row by row."""

    def __init__(self, task: Write, book: Any, name: str) -> None:
        self.count = 0
        self._task, self._row, self._names = task, 0, list[str]()
        self._sheet = book.add_worksheet(name)
        self._zone = patterns.zone(task.time_zone_id)
        shown = {"date": "yyyy-mm-dd", "time": "hh:mm:ss", "both": "yyyy-mm-dd hh:mm:ss"} if task.styles else {}
        self._styles = {kind: book.add_format({"num_format": form}) for kind, form in shown.items()}
        self._bold = book.add_format({"bold": True}) if task.styles else None

    def add(self, record: object) -> None:
        """Write a record."""
        match record:
            case dict():
                if not self._names and self.count == 0:
                    self._names = [str(name) for name in record]
                    if self._task.header:
                        self._write(list(self._names), self._bold)
                if extra := record.keys() - set(self._names):
                    raise TaskFailed(f'Record {self.count + 1} has a value "{min(extra)}" that the first one has not.')
                self._write([record.get(name) for name in self._names])
            case list():
                self._write(record)
            case other:
                self._write([other])
        self.count += 1

    def _write(self, cells: list[object], style: Any = None) -> None:
        if self._row >= MOST_ROWS:
            raise TaskFailed(f"A sheet has at most {MOST_ROWS} rows.")
        for at, cell in enumerate(cells):
            self._cell(at, records.shown(cell), style)
        self._row += 1

    def _cell(self, at: int, value: object, style: Any) -> None:
        sheet, row = self._sheet, self._row
        match value:
            case None:
                return
            case bool():
                sheet.write_boolean(row, at, value)
            case int() | float() | decimal.Decimal():
                # Beyond 15 digits a cell does not keep a number exactly.
                if isinstance(value, int) and abs(value) >= 10**15:
                    sheet.write_string(row, at, str(value))
                else:
                    sheet.write_number(row, at, float(value))
            case datetime.datetime():
                local = (value.astimezone(self._zone) if self._zone and value.tzinfo else value).replace(tzinfo=None)
                sheet.write_datetime(row, at, local, self._styles.get("both"))
            case datetime.date():
                sheet.write_datetime(row, at, value, self._styles.get("date"))
            case datetime.time():
                sheet.write_datetime(row, at, value.replace(tzinfo=None), self._styles.get("time"))
            case other:
                text = str(other)
                if len(text) > LONGEST:
                    raise TaskFailed(f"A cell takes at most {LONGEST} signs; row {row + 1} has one of {len(text)}.")
                sheet.write_string(row, at, text, style)


def _shown(cell: object) -> object:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    return cell.isoformat() if isinstance(cell, datetime.date | datetime.time) else str(cell)


def driver() -> Any:
    """The library; MissingExtra when it is not installed."""
    try:
        import xlsxwriter
        import xlsxwriter.exceptions
    except ImportError:
        raise MissingExtra(
            "Excel needs the package XlsxWriter.", hint="Install it with `pip install 'penstock[excel]'`."
        ) from None
    return xlsxwriter
