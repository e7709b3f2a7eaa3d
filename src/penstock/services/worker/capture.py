"""What becomes of the text that an attempt prints? Lines, masked, counted, kept up to a cap: per read, not per line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from penstock.services.secrets.masks import Masks
from penstock.store.chunks import Level, Piece, Stream

LONGEST_LINE: Final = 64 * 1024
LONGEST_MESSAGE: Final = 16 * 1024 * 1024
TOO_LONG: Final = re.compile(rb"[^\n]{%d}(?=[^\n])" % LONGEST_LINE)
MESSAGE: Final = re.compile(rb"^::(\{.*\})::[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
LEVELS: Final = {
    "trace": Level.TRACE,
    "debug": Level.DEBUG,
    "info": Level.INFO,
    "warn": Level.WARNING,
    "warning": Level.WARNING,
    "error": Level.ERROR,
}


class Source:
    """One stream of a process: what has come and is not yet a line, and how many lines were."""

    def __init__(self, stream: Stream, heard: Callable[[dict[str, object]], None] | None = None) -> None:
        self.stream = stream
        self.heard = heard
        self.rest = b""
        self.lines = 0


class Capture:
    """One attempt's log; `keep` takes each piece on to the store.

    `heard` of a source gets the body of each line `::{…}::`, which then is no line of the log.
    """

    def __init__(self, keep: Callable[[Piece], None], masks: Masks, cap: int) -> None:
        self._keep = keep
        self._masks = masks
        self._room = cap
        self._cap = cap
        self.dropped = 0

    def read(self, source: Source, data: bytes, at: int) -> None:
        """Take what one read gave."""
        text = source.rest + data if source.rest else data
        end = text.rfind(b"\n") + 1
        source.rest = text[end:]
        if end:
            self._lines(source, text[:end], at)
        longest = LONGEST_MESSAGE if source.heard and source.rest.startswith(b"::{") else LONGEST_LINE
        if len(source.rest) > longest + self._masks.overlap:
            # The tail may hold the beginning of a secret, so it stays until the rest of it has come.
            hidden = self._masks.hide(source.rest)
            cut = max(len(hidden) - self._masks.overlap, 0)
            source.rest = hidden[cut:]
            self._put(source.stream, hidden[:cut] + b"\n", at)

    def end(self, source: Source, at: int) -> None:
        """The stream is closed: what is left is a line."""
        rest, source.rest = source.rest, b""
        if rest:
            self._lines(source, rest, at)

    def say(self, message: str, at: int, level: Level = Level.INFO, stream: Stream = Stream.SYSTEM) -> None:
        """Add a line that the process did not print."""
        text = message.encode(errors="backslashreplace")
        self._put(stream, self._masks.hide(text if text.endswith(b"\n") else text + b"\n"), at, level)

    def _lines(self, source: Source, text: bytes, at: int) -> None:
        if source.heard is not None and b"::{" in text:
            text = self._messages(source, source.heard, text, at)
        self._text(source, text, at)

    def _text(self, source: Source, text: bytes, at: int) -> None:
        if not text:
            return
        source.lines += text.count(b"\n") + (not text.endswith(b"\n"))
        self._put(source.stream, self._masks.hide(text), at)

    def _messages(self, source: Source, heard: Callable[[dict[str, object]], None], text: bytes, at: int) -> bytes:
        """Take the messages, and the text between them in its place; gives what is left after the last."""
        after = 0
        for match in MESSAGE.finditer(text):
            self._text(source, text[after : match.start()], at)
            after = match.end()
            source.lines += 1
            try:
                heard(msgspec.json.decode(match[1], type=dict[str, object]))
            except msgspec.MsgspecError as error:
                self.say(f"A line ::{{…}}:: could not be read: {error}.", at, Level.WARNING)
        return text[after:]

    def _put(self, stream: Stream, text: bytes, at: int, level: Level = Level.NONE) -> None:
        if self._room <= 0:
            self.dropped += len(text)
            return
        if len(text) > LONGEST_LINE:
            text = TOO_LONG.sub(rb"\g<0>\n", text)
        if len(text) > self._room:
            self.dropped += len(text) - self._room
            text = text[: text.rfind(b"\n", 0, self._room) + 1]
            self._room = 0
            if text:
                self._keep(Piece(at, stream, text, level))
            full = b"The log has come to its cap of %d MB; the rest is dropped.\n" % (self._cap // 1_000_000)
            self._keep(Piece(at, Stream.SYSTEM, full, Level.WARNING))
            return
        self._room -= len(text)
        self._keep(Piece(at, stream, text, level))
