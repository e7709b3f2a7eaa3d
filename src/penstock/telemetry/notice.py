"""What is a notice, and who hears it? A named fact with its fields; subscribers are told in the order they came."""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec


class Level(enum.StrEnum):
    """How much a notice matters to somebody who watches."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Notice(msgspec.Struct, frozen=True):
    """One named fact: `name` such as `run.ended`, its level, and fields of plain data; `at` in microseconds."""

    name: str
    at: int
    level: Level = Level.INFO
    fields: dict[str, object] = {}


Subscriber = Callable[[Notice], None]


class Notices:
    """Where notices are said; with nobody listening, saying one costs a comparison."""

    def __init__(self) -> None:
        self._subscribers: tuple[Subscriber, ...] = ()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Let somebody hear every notice from now on."""
        self._subscribers = (*self._subscribers, subscriber)

    def say(self, name: str, at: int, level: Level = Level.INFO, /, **fields: object) -> None:
        """Say a fact. A subscriber that fails must not stop the work: it hears no more."""
        if not self._subscribers:
            return
        notice = Notice(name, at, level, fields)
        for subscriber in self._subscribers:
            try:
                subscriber(notice)
            except Exception:  # a broken log pipe must never fail a run
                self._subscribers = tuple(other for other in self._subscribers if other is not subscriber)
