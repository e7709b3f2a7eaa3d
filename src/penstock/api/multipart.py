"""What is in a form that was sent in parts? Its fields, each a slice of the file that the body was written into."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, cast
from urllib.parse import parse_qsl, unquote

import msgspec

from penstock.errors.api import BadRequest, WrongMediaType

FORM: Final = "multipart/form-data"
LINES: Final = "application/x-www-form-urlencoded"
BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s";,]{1,200}))', re.IGNORECASE)
PARAMETER: Final = re.compile(r';\s*([\w*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))')
PIECE: Final = 256 * 1024
MOST_PARTS: Final = 1_000
LONGEST_HEAD: Final = 16 * 1024
LONGEST_TEXT: Final = 16 * 1024 * 1024
NOT_A_FORM: Final = "The body is no form in parts that comes to its end."


class Part(msgspec.Struct, frozen=True):
    """One field of a form; `file` is the name of the file that it is, and None where it is a text."""

    name: str
    file: str | None
    start: int
    end: int
    body: BinaryIO

    def text(self) -> str:
        """The field as a text. Raises BadRequest."""
        if self.end - self.start > LONGEST_TEXT:
            raise BadRequest(f'The field "{self.name[:100]}" is too long for a text; send it as a file.')
        self.body.seek(self.start)
        try:
            found = self.body.read(self.end - self.start).decode()
        except UnicodeDecodeError:
            raise BadRequest(f'The field "{self.name[:100]}" is no UTF-8 text.') from None
        if "\0" in found:
            raise BadRequest(f'The field "{self.name[:100]}" has a sign in it that no text may have: NUL.')
        return found

    def open(self) -> BinaryIO:
        """The field as a file of its own."""
        return cast("BinaryIO", io.BufferedReader(_Slice(self.body, self.start, self.end), PIECE))


def parts(body: BinaryIO, media: str) -> list[Part]:
    """The fields of a form in their order; none where nothing was sent. Raises BadRequest, WrongMediaType."""
    size = body.seek(0, io.SEEK_END)
    body.seek(0)
    if not size:
        return []
    kind = media.partition(";")[0].strip().lower()
    if kind == LINES:
        return _lines(body.read(LONGEST_TEXT))
    if kind != FORM:
        raise WrongMediaType("This address takes a form in parts.", hint=f"Content-Type: {FORM}")
    found = BOUNDARY.search(media)
    if found is None:
        raise BadRequest("The Content-Type does not say what lies between the parts of the form.")
    return _parts(body, size, b"--" + (found[1] or found[2]).encode())


def _lines(body: bytes) -> list[Part]:
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_PARTS)
    except ValueError:
        raise BadRequest(NOT_A_FORM) from None
    return [Part(name, None, 0, len(value.encode()), io.BytesIO(value.encode())) for name, value in fields]


def _parts(body: BinaryIO, size: int, mark: bytes) -> list[Part]:
    """What lies between the marks; each stands at the beginning of a line."""
    places = list(_found(body, size, mark))
    if not places or places[0] != 0:
        raise BadRequest(NOT_A_FORM)
    made: list[Part] = []
    for place, following in zip(places, [*places[1:], None], strict=True):
        body.seek(place + len(mark))
        if body.read(2) == b"--":
            return made
        if following is None or len(made) >= MOST_PARTS:
            break
        made.append(_part(body, place + len(mark), following - 2))
    raise BadRequest(NOT_A_FORM)


def _found(body: BinaryIO, size: int, mark: bytes) -> Iterator[int]:
    """Where marks stand."""
    sought, at, count = b"\r\n" + mark, 0, 0
    body.seek(0)
    if body.read(len(mark)) == mark:
        yield 0
    while at < size and count <= MOST_PARTS:
        body.seek(at)
        piece = body.read(PIECE + len(sought))
        begin = 0
        while (place := piece.find(sought, begin)) >= 0 and place < PIECE and count <= MOST_PARTS:
            count += 1
            yield at + place + 2
            begin = place + len(sought)
        at += PIECE


def _part(body: BinaryIO, start: int, end: int) -> Part:
    body.seek(start)
    head, gap, _ = body.read(min(LONGEST_HEAD, max(0, end - start))).partition(b"\r\n\r\n")
    if not gap:
        raise BadRequest(NOT_A_FORM)
    said = ""
    for line in head.decode(errors="replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            said = value
    told = {
        word.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        for word, quoted, bare in PARAMETER.findall(said)
    }
    if "name" not in told:
        raise BadRequest("A part of the form has no name.")
    file = told.get("filename")
    if "filename*" in told:
        file = unquote(told["filename*"].rpartition("''")[2])
    return Part(told["name"], file, start + len(head) + 4, end, body)


class _Slice(io.RawIOBase):
    """A part of a file, read as if it were one; it leaves the file open."""

    def __init__(self, body: BinaryIO, start: int, end: int) -> None:
        super().__init__()
        self._body = body
        self._start = start
        self._length = max(0, end - start)
        self._at = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can begin anew."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at

    def readinto(self, buffer: object) -> int:
        """Read on."""
        view = memoryview(cast("bytearray", buffer)).cast("B")
        wanted = min(len(view), self._length - self._at)
        if wanted <= 0:
            return 0
        self._body.seek(self._start + self._at)
        piece = self._body.read(wanted)
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
