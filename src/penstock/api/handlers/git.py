"""Which branches do flows come from, how do they stand, and how is one looked at now?"""

from __future__ import annotations

from typing import BinaryIO

from penstock.api.problems import one
from penstock.api.route import Call
from penstock.api.shapes.git import BranchRow, Wanted
from penstock.api.shapes.lists import Everything
from penstock.app.branches import branches_of
from penstock.errors import PenstockError
from penstock.errors.api import NoSuchAddress
from penstock.services.document import instant
from penstock.services.git import pulling
from penstock.services.git.source import Source
from penstock.services.git.sync import problems_of
from penstock.store import git as table
from penstock.store.git import State


def list_branches(call: Call[None, None]) -> Everything[BranchRow]:
    """The branches that the settings name."""
    known = call.core.store.glance(table.every)
    sources = branches_of(call.app)
    return Everything([_row(each, known.get(name, State(name=name))) for name, each in sources.items()])


def get_branch(call: Call[None, None]) -> BranchRow:
    """One of them."""
    source = pulling.found(branches_of(call.app), call.path["name"])
    return _row(source, call.core.store.glance(lambda tx: table.get(tx, source.name)))


def pull_branch(call: Call[None, None]) -> Wanted:
    """Have one looked at now."""
    source = pulling.found(branches_of(call.app), call.path["name"])
    pulling.want(call.core, source)
    return Wanted(source.name)


def hear_repository(call: Call[None, BinaryIO]) -> Wanted:
    """Have one looked at because its repository says so."""
    headers = {name.lower(): value for name, value in call.headers.items()}
    try:
        sources = branches_of(call.app)
    except PenstockError:
        # what is wrong with the settings is nothing that strangers are told
        raise NoSuchAddress("Nothing is served at this address.") from None
    pulling.knock(call.app.core, sources, call.path["name"], call.body.read(), headers)
    return Wanted(call.path["name"])


def _row(source: Source, state: State) -> BranchRow:
    return BranchRow(
        name=source.name,
        branch=source.branch,
        looked_commit=state.looked_commit,
        looked=instant(state.looked_at or None),
        applied_commit=state.applied_commit,
        applied=instant(state.applied_at or None),
        problems=[one(each) for each in problems_of(state)],
    )
