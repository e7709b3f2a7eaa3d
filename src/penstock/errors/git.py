"""Which errors can branches meet that flows come from? Codes PS-90x."""

from __future__ import annotations

from penstock.errors import PenstockError


class GitFailed(PenstockError):
    """A branch that flows come from cannot be fetched or read."""

    code = "PS-901"
    hint = "`penstock git status` tells what was tried last; nothing has changed here."


class WrongBranch(PenstockError):
    """What lies on a branch cannot be kept as it is."""

    code = "PS-902"
