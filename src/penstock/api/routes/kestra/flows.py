"""Which addresses are about flows, their triggers, and what is installed?"""

from __future__ import annotations

from typing import Any, Final

from penstock.api.handlers.kestra import backfills, dependencies, flows, plugins, triggers
from penstock.api.route import MEGABYTE, Handler, Route, Where
from penstock.api.routes.kestra.addresses import ROOT
from penstock.api.shapes.kestra.triggers import BackfillWanted, Disabled, OneDisabled, TriggerName
from penstock.model.access import Action

AT: Final = f"{ROOT}/flows"
HERE: Final = f"{AT}/{{namespace}}"
ONE: Final = f"{HERE}/{{flow}}"
TRIGGERS: Final = f"{ROOT}/triggers"
FILL: Final = f"{TRIGGERS}/backfill"
TEXT: Final[dict[str, Any]] = {"body": str, "takes": "application/x-yaml", "limit": 16 * MEGABYTE}


def row(method: str, path: str, handler: Handler, where: Where, action: Action | None, **more: Any) -> Route:
    """A row that takes whatever parameters there are."""
    summary = (handler.__doc__ or "").partition("\n")[0]
    answer = more.pop("answer", Any)
    return Route(
        method=method, path=path, summary=summary, handler=handler, where=where, action=action, query=dict,
        answer=answer, **more,
    )  # fmt: skip


VIEW: Final = Action.FLOWS_VIEW
EDIT: Final = Action.FLOWS_EDIT
LOOK: Final = Action.TRIGGERS_VIEW
OPERATE: Final = Action.TRIGGERS_OPERATE
FILLS: Final = Action.BACKFILLS_OPERATE

ROUTES: Final = (
    row("GET", f"{AT}/search", flows.search_flows, Where.LIST, VIEW),
    row("GET", f"{AT}/distinct-namespaces", flows.list_flow_namespaces, Where.LIST, VIEW),
    row("POST", f"{AT}/validate", flows.check_flows, Where.LIST, EDIT, **TEXT),
    row("DELETE", f"{AT}/delete/by-ids", flows.delete_flows_by_ids, Where.LIST, EDIT, body=list[flows.Named]),
    row("POST", AT, flows.create_flow, Where.LIST, EDIT, **TEXT),
    row("GET", HERE, flows.list_flows_of, Where.PATH, VIEW),
    row("POST", HERE, flows.update_flows_of, Where.PATH, EDIT, **TEXT),
    row("GET", ONE, flows.get_kestra_flow, Where.PATH, VIEW),
    row("PUT", ONE, flows.update_flow, Where.PATH, EDIT, **TEXT),
    row("DELETE", ONE, flows.delete_flow, Where.PATH, EDIT, answer=None),
    row("GET", f"{ONE}/revisions", flows.list_kestra_revisions, Where.PATH, VIEW),
    row("GET", f"{ONE}/graph", flows.draw_kestra_flow, Where.PATH, VIEW),
    row("GET", f"{ONE}/dependencies", dependencies.draw_flow_dependencies, Where.PATH, VIEW),
    row(
        "GET",
        f"{ROOT}/namespaces/{{namespace}}/dependencies",
        dependencies.draw_namespace_dependencies,
        Where.PATH,
        VIEW,
    ),
    row("GET", f"{ONE}/tasks/{{id}}", flows.get_task_of_flow, Where.PATH, VIEW),
    row("GET", f"{TRIGGERS}/search", triggers.search_triggers, Where.LIST, LOOK),
    row("PUT", TRIGGERS, triggers.set_trigger_disabled, Where.BODY, OPERATE, body=OneDisabled),
    row("PUT", f"{TRIGGERS}/set-disabled", triggers.set_trigger_disabled, Where.BODY, OPERATE, body=OneDisabled),
    row(
        "POST",
        f"{TRIGGERS}/set-disabled/by-triggers",
        triggers.set_triggers_disabled,
        Where.LIST,
        OPERATE,
        body=Disabled,
    ),
    row(
        "POST", f"{TRIGGERS}/unlock/by-triggers", triggers.unlock_triggers, Where.LIST, OPERATE, body=list[TriggerName]
    ),
    row("PUT", f"{FILL}/create", backfills.create_trigger_backfill, Where.BODY, FILLS, body=BackfillWanted),
    row("PUT", f"{FILL}/pause", backfills.pause_trigger_backfill, Where.BODY, FILLS, body=TriggerName),
    row("PUT", f"{FILL}/unpause", backfills.unpause_trigger_backfill, Where.BODY, FILLS, body=TriggerName),
    row("POST", f"{FILL}/delete", backfills.delete_trigger_backfill, Where.BODY, FILLS, body=TriggerName),
    row("GET", f"{TRIGGERS}/{{namespace}}/{{flow}}", triggers.list_triggers_of_flow, Where.PATH, LOOK),
    row(
        "POST",
        f"{TRIGGERS}/{{namespace}}/{{flow}}/{{trigger}}/unlock",
        triggers.unlock_trigger,
        Where.PATH,
        OPERATE,
    ),
    row("GET", f"{ROOT}/configs", plugins.get_configs, Where.SIGNED_IN, None),
    row("GET", f"{ROOT}/plugins", plugins.list_plugins, Where.SIGNED_IN, None),
    row("GET", f"{ROOT}/plugins/schemas/{{name}}", plugins.get_plugin_schema, Where.SIGNED_IN, None),
    row("GET", f"{ROOT}/plugins/{{name}}", plugins.get_plugin, Where.SIGNED_IN, None),
)
