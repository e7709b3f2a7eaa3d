"""What is a file of records? One value per line, as JSON: so we write it; Ion text is read as well."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import msgspec

from penstock.plugins.serdes import ion
from penstock.sdk.context import Context
from penstock.sdk.plain import plain
from penstock.sdk.task import TaskFailed

SUFFIX: Final = ".jsonl"
TELL: Final = 10_000


class Writer:
    """A file of records being written; open while its records come."""

    def __init__(self, context: Context, name: str = f"records{SUFFIX}", *, exact: bool = False) -> None:
        """`exact`: records may hold values that JSON has no number for (decimals), and need a closer look."""
        self.count = 0
        self.path = context.workdir / name
        self._context = context
        self._exact = exact
        self._encode = msgspec.json.Encoder(enc_hook=plain).encode
        self._file: IO[bytes] = self.path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def write(self, record: object) -> None:
        """Add a record."""
        try:
            self._file.write(self._encode(plain(record) if self._exact else record))
        except (OverflowError, TypeError):
            self._file.write(self._encode(plain(record)))
        self._file.write(b"\n")
        self.count += 1
        if self.count % TELL == 0:
            self._context.progress(self.count, unit="records")

    def records(self) -> Iterator[object]:
        """What was written so far."""
        self._file.flush()
        return read(self.path)

    def done(self) -> dict[str, object]:
        """Store the file; gives its address and how many records it has, as outputs tell it."""
        self._file.close()
        self._context.metric("records", self.count)
        return {"uri": self._context.store(self.path), "size": self.count}


def stored(context: Context, records: Iterable[object], *, exact: bool = False) -> dict[str, object]:
    """Write all records and store the file."""
    with Writer(context, exact=exact) as writer:
        for record in records:
            writer.write(record)
        return writer.done()


def read(path: Path, charset: str = "utf-8") -> Iterator[object]:
    """The records of a file: JSON lines, else Ion text; TaskFailed, with the line, for what is neither."""
    decode = msgspec.json.Decoder().decode
    count = 0
    with opened(path, charset) as source:
        for number, line in enumerate(source, 1):
            if line.isspace():
                continue
            try:
                value = decode(line)
            except msgspec.DecodeError:
                value = _large(line)
                if value is None:
                    break
            count = number
            yield value
        else:
            return
    yield from _as_ion(path, charset, count)


def rows(path: Path, charset: str = "utf-8") -> Iterator[dict[str, object]]:
    """The records of a file of which each has named values; TaskFailed for one that has not."""
    for number, record in enumerate(read(path, charset), 1):
        if not isinstance(record, dict):
            raise TaskFailed(f"Record {number} has no named values: {json.dumps(plain(record))[:60]}.")
        yield record


def opened(path: Path, charset: str, newline: str | None = None) -> IO[str]:
    """A text file to read; TaskFailed for a charset that nobody knows."""
    try:
        return path.open(encoding="utf-8-sig" if charset.lower() in ("utf-8", "utf8") else charset, newline=newline)
    except LookupError:
        raise TaskFailed(f'There is no charset "{charset}".') from None


def shown(value: object) -> object:
    """A value of a cell that can hold only text, numbers and instants: what has parts becomes JSON."""
    if isinstance(value, dict | list):
        return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
    return value


def _large(line: str) -> object | None:
    """A line of JSON with numbers beyond 64 bits, which the quick reader does not take; nothing when it is no JSON."""
    try:
        found: object = json.loads(line)
    except ValueError:
        return None
    return found


def _as_ion(path: Path, charset: str, passed: int) -> Iterator[object]:
    """The rest of a file, after so many lines that were JSON, as Ion."""
    with opened(path, charset) as source:
        for _ in range(passed):
            next(source)
        try:
            yield from ion.values(source)
        except ion.Unreadable as error:
            where = f" (counted from line {passed + 1})" if passed else ""
            raise TaskFailed(f"A file of records holds JSON lines or Ion text: {error}{where}.") from None
