"""How are people, tokens, roles and the audit looked after where a server has them?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from penstock.cli import audit as acts
from penstock.cli import roles as allowed
from penstock.cli import tokens as keys
from penstock.cli.audit import ListGiven
from penstock.cli.ending import Exit
from penstock.cli.options import instant
from penstock.cli.passwords import read_password
from penstock.cli.people import UserGiven, said, tell_link, tell_people
from penstock.cli.remote.asking import asked
from penstock.cli.remote.flows import micros
from penstock.cli.roles import Shown
from penstock.cli.said import as_json, note
from penstock.cli.tokens import TokenGiven
from penstock.client.shapes.people import GrantRow, TokenRow
from penstock.errors.project import WrongCall
from penstock.model.access import Grant, Narrowed
from penstock.services import audit as chain
from penstock.services.access.own_roles import read_actions
from penstock.services.access.tokens import Made
from penstock.services.document import instant as shown
from penstock.store.credentials import Token

DAY: Final = 86_400_000_000


def list_users(url: str, given: dict[str, Any]) -> None:
    """List users and service accounts."""
    with asked(url, given) as client:
        found = client.people.list()
    rows = [(one.name, str(one.kind), one.disabled, _grants(one.grants)) for one in found]
    tell_people(rows, found if given["json"] else None)


def add(url: str, given: dict[str, Any]) -> None:
    """Add a user or a service account."""
    wanted = msgspec.convert(given, UserGiven)
    with asked(url, given) as client:
        if wanted.role and wanted.role not in (known := [one.name for one in client.roles.list()]):
            raise WrongCall(f'There is no role "{wanted.role}".', hint=f"There are: {', '.join(known)}.")
        password = "" if wanted.service or wanted.invite else read_password(from_stdin=wanted.from_stdin)
        made = client.people.add(wanted.name, service=wanted.service, password=password)
        if wanted.role:
            client.people.grant(wanted.name, wanted.role, wanted.within)
            made = next(one for one in client.people.list() if one.name == made.name)
        link = client.people.invite(wanted.name) if wanted.invite and not wanted.service else ""
    tell_link(link, wanted)
    if wanted.json and not link:
        as_json(made)
    hint = f": `penstock tokens add {wanted.name}` makes a token" if wanted.service else ""
    note(f"{wanted.name} is added{hint}.")


def invite(url: str, given: dict[str, Any]) -> None:
    """Draw what lets a user choose a password."""
    wanted = msgspec.convert(given, UserGiven)
    with asked(url, given) as client:
        link = client.people.invite(wanted.name)
    tell_link(link, wanted)


def password(url: str, given: dict[str, Any]) -> None:
    """Give a user a new password."""
    wanted = msgspec.convert(given, UserGiven)
    with asked(url, given) as client:
        client.people.set_password(wanted.name, read_password(from_stdin=wanted.from_stdin))
    note(f"{wanted.name} has a new password.")


def grant(url: str, given: dict[str, Any]) -> None:
    """Grant somebody a role."""
    wanted = msgspec.convert(given, UserGiven)
    with asked(url, given) as client:
        client.people.grant(wanted.name, wanted.role, wanted.within)
    note(f"{wanted.name} is {said(Grant(wanted.role, wanted.within))}.")


def revoke(url: str, given: dict[str, Any]) -> int:
    """Take a role away."""
    wanted = msgspec.convert(given, UserGiven)
    with asked(url, given) as client:
        client.people.revoke(wanted.name, wanted.role, wanted.within)
    note(f"{wanted.name} is no longer {said(Grant(wanted.role, wanted.within))}.")
    return Exit.SUCCESS


def disable(url: str, given: dict[str, Any]) -> None:
    """Keep somebody out."""
    with asked(url, given) as client:
        client.people.disable(given["name"])
    note(f"{given['name']} does not come in any more.")


def enable(url: str, given: dict[str, Any]) -> None:
    """Let somebody in again."""
    with asked(url, given) as client:
        client.people.enable(given["name"])
    note(f"{given['name']} may come in.")


def log_out(url: str, given: dict[str, Any]) -> None:
    """End all sessions of somebody."""
    with asked(url, given) as client:
        ended = client.people.log_out(given["name"])
    note(f"{ended} session{'' if ended == 1 else 's'} of {given['name']} ended.")


def list_tokens(url: str, given: dict[str, Any]) -> None:
    """List tokens."""
    with asked(url, given) as client:
        found = [_token(one) for one in client.tokens.list(given["name"])]
    keys.tell_tokens(found, wants_json=given["json"])


def add_token(url: str, given: dict[str, Any]) -> None:
    """Make a token."""
    wanted = msgspec.convert(given, TokenGiven)
    life = keys.life_of(wanted.expires)
    if life is not None and life % DAY:
        raise WrongCall("--expires: a server counts in days.", hint="Example: --expires P30D")
    with asked(url, given) as client:
        made = client.tokens.add(
            wanted.name,
            label=wanted.label,
            actions=sorted(read_actions(wanted.actions)) if wanted.actions else None,
            namespaces=wanted.within or None,
            days=None if life is None else life // DAY,
        )
    keys.tell_made(Made(_token(made.token), made.secret), wants_json=wanted.json)


def revoke_token(url: str, given: dict[str, Any]) -> None:
    """Make a token worthless."""
    with asked(url, given) as client:
        gone = next((one for one in client.tokens.list() if one.begins == given["begins"]), None)
        client.tokens.revoke(given["begins"])
    note(f"The token {given['begins']} of {gone.person if gone else 'somebody'} is worth nothing any more.")


def list_roles(url: str, given: dict[str, Any]) -> None:
    """List roles and what they allow."""
    with asked(url, given) as client:
        found = [Shown(one.name, one.built_in, tuple(one.actions)) for one in client.roles.list()]
    allowed.tell_roles(found, wants_json=given["json"])


def add_role(url: str, given: dict[str, Any]) -> None:
    """Make a role of one's own, or change one."""
    with asked(url, given) as client:
        made = client.roles.put(given["name"], given["actions"])
    allowed.tell_role(Shown(made.name, False, tuple(made.actions)), wants_json=given["json"])


def remove_role(url: str, given: dict[str, Any]) -> None:
    """Remove a role that nobody has."""
    with asked(url, given) as client:
        client.roles.delete(given["name"])
    note(f"The role {given['name']} is no more.")


def list_acts(url: str, given: dict[str, Any]) -> None:
    """List what was done, newest first."""
    wanted = msgspec.convert(given, ListGiven)
    with asked(url, given) as client:
        listed = client.audit.list(
            namespace=wanted.namespace,
            who=wanted.who,
            verb=wanted.verb,
            since=_date(wanted.since, "--since"),
            until=_date(wanted.until, "--until"),
        )
        older = (one for one in listed if not wanted.before or one.id < wanted.before)
        found = [
            chain.Listed(**msgspec.structs.asdict(one) | {"at": micros(one.at)}) for one in islice(older, wanted.limit)
        ]
    acts.tell_acts(found, wanted)


def verify(url: str, given: dict[str, Any]) -> int:
    """See whether what was told is still as it was."""
    with asked(url, given) as client:
        found = client.audit.verify(given["head"])
    told = msgspec.convert(found, chain.Verified, from_attributes=True)
    return acts.tell_chain(told, wants_json=given["json"])


def export(url: str, given: dict[str, Any]) -> None:
    """Write everything as lines of JSON."""
    with asked(url, given) as client:
        for piece in client.audit.export():
            sys.stdout.buffer.write(piece)
        sys.stdout.flush()


def _grants(rows: Sequence[GrantRow]) -> list[Grant]:
    return [Grant(one.role, one.namespace) for one in rows]


def _token(row: TokenRow) -> Token:
    return Token(
        prefix=row.begins,
        person=row.person,
        label=row.label,
        narrowed=Narrowed(
            actions=None if row.actions is None else frozenset(row.actions),
            namespaces=None if row.namespaces is None else tuple(row.namespaces),
        ),
        created_at=micros(row.created),
        created_by=row.created_by,
        expires_at=micros(row.expires) if row.expires else None,
        used_at=micros(row.used) if row.used else None,
    )


def _date(text: str, option: str) -> str:
    return shown(instant(text, option)) or "" if text else ""
