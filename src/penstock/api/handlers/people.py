"""What can be done about people and roles by HTTP, and how is it seen what they did?"""

from __future__ import annotations

from penstock.api import cursors
from penstock.api.route import Answer, Call, Sent
from penstock.api.shapes.lists import Everything, Page
from penstock.api.shapes.people import (
    ActRow,
    ActsAsked,
    ChainRow,
    Ended,
    GrantAsked,
    GrantRow,
    HeadAsked,
    Invited,
    PasswordAsked,
    PersonAsked,
    PersonRow,
    RoleAsked,
    RoleRow,
)
from penstock.api.shapes.runs import micros
from penstock.model.access import Action, ActorKind
from penstock.services import audit
from penstock.services.access import BUILT_IN, own_roles, people, sessions
from penstock.services.document import instant
from penstock.store.audit import Filter
from penstock.store.people import Person


def list_people(call: Call[None, None]) -> Everything[PersonRow]:
    """Users and service accounts by name."""
    return Everything([_row(one) for one in people.every(call.core)])


def add_person(call: Call[None, PersonAsked]) -> Answer:
    """Add a user or a service account."""
    asked = call.body
    kind = ActorKind.SERVICE if asked.service else ActorKind.USER
    made = people.add(call.core, asked.name, "" if asked.service else asked.password, kind=kind)
    return Answer(_row(made), 201)


def invite_person(call: Call[None, None]) -> Answer:
    """Draw an invitation by which a user chooses a password."""
    name = call.path["name"]
    told = Invited(name=name, invitation=sessions.invite(call.core, name))
    return Answer(told, headers={"Cache-Control": "no-store"})


def set_password(call: Call[None, PasswordAsked]) -> None:
    """Give a user a new password; their sessions end."""
    people.set_password(call.core, call.path["name"], call.body.password)


def disable_person(call: Call[None, None]) -> PersonRow:
    """Keep somebody out, now."""
    people.disable(call.core, call.path["name"])
    return _named(call)


def enable_person(call: Call[None, None]) -> PersonRow:
    """Let somebody in again."""
    people.enable(call.core, call.path["name"])
    return _named(call)


def log_person_out(call: Call[None, None]) -> Ended:
    """End all sessions of somebody."""
    return Ended(sessions=people.log_out(call.core, call.path["name"]))


def grant_role(call: Call[None, GrantAsked]) -> None:
    """Grant somebody a role in a namespace."""
    people.grant(call.core, call.path["name"], call.body.role, call.body.namespace)


def revoke_role(call: Call[None, GrantAsked]) -> None:
    """Take a role in a namespace away; where it was not granted nothing is to be done."""
    people.revoke(call.core, call.path["name"], call.body.role, call.body.namespace)


def list_roles(call: Call[None, None]) -> Everything[RoleRow]:
    """Roles, built-in and own, and what they allow."""
    built_in = [_role(name, actions, built_in=True) for name, actions in BUILT_IN.items()]
    return Everything([*built_in, *(_role(one.name, one.actions) for one in own_roles.every(call.core))])


def put_role(call: Call[None, RoleAsked]) -> RoleRow:
    """Keep a role of people's own, new or changed."""
    made = own_roles.set_role(call.core, call.path["name"], call.body.actions)
    return _role(made.name, made.actions)


def remove_role(call: Call[None, None]) -> None:
    """Remove a role that nobody has."""
    own_roles.remove(call.core, call.path["name"])


def list_acts(call: Call[ActsAsked, None]) -> Page[ActRow]:
    """What was done, newest first."""
    asked = call.query
    wanted = Filter(
        who=asked.who, verb=asked.verb, namespace=asked.namespace, since=micros(asked.since), until=micros(asked.until)
    )
    found = audit.page(call.core, call.scope, wanted, asked.limit + 1, cursors.read(asked.cursor, str) or "")
    shown = found[: asked.limit]
    rows = [_act(one) for one in shown]
    return Page(rows, cursors.written(shown[-1].id) if len(found) > len(shown) else "")


def verify_acts(call: Call[HeadAsked, None]) -> ChainRow:
    """Look whether any act was changed, removed or inserted since it was sealed."""
    found = audit.verify(call.core, call.query.head)
    return ChainRow(
        sound=found.sound,
        seals=found.seals,
        acts=found.acts,
        unsealed=found.unsealed,
        head=found.head,
        problems=list(found.problems),
    )


def export_acts(call: Call[None, None]) -> Sent:
    """Everything that was done as lines of JSON, oldest first, with the seals."""
    return Sent((f"{line}\n".encode() for line in audit.lines(call.core)), "application/jsonl")


def _named(call: Call[None, None]) -> PersonRow:
    return call.core.store.read(lambda tx: _row(people.person(tx, call.path["name"])))


def _row(one: Person) -> PersonRow:
    return PersonRow(
        name=one.name,
        kind=one.kind,
        password=one.password,
        disabled=one.disabled,
        created=instant(one.created_at) or "",
        grants=[GrantRow(role=each.role, namespace=each.namespace) for each in one.grants],
    )


def _role(name: str, actions: frozenset[Action], *, built_in: bool = False) -> RoleRow:
    return RoleRow(name=name, built_in=built_in, actions=[action for action in Action if action in actions])


def _act(one: audit.Listed) -> ActRow:
    return ActRow(
        id=one.id,
        at=instant(one.at) or "",
        who=one.who,
        kind=one.kind,
        via=one.via,
        origin=one.origin,
        action=one.action,
        verb=one.verb,
        object=one.object,
        namespace=one.namespace,
        detail=one.detail,
        seal=one.seal,
    )
