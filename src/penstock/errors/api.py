"""What can be wrong with a call of the API itself? What its verbs refuse stands with what they are about."""

from __future__ import annotations

from penstock.errors import PenstockError


class BadRequest(PenstockError):
    """A parameter, a header or a body of a call is not what its address takes."""

    code = "PS-821"


class Unfitting(BadRequest):
    """A call is written as its address takes it, and asks for what cannot be."""

    code = "PS-836"


class NotSignedIn(PenstockError):
    """A call says by nothing who asks, or by something that is not valid (any more)."""

    code = "PS-822"
    hint = "Send a token as `Authorization: Bearer …`, or sign in."


class MayNot(PenstockError):
    """Who asks is known, and has no right to do this there."""

    code = "PS-823"


class NoSuchAddress(PenstockError):
    """Nothing is served at an address."""

    code = "PS-824"
    hint = "/docs shows what is; /openapi.json tells programs."


class WrongMethod(PenstockError):
    """An address is served, but not by this method."""

    code = "PS-825"


class BodyTooLarge(PenstockError):
    """The body of a call has more bytes than its address takes."""

    code = "PS-826"


class WrongMediaType(PenstockError):
    """The body of a call is of a media type that its address does not take."""

    code = "PS-827"


class Changed(PenstockError):
    """Something is not (any more) what a call says it is: somebody else has changed it."""

    code = "PS-828"
    hint = "Read it again, and decide anew."


class TooBusy(PenstockError):
    """So many calls wait for an answer that one more is not taken."""

    code = "PS-829"
    hint = "Call again in a moment."


class ServerFault(PenstockError):
    """The server broke down over a call; what happened stands in its log."""

    code = "PS-830"


class BadSignature(MayNot):
    """A request to a webhook is not signed as its trigger wants it."""

    code = "PS-835"


class NotServed(PenstockError):
    """The server cannot listen at an address."""

    code = "PS-833"


class BadRange(PenstockError):
    """A call asks for a part of a file that it does not have."""

    code = "PS-834"


class TooManyCalls(PenstockError):
    """One caller makes more calls in a second than the settings let them."""

    code = "PS-831"
    hint = "Call more slowly, or ask for more at once; `limits.calls` in penstock.yaml says how many may be made."
