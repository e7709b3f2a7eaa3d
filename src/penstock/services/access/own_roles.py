"""Which roles have people made themselves? A name, and actions from the closed list."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from penstock.errors import nearest
from penstock.errors.access import BadPersonName, BadRole, UnknownRole
from penstock.model.access import Action, Grant
from penstock.services.access.audited import audited
from penstock.services.access.people import check_grants
from penstock.services.access.roles import BUILT_IN
from penstock.services.core import Core
from penstock.services.unanswered import repeat_unknown
from penstock.store import people as table
from penstock.store.people import Role
from penstock.store.port import Tx

NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,49}")


@audited(Action.ROLES_EDIT, "roles.set", "{name}", keeps=("actions",))
def set_role(core: Core, name: str, actions: Iterable[str]) -> Role:
    """Keep a role, new or changed: from now on it allows what it says. Raises BadRole, BadPersonName, MayNot."""
    if not NAME.fullmatch(name):
        rule = 'lower-case letters, digits, "_", "-", at most 50'
        raise BadPersonName(f'"{name[:60]}" cannot name a role: {rule}.')
    if name in BUILT_IN:
        raise BadRole(f'The role "{name}" is built in, and is what it is.', hint="Choose another name.")
    allowed = read_actions(actions)
    check_grants(core.actor, [Grant(name, "", allowed)])
    now = core.clock.now()
    repeat_unknown(core, lambda: core.store.write(lambda tx: table.set_role(tx, name, allowed, now)))
    return Role(name, allowed, now)


@audited(Action.ROLES_EDIT, "roles.remove", "{name}")
def remove(core: Core, name: str) -> None:
    """Remove a role that nobody has. Raises UnknownRole, BadRole."""
    if name in BUILT_IN:
        raise BadRole(f'The role "{name}" is built in, and stays.')

    def work(tx: Tx) -> None:
        own = [one.name for one in table.roles(tx)]
        if name not in own:
            raise UnknownRole(f'There is no role "{name[:60]}".', hint=nearest(name, own))
        if not table.remove_role(tx, name):
            having = [one.name for one in table.every(tx) if any(each.role == name for each in one.grants)]
            raise BadRole(f'The role "{name}" is granted to {", ".join(having)}.', hint="Revoke it first.")

    core.store.write(work)


def every(core: Core) -> list[Role]:
    """The roles of people's own, by name."""
    return core.store.read(table.roles)


def read_actions(words: Iterable[str]) -> frozenset[Action]:
    """Actions by name; `runs.*` is all of runs. Raises BadRole."""
    found: set[Action] = set()
    for word in words:
        fitting = [each for each in Action if str(each) == word or (word.endswith(".*") and each.startswith(word[:-1]))]
        if not fitting:
            hint = nearest(word, list(Action)) or f"There are: {', '.join(Action)}."
            raise BadRole(f'There is no action "{word[:60]}".', hint=hint)
        found.update(fitting)
    if not found:
        raise BadRole("A role without an action allows nothing.", hint="Name one at least, runs.view say.")
    return frozenset(found)
