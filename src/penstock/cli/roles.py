"""What does each role allow? Built-in ones are shown, own ones are made of the closed list of actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec

from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.model.access import Action
from penstock.services.access import BUILT_IN
from penstock.services.access import own_roles as verbs

VERBS: Final = {
    "list": ("penstock.cli.roles:list_roles", "List roles and what they allow."),
    "add": ("penstock.cli.roles:add", "Make a role of your own, or change one."),
    "remove": ("penstock.cli.roles:remove", "Remove a role that nobody has."),
}

roles = LazyGroup(
    name="roles",
    lazy=VERBS,
    help="Say what roles allow: five are built in, others are made of actions.",
    no_args_is_help=True,
    **examples("penstock roles list", "penstock roles add night 'runs.*' flows.view"),
)


class Shown(msgspec.Struct, frozen=True):
    """A role as it is listed."""

    name: str
    built_in: bool
    actions: tuple[Action, ...]


@click.command("list", **examples("penstock roles list", "penstock roles list --json"))
@json_too
@places
@served("penstock.cli.remote.people:list_roles")
def list_roles(**given: Any) -> None:
    """List roles, built-in and own, and what they allow."""
    asked = msgspec.convert(given, Given)
    with opened(asked, make=True) as app:
        own = verbs.every(app.core)
    found = [Shown(name, True, _sorted(actions)) for name, actions in BUILT_IN.items()]
    found += [Shown(one.name, False, _sorted(one.actions)) for one in own]
    tell_roles(found, wants_json=asked.json)


def tell_roles(found: Sequence[Shown], *, wants_json: bool) -> None:
    """Tell roles and what they allow."""
    if wants_json:
        as_json(found)
        return
    rows = [(one.name, "built in" if one.built_in else "own", ", ".join(one.actions)) for one in found]
    data(table(("ROLE", "KIND", "ALLOWS"), rows))


@click.command(
    "add", **examples("penstock roles add night 'runs.*' flows.view", "penstock roles add auditor audit.view")
)
@click.argument("name")
@click.argument("actions", nargs=-1, required=True, metavar="ACTION...")
@json_too
@places
@served("penstock.cli.remote.people:add_role")
def add(**given: Any) -> None:
    """Make a role of actions, or change one: who has it may do what it says from now on."""
    name, actions = given.pop("name"), given.pop("actions")
    asked = msgspec.convert(given, Given)
    with opened(asked, make=True) as app:
        made = verbs.set_role(app.core, name, actions)
    tell_role(Shown(made.name, False, _sorted(made.actions)), wants_json=asked.json)


def tell_role(made: Shown, *, wants_json: bool) -> None:
    """Tell what a role allows."""
    if wants_json:
        as_json(made)
    note(f"The role {made.name} allows {', '.join(made.actions)}.")


@click.command("remove", **examples("penstock roles remove night"))
@click.argument("name")
@places
@served("penstock.cli.remote.people:remove_role")
def remove(**given: Any) -> None:
    """Remove a role of your own that nobody has."""
    name = given.pop("name")
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        verbs.remove(app.core, name)
    note(f"The role {name} is no more.")


def _sorted(actions: frozenset[Action]) -> tuple[Action, ...]:
    return tuple(action for action in Action if action in actions)
