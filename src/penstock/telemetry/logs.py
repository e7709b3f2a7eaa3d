"""How do notices become log lines? One line each, for people or as JSON, on standard error or wherever is said."""

from __future__ import annotations

import datetime
from typing import TextIO

import msgspec

from penstock.telemetry.notice import Level, Notice, Subscriber

ORDER = tuple(Level)


def writer(out: TextIO, *, least: Level = Level.INFO, as_json: bool = False) -> Subscriber:
    """A subscriber that writes every notice of at least a level as one line."""
    heard = frozenset(ORDER[ORDER.index(least) :])

    def write(notice: Notice) -> None:
        if notice.level in heard:
            out.write((_json(notice) if as_json else _text(notice)) + "\n")
            out.flush()

    return write


def _text(notice: Notice) -> str:
    fields = " ".join(f"{name}={_shown(value)}" for name, value in notice.fields.items() if value not in ("", None))
    return f"{_time(notice.at)} {notice.level:<7} {notice.name} {fields}".rstrip()


def _json(notice: Notice) -> str:
    told = {"time": _time(notice.at), "level": notice.level, "notice": notice.name}
    return msgspec.json.encode(told | notice.fields, enc_hook=str).decode()


def _shown(value: object) -> str:
    text = str(value)
    # what could move a terminal's cursor, or begin a line of its own, is shown as what it is
    return repr(text) if not text.isprintable() or any(mark in text for mark in ' "=') else text


def _time(at: int) -> str:
    moment = datetime.datetime.fromtimestamp(at / 1_000_000, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
