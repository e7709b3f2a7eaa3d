"""How is a server listened to? As server-sent events; who is cut off goes on behind the last event that came."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from penstock.client.wire import Ask, Given, Wire
from penstock.errors.client import ServerUnreachable

# A server that has nothing to tell says so every fifteen seconds.
PATIENCE: Final = 45.0
PAUSES: Final = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 5.0)
END: Final = "end"
RELOAD: Final = "reload"


class Heard(msgspec.Struct, frozen=True):
    """One event: its name, what it says as JSON, and the id to go on behind it."""

    name: str
    data: bytes
    id: str


def listen(wire: Wire, path: str, query: Mapping[str, object], until: float | None = None) -> Iterator[Heard]:
    """What a stream tells, until it has said its end, or a moment of the clock `time.monotonic`.

    Raises ServerUnreachable where nobody answers any more.
    """
    failures, last = 0, ""
    while until is None or time.monotonic() < until:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        try:
            with wire.given(Ask(method="GET", path=path, query=query, headers=headers, safe=True)) as answer:
                for heard in _events(answer, last, until):
                    failures, last = 0, heard.id
                    yield heard
                    if heard.name == END:
                        return
                    if heard.name == RELOAD:
                        break  # who could not keep up goes on behind what came last
        except ServerUnreachable:
            if failures >= len(PAUSES) and (until is None or time.monotonic() < until):
                raise
        failures = min(failures + 1, len(PAUSES))
        time.sleep(PAUSES[failures - 1])


def _events(answer: Given, last: str, until: float | None) -> Iterator[Heard]:
    name, said = "", bytearray()
    for line in answer.lines(PATIENCE, until):
        field, _, value = line.rstrip(b"\r\n").partition(b":")
        value = value.removeprefix(b" ")
        match field:
            case b"" if not line.strip():
                if name:
                    yield Heard(name, bytes(said), last)
                name, said = "", bytearray()
            case b"event":
                name = value.decode()
            case b"data":
                said += value
            case b"id":
                last = value.decode()
            case _:
                pass  # a comment, by which the server says that it is still there
