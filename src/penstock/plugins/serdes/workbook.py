"""What stands in the sheets of an Excel file (.xlsx)? Row by row, so that a sheet of any length takes little memory."""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from xml.parsers import expat

from penstock.sdk.task import TaskFailed

BLOCK: Final = 256 * 1024
EPOCH: Final = datetime.datetime(1899, 12, 30)
EPOCH_1904: Final = datetime.datetime(1904, 1, 1)
# The formats that a file need not declare and that show a date, a time or both.
DATES: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
NOT_MEANT: Final = re.compile(r'"[^"]*"|\\.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|_.|\*.', re.IGNORECASE)
ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Workbook:
    """An Excel file; open while its rows are read."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
            self.sheets = self._find_sheets()
        except (zipfile.BadZipFile, KeyError):
            raise TaskFailed(
                "The file is no Excel file (.xlsx); an old one (.xls) is to be saved as such first."
            ) from None
        self._texts: list[str] | None = None
        self._dates = self._find_dates()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._archive.close()

    def rows(self, name: str, *, formulas: bool = False, numbers: bool = False) -> Iterator[list[object]]:
        """The rows of a sheet, empty ones too; `formulas` instead of values, and dates as the `numbers` they are."""
        due = 1
        for number, cells in _Sheet(formulas).rows(self._parts(self.sheets[name])):
            for _ in range(due, number):
                yield []
            due = number + 1
            row: list[object] = []
            for at, kind, style, text in cells:
                row.extend([None] * (at - len(row)))
                row.append(self._value(kind, style, text, numbers))
            yield row

    def _value(self, kind: str, style: int, text: str, numbers: bool) -> object:
        match kind:
            case "s":
                return self._shared()[int(text)] if text else None
            case "str" | "inlineStr" | "e" | "f":
                return _clean(text)
            case "b":
                return text == "1"
            case "d":
                return datetime.datetime.fromisoformat(text)
            case _ if not text:
                return None
        number = float(text)
        if style in self._dates and not numbers:
            return self._moment(number, self._dates[style])
        return int(number) if number.is_integer() and abs(number) < 2**53 else number

    def _moment(self, number: float, day_only: bool) -> object:
        if 0 <= number < 1:
            return (EPOCH + datetime.timedelta(days=number)).time().replace(microsecond=0)
        # Before March 1900 the format counts a day that there was not.
        days = number + (1 if number < 60 and self._epoch is EPOCH else 0)
        at = self._epoch + datetime.timedelta(milliseconds=round(days * 86_400_000))
        return at.date() if day_only and at.time() == datetime.time() else at

    def _find_sheets(self) -> dict[str, str]:
        targets: dict[str, str] = {}
        sheets: dict[str, str] = {}
        self._epoch = EPOCH

        def relation(name: str, given: dict[str, str]) -> None:
            if name == "Relationship":
                target = given["Target"]
                targets[given["Id"]] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

        def sheet(name: str, given: dict[str, str]) -> None:
            if name == "workbookPr" and given.get("date1904") in ("1", "true"):
                self._epoch = EPOCH_1904
            if name == "sheet":
                sheets[given["name"]] = next(value for key, value in given.items() if key.rpartition(":")[2] == "id")

        _parse(self._parts("xl/_rels/workbook.xml.rels"), relation)
        _parse(self._parts("xl/workbook.xml"), sheet)
        return {name: targets[at] for name, at in sheets.items() if "worksheets/" in targets.get(at, "")}

    def _find_dates(self) -> dict[int, bool]:
        """The styles that show a date, and whether it has no time."""
        forms: dict[int, str] = {}
        found: dict[int, bool] = {}
        place = {"in": False, "count": 0}

        def style(name: str, given: dict[str, str]) -> None:
            if name == "numFmt":
                forms[int(given["numFmtId"])] = given["formatCode"]
            if name in ("cellXfs", "cellStyleXfs"):
                place["in"] = name == "cellXfs"
            if name == "xf" and place["in"]:
                form = int(given.get("numFmtId", 0))
                code = NOT_MEANT.sub("", forms.get(form, "")).lower()
                if form in DATES or (form in forms and any(sign in code for sign in "ymdhs") and "general" not in code):
                    timed = any(sign in code for sign in "hs") if form in forms else form not in (14, 15, 16, 17)
                    found[place["count"]] = not timed
                place["count"] += 1

        if "xl/styles.xml" in self._archive.namelist():
            _parse(self._parts("xl/styles.xml"), style)
        return found

    def _shared(self) -> list[str]:
        if self._texts is None:
            self._texts = list(_Shared().texts(self._parts("xl/sharedStrings.xml")))
        return self._texts

    def _parts(self, name: str) -> Iterator[bytes]:
        with self._archive.open(name) as source:
            while block := source.read(BLOCK):
                yield block


class _Sheet:
    """What is known of the row that is being read."""

    def __init__(self, formulas: bool) -> None:
        self._formulas = formulas
        self._done: list[tuple[int, list[tuple[int, str, int, str]]]] = []
        self._cells: list[tuple[int, str, int, str]] = []
        self._number = 0
        self._cell: tuple[int, str, int] | None = None
        self._texts: dict[str, list[str]] = {}
        self._in = ""

    def rows(self, blocks: Iterator[bytes]) -> Iterator[tuple[int, list[tuple[int, str, int, str]]]]:
        """Number and cells of each row: column, kind, style, text."""
        parser = _parser(self._begin)
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        for block in blocks:
            _feed(parser, block)
            done, self._done = self._done, []
            yield from done

    def _begin(self, name: str, given: dict[str, str]) -> None:
        match name:
            case "row":
                self._number = int(given.get("r", self._number + 1))
                self._cells = []
            case "c":
                after = self._cells[-1][0] + 1 if self._cells else 0
                self._cell = (
                    _column(given["r"]) if "r" in given else after,
                    given.get("t", "n"),
                    int(given.get("s", 0)),
                )
                self._texts = {}
            case "v" | "t" | "f":
                self._in = name

    def _text(self, data: str) -> None:
        if self._in and self._cell:
            self._texts.setdefault(self._in, []).append(data)

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == self._in:
            self._in = ""
        elif name == "c" and self._cell:
            at, kind, style = self._cell
            if self._formulas and "f" in self._texts:
                self._cells.append((at, "f", style, "=" + "".join(self._texts["f"])))
            else:
                text = "".join(self._texts.get("v") or self._texts.get("t") or ())
                if text or kind in ("inlineStr", "str"):
                    self._cells.append((at, kind, style, text))
            self._cell = None
        elif name == "row":
            self._done.append((self._number, self._cells))


class _Shared:
    """The texts that cells refer to by number."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._text: list[str] = []
        self._in = self._aside = False

    def texts(self, blocks: Iterator[bytes]) -> Iterator[str]:
        """Each text, in order."""
        parser = _parser(self._begin)
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        for block in blocks:
            _feed(parser, block)
            done, self._done = self._done, []
            yield from done

    def _begin(self, name: str, _given: dict[str, str]) -> None:
        # Beside a text may stand how it is pronounced, which is no part of it.
        self._aside = self._aside or name == "rPh"
        self._in = name == "t" and not self._aside

    def _data(self, data: str) -> None:
        if self._in:
            self._text.append(data)

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        self._in = False
        if name == "rPh":
            self._aside = False
        if name == "si":
            self._done.append(_clean("".join(self._text)))
            self._text = []


def _parse(blocks: Iterator[bytes], begin: Any) -> None:
    parser = _parser(begin)
    for block in blocks:
        _feed(parser, block)


def _parser(begin: Any) -> Any:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    # Names of elements may carry a prefix; here only what comes after it matters.
    parser.StartElementHandler = lambda name, given: begin(name.rpartition(":")[2], given)
    parser.StartDoctypeDeclHandler = _refuse
    return parser


def _refuse(*_: object) -> None:
    raise TaskFailed("The Excel file defines types of its own (DOCTYPE), which is not read.")


def _feed(parser: Any, block: bytes) -> None:
    try:
        parser.Parse(block, False)
    except expat.ExpatError as error:
        raise TaskFailed(f"The Excel file is damaged: {error}.") from None


def _column(place: str) -> int:
    """The column of a cell's name, from 0: `C7` is 2."""
    number = 0
    for sign in place:
        if not sign.isalpha():
            break
        number = number * 26 + ord(sign.upper()) - 64
    return number - 1


def _clean(text: str) -> str:
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text
