"""What can go wrong on the way to a server, as who calls it sees it? What the server refuses keeps its own code."""

from __future__ import annotations

from penstock.errors import PenstockError


class ServerUnreachable(PenstockError):
    """A server cannot be reached, or has not answered."""

    code = "PS-841"
    hint = "Is it running, and is this its address?"


class StrangeAnswer(PenstockError):
    """What answers at an address answers as no server of Penstock does."""

    code = "PS-842"
    hint = "Something else may answer there, or a much older or newer Penstock."


class BadServerAddress(PenstockError):
    """A text is no address of a server."""

    code = "PS-843"
    hint = "Example: https://penstock.example.org"


class NotForServers(PenstockError):
    """A command, or one of its options, works on a store and cannot be asked of a server."""

    code = "PS-844"


class NoKeyring(PenstockError):
    """A login cannot be kept, or read, where this machine keeps secrets."""

    code = "PS-845"


class NotInTime(PenstockError):
    """What was waited for has not happened in the time that was given."""

    code = "PS-846"
