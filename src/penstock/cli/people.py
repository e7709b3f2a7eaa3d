"""Who may come in, and what may they do? Users and service accounts are added, granted roles and kept out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec

from penstock.app.login import provider_of
from penstock.cli.ending import Exit
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.passwords import from_stdin_too, read_password
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.model.access import ActorKind, Grant
from penstock.services.access import oidc, sessions
from penstock.services.access import people as verbs

VERBS: Final = {
    "list": ("penstock.cli.people:list_users", "List users and service accounts, and what they were granted."),
    "add": ("penstock.cli.people:add", "Add a user or a service account."),
    "invite": ("penstock.cli.people:invite", "Draw what lets a user choose a password."),
    "password": ("penstock.cli.people:password", "Give a user a new password."),
    "grant": ("penstock.cli.people:grant", "Grant somebody a role."),
    "revoke": ("penstock.cli.people:revoke", "Take a role away."),
    "disable": ("penstock.cli.people:disable", "Keep somebody out, now."),
    "enable": ("penstock.cli.people:enable", "Let somebody in again."),
    "link": ("penstock.cli.people:link", "Let a user come in by the provider of logins."),
    "logout": ("penstock.cli.people:log_out", "End all sessions of somebody."),
}

users = LazyGroup(
    name="users",
    lazy=VERBS,
    help="Say who may come in, and what they may do: users, service accounts and their roles.",
    no_args_is_help=True,
    **examples("penstock users add ann --role owner", "penstock users grant bob operator --in shop"),
)


class UserGiven(Given, frozen=True, kw_only=True):
    """What the verbs about one user were given."""

    name: str
    role: str = ""
    within: str = ""
    service: bool = False
    invite: bool = False
    from_stdin: bool = False


def _within(command: Any) -> Any:
    text = "The namespace where it holds, and those below; everywhere, where none is given."
    return click.option("--in", "within", default="", metavar="NAMESPACE", help=text)(command)


@click.command("list", **examples("penstock users list", "penstock users list --json | jq '.[].name'"))
@json_too
@places
@served("penstock.cli.remote.people:list_users")
def list_users(**given: Any) -> None:
    """List users and service accounts, and what they were granted."""
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        found = verbs.every(app.core)
        rows = [(one.name, str(one.kind), one.disabled, one.grants) for one in found]
    tell_people(rows, found if asked.json else None)


def tell_people(rows: Sequence[tuple[str, str, bool, Sequence[Grant]]], told: object) -> None:
    """Tell who there is: name, kind, whether disabled, grants; or what is `told` of them, as JSON."""
    if told is not None:
        as_json(told)
    elif rows:
        shown = [
            (name, kind, "disabled" if off else "", ", ".join(map(said, grants))) for name, kind, off, grants in rows
        ]
        data(table(("NAME", "KIND", "STATE", "ROLES"), shown))
    else:
        note("There is nobody yet: `penstock users add NAME --role owner` adds the first.")


@click.command(
    "add",
    **examples(
        "penstock users add ann --role owner              asks for a password",
        "penstock users add bob --role viewer --in shop --invite",
        "pass show bob | penstock users add bob --password-stdin",
        "penstock users add nightly --service --role operator --in shop",
    ),
)
@click.argument("name")
@click.option("--role", default="", metavar="ROLE", help="A role to grant at once.")
@_within
@click.option("--service", is_flag=True, help="A service account: it comes in by tokens only.")
@click.option("--invite", is_flag=True, help="Draw what lets the user choose the password.")
@from_stdin_too
@json_too
@places
@served("penstock.cli.remote.people:add")
def add(**given: Any) -> None:
    """Add a user or a service account; without a role it may do nothing yet."""
    asked = msgspec.convert(given, UserGiven)
    with opened(asked, make=True) as app:
        kind = ActorKind.SERVICE if asked.service else ActorKind.USER
        if asked.role:
            app.core.store.read(lambda tx: verbs.known_role(tx, asked.role, asked.within))
        secret = "" if asked.service or asked.invite else read_password(from_stdin=asked.from_stdin)
        made = verbs.add(app.core, asked.name, secret, kind=kind)
        if asked.role:
            verbs.grant(app.core, asked.name, asked.role, asked.within)
            made = next(one for one in verbs.every(app.core) if one.name == asked.name)
        link = sessions.invite(app.core, asked.name) if asked.invite and not asked.service else ""
    tell_link(link, asked)
    if asked.json and not link:
        as_json(made)
    hint = f": `penstock tokens add {asked.name}` makes a token" if asked.service else ""
    note(f"{asked.name} is added{hint}.")


@click.command("invite", **examples("penstock users invite bob"))
@click.argument("name")
@json_too
@places
@served("penstock.cli.remote.people:invite")
def invite(**given: Any) -> None:
    """Draw what lets a user choose a password, once, within a day."""
    asked = msgspec.convert(given, UserGiven)
    with opened(asked) as app:
        link = sessions.invite(app.core, asked.name)
    tell_link(link, asked)


@click.command(
    "password",
    **examples("penstock users password ann", "pass show ann | penstock users password ann --password-stdin"),
)
@click.argument("name")
@from_stdin_too
@places
@served("penstock.cli.remote.people:password")
def password(**given: Any) -> None:
    """Give a user a new password; their sessions end."""
    asked = msgspec.convert(given, UserGiven)
    with opened(asked) as app:
        verbs.set_password(app.core, asked.name, read_password(from_stdin=asked.from_stdin))
    note(f"{asked.name} has a new password.")


@click.command(
    "grant", **examples("penstock users grant bob operator --in shop", "penstock users grant olga owner   everywhere")
)
@click.argument("name")
@click.argument("role")
@_within
@places
@served("penstock.cli.remote.people:grant")
def grant(**given: Any) -> None:
    """Grant somebody a role, in a namespace or everywhere."""
    asked = msgspec.convert(given, UserGiven)
    with opened(asked) as app:
        new = verbs.grant(app.core, asked.name, asked.role, asked.within)
    role = said(Grant(asked.role, asked.within))
    note(f"{asked.name} is {role}." if new else f"{asked.name} was {role} already.")


@click.command("revoke", **examples("penstock users revoke bob operator --in shop"))
@click.argument("name")
@click.argument("role")
@_within
@places
@served("penstock.cli.remote.people:revoke")
def revoke(**given: Any) -> int:
    """Take a role away that was granted."""
    asked = msgspec.convert(given, UserGiven)
    with opened(asked) as app:
        gone = verbs.revoke(app.core, asked.name, asked.role, asked.within)
    role = said(Grant(asked.role, asked.within))
    note(f"{asked.name} is no longer {role}." if gone else f"{asked.name} was not {role}.")
    return Exit.SUCCESS if gone else Exit.WRONG_CALL


@click.command("disable", **examples("penstock users disable bob"))
@click.argument("name")
@places
@served("penstock.cli.remote.people:disable")
def disable(**given: Any) -> None:
    """Keep somebody out: sessions end now, and tokens are worth nothing."""
    asked = msgspec.convert(given, UserGiven)
    with opened(asked) as app:
        verbs.disable(app.core, asked.name)
    note(f"{asked.name} does not come in any more.")


@click.command("enable", **examples("penstock users enable bob"))
@click.argument("name")
@places
@served("penstock.cli.remote.people:enable")
def enable(**given: Any) -> None:
    """Let somebody in again."""
    asked = msgspec.convert(given, UserGiven)
    with opened(asked) as app:
        verbs.enable(app.core, asked.name)
    note(f"{asked.name} may come in.")


@click.command("link", **examples("penstock users link ann 00u1a2b3c4   as the provider's `sub` knows her"))
@click.argument("name")
@click.argument("subject")
@places
def link(**given: Any) -> None:
    """Let a user come in by the provider that the settings name (`oidc`), as whom it knows by a subject."""
    subject = given.pop("subject")
    asked = msgspec.convert(given, UserGiven)
    with opened(asked) as app:
        oidc.link(app.core, provider_of(app), asked.name, subject)
    note(f"{asked.name} comes in by the provider, too.")


@click.command("logout", **examples("penstock users logout bob"))
@click.argument("name")
@places
@served("penstock.cli.remote.people:log_out")
def log_out(**given: Any) -> None:
    """End all sessions of somebody; tokens stay."""
    asked = msgspec.convert(given, UserGiven)
    with opened(asked) as app:
        ended = verbs.log_out(app.core, asked.name)
    note(f"{ended} session{'' if ended == 1 else 's'} of {asked.name} ended.")


def tell_link(link: str, asked: UserGiven) -> None:
    """Tell the secret of an invitation, this once."""
    if not link:
        return
    if asked.json:
        as_json({"name": asked.name, "invitation": link})
    else:
        data(link)
    note(f"By this {asked.name} chooses a password, once, within a day. It is told this once.")


def said(granted: Grant) -> str:
    """A grant in words."""
    return f"{granted.role} in {granted.namespace}" if granted.namespace else granted.role
