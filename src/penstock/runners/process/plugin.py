"""How does a task type in its own process speak with the worker? Frames over its channel, one question at a time."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from penstock.errors.task import Refused
from penstock.sdk import child
from penstock.sdk.plain import plain

LENGTH: Final = struct.Struct(">I")


class Line:
    """The channel as the SDK wants it; threads of a task may share it."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._talking = threading.Lock()
        self._asking = threading.Lock()
        self._asked = 0
        self._answered = 0

    @property
    def owed(self) -> bool:
        """Whether an answer may still come that nobody waits for."""
        return self._asked != self._answered

    def send(self, frame: dict[str, object]) -> None:
        """Tell the worker something."""
        self.send_all((frame,))

    def send_all(self, frames: Iterable[dict[str, object]]) -> None:
        """Tell the worker several things at once."""
        bodies = [msgspec.json.encode(frame, enc_hook=plain) for frame in frames]
        with self._talking:
            self._channel.sendall(b"".join(LENGTH.pack(len(body)) + body for body in bodies))

    def ask(self, what: str, body: dict[str, object]) -> object:
        """Ask and wait for the answer; Refused, with the worker's sentence, when it declines."""
        with self._asking:
            self._asked += 1
            self.send({"t": "ask", "id": self._asked, "what": what, "body": body})
            answer = msgspec.json.decode(self._read(LENGTH.unpack(self._read(LENGTH.size))[0]))
            self._answered += 1
        if "refused" in answer:
            raise Refused(str(answer["refused"]))
        return answer.get("value")

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._channel.recv(size - len(data))
            if not more:
                raise Refused("The worker is gone.")
            data += more
        return data


def main(payload: Mapping[str, object], channel: socket.socket) -> None:
    """Do the attempt of a task type, in the process that was forked for it."""
    child.main(payload, Line(channel))
