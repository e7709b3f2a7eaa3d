"""What is told of a server's health, and of the errors that it may answer with?"""

from __future__ import annotations

import msgspec


class Live(msgspec.Struct, frozen=True):
    """The server answers."""

    status: str
    version: str


class Trouble(msgspec.Struct, frozen=True):
    """What keeps a server from its work: which part, and a sentence."""

    part: str
    sentence: str


class Ready(msgspec.Struct, frozen=True):
    """Whether the server can do its work, and what keeps it from that."""

    ready: bool
    troubles: list[Trouble]


class ErrorAbout(msgspec.Struct, frozen=True):
    """What a code of an error means: the status it comes with, what it is, and what to do about it."""

    code: str
    status: int
    about: str
    hint: str
