"""Who is there, what may their roles do, and what were they granted? Hashes of passwords leave by one door only."""

from __future__ import annotations

import msgspec

from penstock.model.access import Action, ActorKind, Grant
from penstock.store import codec
from penstock.store.port import Row, Tx


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A user or a service account; `password` says whether one is set."""

    name: str
    kind: ActorKind
    password: bool
    disabled: bool
    created_at: int
    changed_at: int
    grants: tuple[Grant, ...] = ()


class Role(msgspec.Struct, frozen=True):
    """A role of people's own."""

    name: str
    actions: frozenset[Action]
    changed_at: int


def add(tx: Tx, name: str, kind: ActorKind, now: int, password: str = "") -> bool:
    """Add somebody, with the hash of a password where there is one; False when the name is taken."""
    return tx.run("people.add", name=name, kind=str(kind), password=password, now=now) == 1


def get(tx: Tx, name: str) -> Person | None:
    """Give somebody with all grants."""
    row = tx.one("people.get", name=name)
    return _person(row, grants_of(tx, name)) if row else None


def every(tx: Tx) -> list[Person]:
    """Give everybody by name, with all grants."""
    granted: dict[str, list[Grant]] = {}
    for person, *grant in tx.all("people.grants"):
        granted.setdefault(str(person), []).append(grant_of(*grant))
    return [_person(row, granted.get(str(row[0]), ())) for row in tx.all("people.every")]


def nobody(tx: Tx) -> bool:
    """Tell whether no one has been added yet."""
    return tx.one("people.any") is None


def password(tx: Tx, name: str) -> str:
    """Give the hash of the password of a user who may come in; nothing for anybody else."""
    row = tx.one("people.password", name=name)
    return str(row[0]) if row else ""


def set_password(tx: Tx, name: str, hashed: str, now: int) -> bool:
    """Keep the hash of a new password; False when there is nobody of this name."""
    return tx.run("people.set_password", name=name, password=hashed, now=now) == 1


def disable(tx: Tx, name: str, now: int, *, disabled: bool = True) -> bool:
    """Keep somebody out, or let them in again; False when there is nobody of this name."""
    return tx.run("people.disable", name=name, disabled=int(disabled), now=now) == 1


def grant(tx: Tx, person: str, role: str, namespace: str, now: int, by: str) -> bool:
    """Grant a role in a namespace; False when it was granted before."""
    return tx.run("people.grant", person=person, role=role, namespace=namespace, now=now, by=by) == 1


def owners(tx: Tx) -> list[str]:
    """Name those who own everything, in a transaction that may change that: no other one does until it has ended."""
    return [str(name) for (name,) in tx.all("people.owners")]


def revoke(tx: Tx, person: str, role: str, namespace: str) -> bool:
    """Take a role in a namespace away; False when it was not granted."""
    return tx.run("people.revoke", person=person, role=role, namespace=namespace) == 1


def grants_of(tx: Tx, person: str) -> list[Grant]:
    """Give what somebody was granted, with what own roles allow."""
    return [grant_of(*row) for row in tx.all("people.grants_of", person=person)]


def link(tx: Tx, issuer: str, subject: str, person: str) -> bool:
    """Keep who somebody is to a provider of logins; False when that one is known already."""
    return tx.run("people.link", issuer=issuer, subject=subject, person=person) == 1


def linked(tx: Tx, issuer: str, subject: str) -> str | None:
    """Tell who this is, as a provider knows them; None when nobody is."""
    row = tx.one("people.linked", issuer=issuer, subject=subject)
    return str(row[0]) if row else None


def set_role(tx: Tx, name: str, actions: frozenset[Action], now: int) -> None:
    """Keep an own role, new or changed."""
    tx.run("people.set_role", name=name, actions=codec.text(sorted(actions)), now=now)


def remove_role(tx: Tx, name: str) -> bool:
    """Remove an own role; False when there is none of this name, or somebody has it."""
    return tx.run("people.remove_role", name=name) == 1


def roles(tx: Tx) -> list[Role]:
    """Give the own roles by name."""
    return [Role(str(name), _actions(body), codec.number(at)) for name, body, at in tx.all("people.roles")]


def grant_of(role: object, namespace: object, actions: object) -> Grant:
    """Read a grant whose role was looked up."""
    return Grant(str(role), str(namespace), _actions(actions))


def _person(row: Row, grants: tuple[Grant, ...] | list[Grant]) -> Person:
    name, kind, has_password, disabled, created_at, changed_at = row
    return Person(
        name=str(name),
        kind=ActorKind(str(kind)),
        password=bool(has_password),
        disabled=bool(disabled),
        created_at=codec.number(created_at),
        changed_at=codec.number(changed_at),
        grants=tuple(grants),
    )


def _actions(body: object) -> frozenset[Action]:
    """Read a list of actions; one that this Penstock does not know (any more) allows nothing."""
    known = {str(action): action for action in Action}
    said = codec.anything(body)
    assert isinstance(said, list)
    return frozenset(known[word] for word in said if word in known)
