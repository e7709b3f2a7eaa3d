"""What does each role allow? Five that are built in, each with all that the one before it has, and people's own."""

from __future__ import annotations

from typing import Final

from penstock.model.access import Action, Grant

_VIEWER: Final = frozenset(
    {
        Action.RUNS_VIEW,
        Action.FLOWS_VIEW,
        Action.TRIGGERS_VIEW,
        Action.BACKFILLS_VIEW,
        Action.KV_VIEW,
        Action.FILES_VIEW,
        Action.ALERTS_VIEW,
        Action.POOLS_VIEW,
        Action.WORKERS_VIEW,
        Action.METRICS_VIEW,
    }
)
_OPERATOR: Final = _VIEWER | {
    Action.RUNS_START,
    Action.RUNS_OPERATE,
    Action.TRIGGERS_OPERATE,
    Action.BACKFILLS_OPERATE,
}
_EDITOR: Final = _OPERATOR | {
    Action.RUNS_DELETE,
    Action.FLOWS_EDIT,
    Action.KV_EDIT,
    Action.FILES_EDIT,
    Action.SECRETS_VIEW,
    Action.SECRETS_EDIT,
    Action.ALERTS_EDIT,
}
_ADMIN: Final = _EDITOR | {
    Action.POOLS_EDIT,
    Action.WORKERS_OPERATE,
    Action.SETTINGS_VIEW,
    Action.MAINTENANCE_EDIT,
    Action.PEOPLE_VIEW,
    Action.PEOPLE_EDIT,
    Action.AUDIT_VIEW,
}

BUILT_IN: Final[dict[str, frozenset[Action]]] = {
    "viewer": _VIEWER,
    "operator": _OPERATOR,
    "editor": _EDITOR,
    "admin": _ADMIN,
    "owner": frozenset(Action),
}


def actions_of(grant: Grant) -> frozenset[Action]:
    """What a grant allows; a built-in role is what it is here, whatever the grant says of itself."""
    return BUILT_IN.get(grant.role, grant.actions)
