"""How is one run followed? Its log in the order written, each time it changes, and that it has ended.

A chunk of a log becomes visible when its worker has written it, which may be a moment after another one that began
later. So what began within the last seconds is looked at again, and nobody is told the same chunk twice.
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from penstock.api.events import Event, Listening
from penstock.api.shapes.logs import log_row
from penstock.api.shapes.runs import row as run_row
from penstock.errors.api import BadRequest
from penstock.model.policy import SECOND
from penstock.model.run import Run
from penstock.services.core import Core
from penstock.services.log_pages import Line, lines_in
from penstock.store import runs
from penstock.store.chunks import BEFORE_ALL, BEHIND_ALL, LogChunk, Selected, Spot, spot
from penstock.store.runs import Brief

OVERLAP: Final = 15 * SECOND
TOGETHER: Final = 4
MOST_SPOTS: Final = 10_000
MOST_PLACES: Final = 50
# Who has so much to take still is told more when they have taken it.
ENOUGH: Final = 100
# Logs are kept a moment after their task has ended.
LINGER: Final = 1.5
EVERYTHING: Final = Selected()


class Place(msgspec.Struct, frozen=True):
    """How far a follower has come: the newest chunk's beginning, and the newest chunk of each attempt around it."""

    at: Annotated[int, Meta(ge=0, le=2**62)]
    parts: tuple[tuple[str, int, int], ...] = ()


@dataclass(eq=False, slots=True)
class Follower:
    """Who follows a run: which lines they want, what they have been told, and whether that is all there is."""

    run: str
    selected: Selected = EVERYTHING
    text: str = ""
    place: Place | None = None
    from_now: bool = False
    listening: Listening = field(default_factory=Listening)
    told: dict[Spot, None] = field(default_factory=dict)
    had: dict[tuple[str, int], int] = field(default_factory=dict)
    here: Spot | None = None
    newest: int = 0
    version: int = -1

    @property
    def behind(self) -> bool:
        """Whether they are still told what was logged before they came."""
        return self.here is not None

    def begin(self) -> None:
        """Stand where they left, or at the beginning."""
        if self.place is None:
            self.here = BEFORE_ALL
        else:
            self.newest = self.place.at
            self.had = {(step, attempt): seq for step, attempt, seq in self.place.parts}
            self.here = Spot(max(0, self.place.at - OVERLAP), "", 0, 0)

    def tell(self, chunk: LogChunk, lines: list[Line]) -> None:
        """Tell a chunk, unless it was told before."""
        at = spot(chunk)
        if at in self.told or chunk.seq <= self.had.get((chunk.step, chunk.attempt), -1):
            return
        self.told[at] = None
        self.newest = max(self.newest, chunk.first_at)
        wanted = [log_row(line) for line in lines if self._wants(line)]
        if wanted:
            self.listening.put(Event("log", wanted, written(self._place())))

    def forget(self) -> None:
        """Keep of what was told only what may be looked at again."""
        oldest = self.newest - OVERLAP
        if len(self.told) > MOST_PLACES:
            self.told = {each: None for each in self.told if each.at >= oldest}

    def _wants(self, line: Line) -> bool:
        wanted = self.selected
        return (
            line.level >= wanted.least
            and wanted.step in (None, line.step)
            and wanted.attempt in (None, line.attempt)
            and (not self.text or self.text.lower() in line.text.lower())
        )

    def _place(self) -> Place:
        oldest = self.newest - OVERLAP
        parts: dict[tuple[str, int], int] = {}
        for each in self.told:
            if each.at >= oldest:
                key = (each.step, each.attempt)
                parts[key] = max(each.seq, parts.get(key, -1))
        if len(parts) > MOST_PLACES:
            return Place(self.newest)
        return Place(self.newest, tuple((step, attempt, seq) for (step, attempt), seq in parts.items()))


class Turn(NamedTuple):
    """What one look at a run came to: whether somebody is still told of what was before, whether anything was new."""

    hurries: bool
    told: bool


class Followed:
    """One run with all who follow it: its log is read once for those who have come to its end."""

    def __init__(self, core: Core, run: str) -> None:
        self.run = run
        self.followers: list[Follower] = []
        self._core = core
        self._run: Run | None = None
        self._newest = self._since = 0
        self._ended_at: float | None = None

    def turn(self, now: Brief | None) -> Turn:
        """Tell what is new."""
        before = self._newest
        changed = now is not None and (self._run is None or self._run.version != now.version)
        if changed:
            self._run = self._core.store.glance(lambda tx: runs.load(tx, self.run))
        run = self._run
        for each in list(self.followers):
            if each.version < 0:
                self._greet(each)
            if run is not None and run.version != each.version:
                each.version = run.version
                each.listening.put(Event("run", run_row(run)))
        hurries = [self._make_good(each) for each in list(self.followers) if each.behind]
        self._read_on([each for each in self.followers if not each.behind])
        self._end(run, gone=now is None)
        return Turn(any(hurries), changed or self._newest != before)

    def _greet(self, follower: Follower) -> None:
        if follower.from_now and follower.place is None:
            last = self._core.store.logs.page(self.run, BEHIND_ALL, Selected(backwards=True), 1)
            follower.newest = last[0].first_at if last else 0
            around = max(0, follower.newest - OVERLAP)
            follower.told = dict.fromkeys(self._core.store.logs.newer(self.run, around, EVERYTHING, MOST_SPOTS))
            self._advance(follower.newest)
        else:
            follower.begin()

    def _make_good(self, follower: Follower) -> bool:
        """Tell a part of what was before; whether more of it can be told at once."""
        if follower.listening.waiting > ENOUGH or follower.here is None:
            return False
        chunks = self._core.store.logs.page(self.run, follower.here, follower.selected, TOGETHER)
        for chunk in chunks:
            follower.tell(chunk, list(lines_in(chunk)))
        if len(chunks) == TOGETHER:
            follower.here = spot(chunks[-1])
            follower.forget()
            return True
        follower.here = None
        self._advance(follower.newest)
        return False

    def _advance(self, newest: int) -> None:
        self._newest = max(self._newest, newest)
        self._since = max(0, self._newest - OVERLAP)

    def _read_on(self, followers: list[Follower]) -> None:
        if not followers:
            return
        found = self._core.store.logs.newer(self.run, self._since, EVERYTHING, MOST_SPOTS)
        for each in found:
            untold = [one for one in followers if each not in one.told]
            chunk = self._core.store.logs.one(self.run, each) if untold else None
            if chunk is None:
                continue
            lines = list(lines_in(chunk))
            for one in untold:
                one.tell(chunk, lines)
        if found:
            self._advance(found[-1].at)
        if len(found) == MOST_SPOTS:
            self._since = found[-1].at  # so much in so little time: what is late among it is not waited for
        for one in followers:
            one.newest = max(one.newest, self._newest)
            one.forget()

    def _end(self, run: Run | None, *, gone: bool) -> None:
        """Let those go who have been told all, once the run has ended and its logs have had time to come."""
        if not gone and (run is None or not run.status.ended):
            self._ended_at = None
            return
        now = time.monotonic()
        if self._ended_at is None:
            self._ended_at = now
        if now - self._ended_at < LINGER:
            return
        last = {"status": run.status.value, "successor": run.successor} if run else {}
        for each in list(self.followers):
            if not each.behind and not each.listening.ended:
                each.listening.put(Event("end", last))
                each.listening.end()


def written(place: Place) -> str:
    """A place as the id of an event."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode().rstrip("=")


def placed(text: str) -> Place | None:
    """The place that the id of an event names; None for the empty one. Raises BadRequest."""
    if not text:
        return None
    try:
        body = base64.b64decode(text[:10_000] + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(body, type=Place)
    except (ValueError, msgspec.MsgspecError):
        raise BadRequest("The Last-Event-ID is not one of this stream.") from None
