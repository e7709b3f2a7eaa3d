"""How do a container's two streams come apart? By the engine's frames: which stream, how many bytes, the bytes."""

from __future__ import annotations

import os
import struct
from http.client import HTTPResponse
from typing import Final

HEADER: Final = struct.Struct(">BxxxI")
PIECE: Final = 1 << 16
STDERR: Final = 2
# A script names files of its own so: they are wanted back, whatever was promised.
NAMED: Final = b'"files"'


class Pump:
    """What an engine sends of a container, written to this process's own streams; `files`: whether some were named."""

    def __init__(self, stream: HTTPResponse) -> None:
        self.files = False
        self._stream = stream
        self._tail = b""

    def run(self) -> None:
        """Write until the stream ends; a reader that is slow slows the container down."""
        rest, left, target = b"", 0, 1
        while data := self._stream.read1(PIECE):
            data = rest + data
            at = 0
            while at < len(data):
                if not left:
                    if len(data) - at < HEADER.size:
                        break
                    kind, left = HEADER.unpack_from(data, at)
                    target = 2 if kind == STDERR else 1
                    at += HEADER.size
                piece = data[at : at + left]
                at += len(piece)
                left -= len(piece)
                self._pass_on(target, piece)
            rest = data[at:]

    def _pass_on(self, target: int, piece: bytes) -> None:
        if not self.files:
            self.files = NAMED in self._tail + piece
            self._tail = piece[-len(NAMED) :]
        view = memoryview(piece)
        while view:
            view = view[os.write(target, view) :]
