"""What can be wrong with secrets and the keys that seal them? Codes PS-85x."""

from __future__ import annotations

from penstock.errors import PenstockError


class NoMasterKey(PenstockError):
    """Secrets are sealed by a master key that is not here."""

    code = "PS-851"
    hint = "Give it as PENSTOCK_MASTER_KEY, or copy the file `master.key` of the installation that sealed them."


class BadMasterKey(PenstockError):
    """A text that should be a master key is none."""

    code = "PS-852"
    hint = "A master key is 32 random bytes in base64: `openssl rand -base64 32` draws one."


class CannotUnseal(PenstockError):
    """What is kept of a secret is not what was sealed: it was changed, or moved to another name."""

    code = "PS-853"
    hint = "Set the secret anew; `penstock secrets verify` tells of all that cannot be unsealed."


class BadSecret(PenstockError):
    """A name or a text is none that a secret can have."""

    code = "PS-854"


class NoSuchSecret(PenstockError):
    """The store has no secret of this name in this namespace."""

    code = "PS-855"
    hint = "`penstock secrets list` names those that there are."


class SecretsUnreachable(PenstockError):
    """A server that keeps secrets does not answer, or refuses to."""

    code = "PS-856"
