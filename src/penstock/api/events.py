"""How do events reach who listens? As server-sent events: an id to go on from, a name, JSON; comments to stay alive."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

MEDIA: Final = "text/event-stream"
HEARTBEAT: Final = 15.0
MOST_WAITING: Final = 1_000


class Event(msgspec.Struct, frozen=True):
    """One event; an `id` is what a listener says to go on behind it, the empty one leaves the last one standing."""

    name: str
    data: object
    id: str = ""


class Listening:
    """Somebody who listens: filled by any thread, emptied by the loop; closes when either side has gone.

    Who cannot keep up is told to begin anew rather than kept waiting for.
    """

    def __init__(
        self, leave: Callable[[Listening], None] = lambda _: None, told_as: Callable[[Event], list[Event]] | None = None
    ) -> None:
        self._leave = leave
        self._told_as = told_as
        self._loop: asyncio.AbstractEventLoop | None = None
        self._filled: asyncio.Event | None = None
        self._waiting: deque[Event] = deque()
        self._ended = False

    def put(self, event: Event) -> None:
        """Let an event go out, as who listens wants it told; for any thread."""
        for each in [event] if self._told_as is None else self._told_as(event):
            self._put(each)

    def _put(self, event: Event) -> None:
        if len(self._waiting) >= MOST_WAITING and not self._ended:
            self._waiting.append(Event("reload", {"why": "too slow"}))
            self._ended = True
        elif not self._ended:
            self._waiting.append(event)
        self._ring()

    def end(self) -> None:
        """Nothing comes any more; for any thread."""
        self._ended = True
        self._ring()

    @property
    def ended(self) -> bool:
        """Whether nothing comes any more."""
        return self._ended

    @property
    def waiting(self) -> int:
        """How many events have not gone out yet."""
        return len(self._waiting)

    def left(self) -> None:
        """Nobody listens any more."""
        self._ended = True
        self._leave(self)

    async def next(self, patience: float) -> list[Event] | None:
        """What has come, after waiting for it; nothing when nothing came for so long, None at the end."""
        if self._filled is None:
            self._filled = asyncio.Event()
            self._loop = asyncio.get_running_loop()
        if not self._waiting and not self._ended:
            try:
                await asyncio.wait_for(self._filled.wait(), patience)
            except TimeoutError:
                return []
        self._filled.clear()
        over, taken = self._ended, []
        while self._waiting:
            # one by one: another thread may add to it meanwhile, and nothing that it adds may get lost
            taken.append(self._waiting.popleft())
        return taken if taken or not over else None

    def _ring(self) -> None:
        loop, filled = self._loop, self._filled
        if loop is not None and filled is not None and not loop.is_closed():
            loop.call_soon_threadsafe(filled.set)


def streamed(
    request: Request, listening: Listening, headers: Mapping[str, str], still_may: Callable[[], bool]
) -> Response:
    """The answer that tells events until one side goes; with each heartbeat it is asked whether it still may."""

    async def told() -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        asked = loop.time()
        try:
            yield b": here\n\n"
            while (found := await listening.next(HEARTBEAT)) is not None:
                yield b"".join(map(written, found)) or b": still here\n\n"
                if loop.time() - asked >= HEARTBEAT:
                    asked = loop.time()
                    if not await asyncio.to_thread(still_may):
                        break
        finally:
            listening.left()

    shown = {**headers, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(told(), 200, shown, MEDIA)


def written(event: Event) -> bytes:
    """An event as it travels."""
    head = f"id: {event.id}\n" if event.id else ""
    return f"{head}event: {event.name}\ndata: ".encode() + msgspec.json.encode(event.data) + b"\n\n"
