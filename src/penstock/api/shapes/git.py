"""What is told of branches that flows come from?"""

from __future__ import annotations

import msgspec

from penstock.api.problems import OneProblem


class BranchRow(msgspec.Struct, frozen=True, kw_only=True):
    """A branch: the commit that was looked at last, the one that stands here, and what is wrong with the former."""

    name: str
    branch: str
    looked_commit: str
    looked: str | None
    applied_commit: str
    applied: str | None
    problems: list[OneProblem]


class Wanted(msgspec.Struct, frozen=True):
    """The branch that is looked at soon."""

    name: str
