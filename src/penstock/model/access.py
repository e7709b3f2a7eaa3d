"""Who asks, and what may they do where? Actions, actors, roles and the namespaces that a right reaches."""

from __future__ import annotations

import enum

import msgspec


class Action(enum.StrEnum):
    """All that somebody may be allowed; what reaches no single namespace (pools, workers, people) needs it everywhere.

    `view` looks, `operate` moves what is there, `edit` changes what is kept. No action shows the text of a secret.
    """

    RUNS_VIEW = "runs.view"
    RUNS_START = "runs.start"
    RUNS_OPERATE = "runs.operate"
    RUNS_DELETE = "runs.delete"
    FLOWS_VIEW = "flows.view"
    FLOWS_EDIT = "flows.edit"
    TRIGGERS_VIEW = "triggers.view"
    TRIGGERS_OPERATE = "triggers.operate"
    BACKFILLS_VIEW = "backfills.view"
    BACKFILLS_OPERATE = "backfills.operate"
    KV_VIEW = "kv.view"
    KV_EDIT = "kv.edit"
    FILES_VIEW = "files.view"
    FILES_EDIT = "files.edit"
    SECRETS_VIEW = "secrets.view"
    SECRETS_EDIT = "secrets.edit"
    ALERTS_VIEW = "alerts.view"
    ALERTS_EDIT = "alerts.edit"
    POOLS_VIEW = "pools.view"
    POOLS_EDIT = "pools.edit"
    WORKERS_VIEW = "workers.view"
    WORKERS_OPERATE = "workers.operate"
    METRICS_VIEW = "metrics.view"
    SETTINGS_VIEW = "settings.view"
    MAINTENANCE_EDIT = "maintenance.edit"
    PEOPLE_VIEW = "people.view"
    PEOPLE_EDIT = "people.edit"
    ROLES_EDIT = "roles.edit"
    AUDIT_VIEW = "audit.view"


class ActorKind(enum.StrEnum):
    """What somebody is: a person, a program of somebody's, or Penstock itself."""

    USER = "user"
    SERVICE = "service"
    SYSTEM = "system"


class Grant(msgspec.Struct, frozen=True):
    """A role in a namespace and those below it; an empty namespace is everywhere.

    `actions` is what an own role allows, read together with it; a built-in role brings its actions along.
    """

    role: str
    namespace: str = ""
    actions: frozenset[Action] = frozenset()


class Narrowed(msgspec.Struct, frozen=True, kw_only=True):
    """What a token keeps of its owner's rights: these actions, in these namespaces and below; None narrows nothing."""

    actions: frozenset[Action] | None = None
    namespaces: tuple[str, ...] | None = None


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: a name for the audit, what it is and what it was granted.

    `via` is the way it came by (`session`, `token pst_4k2m9x1c`), `origin` the place that it came from (an address).
    """

    name: str
    kind: ActorKind = ActorKind.USER
    grants: tuple[Grant, ...] = ()
    narrowed: Narrowed = Narrowed()
    via: str = ""
    origin: str = ""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where an actor may do something: everywhere, or in these namespaces and those below them."""

    everywhere: bool = False
    namespaces: tuple[str, ...] = ()


EVERYWHERE = Scope(everywhere=True)
NOWHERE = Scope()
SYSTEM = Actor(name="penstock", kind=ActorKind.SYSTEM, grants=(Grant("owner"),))
