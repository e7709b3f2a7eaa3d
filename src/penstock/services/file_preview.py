"""What does a stored file hold? A look at its first bytes: rows of CSV and of JSON lines, a JSON value, text."""

from __future__ import annotations

import csv
import enum
import io
import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

import msgspec

LOOKED_AT: Final = 256 * 1024
IMAGES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
TABLES: Final = {".csv": ",", ".tsv": "\t"}
LINES: Final = (".jsonl", ".ndjson")
WIDEST: Final = 1_000


class PreviewKind(enum.StrEnum):
    """What a file turned out to hold."""

    TABLE = "table"
    JSON = "json"
    TEXT = "text"
    IMAGE = "image"
    BINARY = "binary"
    EMPTY = "empty"


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning of a file: rows under their columns, a value, or text; `whole` says that this is all of it.

    `note` says why there is less to see than there might be.
    """

    kind: PreviewKind
    name: str
    size: int
    whole: bool
    columns: list[str] = []
    rows: list[list[object]] = []
    value: object = None
    text: str = ""
    media: str = ""
    note: str = ""


def preview(name: str, size: int, head: bytes, rows: int) -> Preview:
    """Look at the first bytes of a file; at most so many rows are told."""
    ending = PurePosixPath(name).suffix.lower()
    whole = size <= len(head)
    if not head:
        return Preview(kind=PreviewKind.EMPTY, name=name, size=size, whole=True)
    if ending in IMAGES:
        return Preview(kind=PreviewKind.IMAGE, name=name, size=size, whole=False, media=IMAGES[ending])
    text = _text(head, whole=whole)
    if text is None:
        return Preview(kind=PreviewKind.BINARY, name=name, size=size, whole=False, text=head[:256].hex(" "))
    told: Preview | None = None
    if ending in TABLES:
        told = _table(text, TABLES[ending], rows, whole=whole)
    elif ending in LINES:
        told = _lines(text, rows, whole=whole)
    elif ending == ".json" and whole:
        told = _value(text)
    found = told or Preview(kind=PreviewKind.TEXT, name="", size=0, whole=whole, text=text)
    return msgspec.structs.replace(found, name=name, size=size)


def _text(head: bytes, *, whole: bool) -> str | None:
    """The bytes as text, but for what was cut off in the middle of a sign; None where they are none."""
    if b"\0" in head:
        return None
    for cut in range(1 if whole else 4):
        try:
            return head[: len(head) - cut].decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
    return None


def _table(text: str, comma: str, most: int, *, whole: bool) -> Preview | None:
    kept = text if whole else text[: text.rfind("\n") + 1]
    found: list[list[object]] = []
    try:
        for row in csv.reader(io.StringIO(kept, newline=""), delimiter=comma):
            found.append(list[object](row[:WIDEST]))
            if len(found) > most + 1:
                break
    except csv.Error:
        return None
    columns = [str(each) for each in found[0]] if found else []
    shown = found[1 : most + 1]
    all_of_it = whole and len(found) <= most + 1
    return Preview(kind=PreviewKind.TABLE, name="", size=0, whole=all_of_it, columns=columns, rows=shown)


def _lines(text: str, most: int, *, whole: bool) -> Preview | None:
    lines = [line for line in text.splitlines()[: None if whole else -1] if line.strip()]
    records = []
    for line in lines[:most]:
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError):
            return None
    columns = list(dict.fromkeys(str(key) for each in records if isinstance(each, dict) for key in each))[:WIDEST]
    all_of_it = whole and len(lines) <= most
    if not all(isinstance(each, dict) for each in records):
        return Preview(kind=PreviewKind.JSON, name="", size=0, whole=all_of_it, value=records)
    rows = _cells(records, columns)
    return Preview(kind=PreviewKind.TABLE, name="", size=0, whole=all_of_it, columns=columns, rows=rows)


def _cells(records: Sequence[dict[str, object]], columns: Sequence[str]) -> list[list[object]]:
    return [[each.get(column) for column in columns] for each in records]


def _value(text: str) -> Preview | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return Preview(kind=PreviewKind.JSON, name="", size=0, whole=True, value=found)
