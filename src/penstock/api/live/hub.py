"""Who reads what is new, for everybody who listens? One thread, and only while somebody does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from penstock.api.events import Event, Listening
from penstock.api.live.changes import Changes, Listener
from penstock.api.live.following import Followed, Follower
from penstock.errors import PenstockError
from penstock.services.core import Core
from penstock.store import runs
from penstock.telemetry import Level

POLL: Final = 0.05
# While something changes, and for a moment after, who listens is told sooner: they look because things go on.
EAGER: Final = 0.008
EAGER_FOR: Final = 1.0
AWAY: Final = 1.0
# Of its time the thread reads at most a share of one in so many, however slow the store is.
SHARE: Final = 10


class Hub:
    """Tells changes and follows runs; its thread begins with the first who listens, and ends with `close`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._news = threading.Condition()
        self._changes = Changes(core)
        self._followed: dict[str, Followed] = {}
        self._thread: threading.Thread | None = None
        self._closed = False
        self._eager_until = 0.0

    def soon(self) -> None:
        """Something is being changed: who listens is to hear of it without delay."""
        with self._news:
            now = time.monotonic()
            eager, self._eager_until = now < self._eager_until, now + EAGER_FOR
            if not eager:
                self._news.notify_all()

    def listen(self, listener: Listener) -> Listening:
        """Hear of changes from now on, or from where one was who listens again."""
        listening = Listening(lambda _: self._changes.leave(listener))
        self._changes.join(listener, listening)
        with self._news:
            self._wake(listening)
        return listening

    def follow(self, follower: Follower, told_as: Callable[[Event], list[Event]] | None = None) -> Listening:
        """Follow a run and its log until it has ended; `told_as` makes of each event what is told of it."""
        listening = Listening(lambda _: self._leave(follower), told_as)
        with self._news:
            follower.listening = listening
            self._followed.setdefault(follower.run, Followed(self._core, follower.run)).followers.append(follower)
            self._wake(listening)
        return listening

    def close(self) -> None:
        """Let everybody go who listens; safe to call twice."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._end_all()

    def _wake(self, listening: Listening) -> None:
        if self._closed:
            listening.end()
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="penstock-live", daemon=True)
            self._thread.start()
        self._news.notify_all()

    def _leave(self, follower: Follower) -> None:
        with self._news:
            followed = self._followed.get(follower.run)
            if followed and follower in followed.followers:
                followed.followers.remove(follower)
                if not followed.followers:
                    del self._followed[follower.run]

    def _run(self) -> None:
        pause = 0.0
        while True:
            with self._news:
                if pause:
                    self._news.wait(pause)
                while not self._closed and not self._followed and not self._changes.wanted:
                    self._changes.rest()
                    self._news.wait()
                if self._closed:
                    return
                followed = list(self._followed.values())
            began = time.monotonic()
            try:
                hurry = self._turn(followed)
            except PenstockError as error:
                now = self._core.clock.now()
                self._core.notices.say("api.store_away", now, Level.WARNING, error=str(error))
                pause = AWAY
            else:
                now_at = time.monotonic()
                pace = EAGER if now_at < self._eager_until else POLL
                pause = 0.0 if hurry else max(pace, SHARE * (now_at - began))

    def _turn(self, followed: list[Followed]) -> bool:
        """Read what is new and tell it; whether somebody is still told of what was before."""
        told = self._changes.turn()
        named = [each.run for each in followed]
        found = {}
        if named:
            found = {run.id: run for run in self._core.store.glance(lambda tx: runs.briefs(tx, named))}
        turns = [each.turn(found.get(each.run)) for each in followed]
        if told or any(turn.told for turn in turns):
            self._eager_until = time.monotonic() + EAGER_FOR
        return any(turn.hurries for turn in turns)

    def _end_all(self) -> None:
        self._changes.end()
        for followed in list(self._followed.values()):
            for follower in list(followed.followers):
                follower.listening.end()
