"""What can be wrong with people and rights? Names, passwords, roles, tokens. Codes PS-80x and PS-81x."""

from __future__ import annotations

from penstock.errors import PenstockError


class WrongLogin(PenstockError):
    """A name and a password do not belong together; which of the two is wrong is not told."""

    code = "PS-801"


class TooManyLogins(PenstockError):
    """Logins for a name, or from an address, have failed so often that for a while none is tried."""

    code = "PS-802"

    def __init__(self, sentence: str, *, seconds: int) -> None:
        super().__init__(sentence, hint=f"Try again in {seconds} s.")
        self.seconds = seconds


class UnknownPerson(PenstockError):
    """There is no user and no service account of a name."""

    code = "PS-803"
    hint = "`penstock users list` names those that there are."


class PersonExists(PenstockError):
    """A name is taken."""

    code = "PS-804"


class BadPersonName(PenstockError):
    """Something cannot name a user, a service account or a role."""

    code = "PS-805"


class WeakPassword(PenstockError):
    """A password is too short, too long or the name of its owner."""

    code = "PS-806"


class UnknownRole(PenstockError):
    """There is no role of a name."""

    code = "PS-807"


class BadRole(PenstockError):
    """An own role cannot be kept, or not be removed, as it was asked for."""

    code = "PS-808"


class UnknownToken(PenstockError):
    """There is no token that begins like this."""

    code = "PS-809"
    hint = "`penstock tokens list` shows how each begins."


class BadInvitation(PenstockError):
    """A link by which a password is chosen was used already, is past its time, or never was."""

    code = "PS-810"


class LastOwner(PenstockError):
    """Nobody would be left who may do everything everywhere."""

    code = "PS-811"
    hint = "Make somebody else an owner first."


class ProviderFailed(PenstockError):
    """The provider of logins does not answer as it should, or what it says of somebody cannot be believed."""

    code = "PS-813"


class NotKnownHere(PenstockError):
    """A provider vouches for somebody whom nobody has let in here."""

    code = "PS-814"
    hint = "Whoever keeps the people here can link the account: `penstock users link NAME SUBJECT`."


class NoProvider(PenstockError):
    """People are to log in by a provider, and the settings name none."""

    code = "PS-815"
    hint = "`oidc` in penstock.yaml names one."


class NoPassword(PenstockError):
    """A password is needed, and there is no terminal and no standard input to read it from."""

    code = "PS-812"
