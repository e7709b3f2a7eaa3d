"""Which addresses are about branches that flows come from?"""

from __future__ import annotations

from typing import BinaryIO, Final

from penstock.api.handlers import git
from penstock.api.route import MEGABYTE, Route, Where
from penstock.api.shapes.git import BranchRow, Wanted
from penstock.api.shapes.lists import Everything
from penstock.model.access import Action

ONE: Final = "/v1/git/{name}"

ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/git",
        summary="The branches that flows come from, and what is wrong with them.",
        handler=git.list_branches,
        where=Where.WHOLE,
        action=Action.FLOWS_VIEW,
        answer=Everything[BranchRow],
    ),
    Route(
        method="GET",
        path=ONE,
        summary="One branch.",
        handler=git.get_branch,
        where=Where.WHOLE,
        action=Action.FLOWS_VIEW,
        answer=BranchRow,
    ),
    Route(
        method="POST",
        path=f"{ONE}/pull",
        summary="Have a branch looked at now.",
        handler=git.pull_branch,
        where=Where.WHOLE,
        action=Action.FLOWS_EDIT,
        answer=Wanted,
        status=202,
    ),
    Route(
        method="POST",
        path=f"{ONE}/hook",
        summary="What a repository calls when something was pushed; signed with the secret of the branch.",
        handler=git.hear_repository,
        where=Where.PUBLIC,
        body=BinaryIO,
        answer=Wanted,
        status=202,
        takes="*/*",
        limit=32 * MEGABYTE,
    ),
)
