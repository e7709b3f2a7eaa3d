"""Which addresses are about executions? Those that say more come first: a namespace and a flow fit almost anything."""

from __future__ import annotations

from typing import Any, BinaryIO, Final

from penstock.api.handlers.kestra import executions, flows, hooks, several
from penstock.api.multipart import FORM
from penstock.api.route import MEGABYTE, Handler, Kind, Route, Where
from penstock.api.routes import webhooks
from penstock.api.routes.kestra.addresses import ROOT
from penstock.api.shapes.kestra.executions import Label
from penstock.model.access import Action

AT: Final = f"{ROOT}/executions"
ONE: Final = f"{AT}/{{run}}"
LARGEST: Final = 1024 * MEGABYTE


def looks(path: str, handler: Handler, *, kind: Kind = Kind.PLAIN) -> Route:
    """A row that looks at an execution."""
    return Route(
        method="GET",
        path=path,
        summary=_summary(handler),
        handler=handler,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        query=dict,
        kind=kind,
        answer=None if kind is not Kind.PLAIN else Any,
    )


def does(
    path: str, handler: Handler, *, method: str = "POST", action: Action = Action.RUNS_OPERATE, **more: Any
) -> Route:
    """A row that does something with an execution."""
    return Route(
        method=method,
        path=path,
        summary=_summary(handler),
        handler=handler,
        where=more.pop("where", Where.RUN),
        action=action,
        query=dict,
        answer=Any,
        **more,
    )


def _summary(handler: Handler) -> str:
    return (handler.__doc__ or "").partition("\n")[0]


def _by(verb: str, ids: Handler, query: Handler | None = None, **more: Any) -> tuple[Route, ...]:
    """A verb for those that are named, and one for all that fit."""
    body = more.pop("body", list[str])
    named = does(f"{AT}/{verb}/by-ids", ids, where=Where.LIST, body=body, **more)
    return (named, does(f"{AT}/{verb}/by-query", query, where=Where.LIST, **more)) if query else (named,)


FORMS: Final[dict[str, Any]] = {"body": BinaryIO, "takes": FORM, "limit": LARGEST}
LISTS: Final[dict[str, Any]] = {"where": Where.LIST, "action": Action.RUNS_VIEW, "method": "GET"}
HOOK: Final = f"{AT}/webhook/{{namespace}}/{{flow}}/{{key}}"

ROUTES: Final = (
    webhooks.row("GET", HOOK, hooks.get_hook, Any),
    webhooks.row("POST", HOOK, hooks.post_hook, Any),
    webhooks.row("PUT", HOOK, hooks.put_hook, Any),
    does(f"{AT}/search", executions.search_executions, **LISTS),
    does(AT, executions.search_executions, **LISTS),
    *_by("kill", several.kill_by_ids, several.kill_by_query, method="DELETE"),
    *_by("pause", several.pause_by_ids, several.pause_by_query),
    *_by("resume", several.resume_by_ids, several.resume_by_query),
    *_by("restart", several.restart_by_ids, several.restart_by_query),
    *_by("replay", several.replay_by_ids, several.replay_by_query, action=Action.RUNS_START),
    *_by("change-status", several.change_status_by_ids),
    *_by("labels", several.label_by_ids, body=several.Labelled),
    looks(ONE, executions.get_execution),
    looks(f"{ONE}/graph", flows.draw_execution),
    looks(f"{ONE}/flow", flows.get_flow_of_execution),
    looks(f"{ONE}/follow", executions.follow_execution, kind=Kind.STREAM),
    looks(f"{ONE}/file", executions.read_execution_file, kind=Kind.FILE),
    looks(f"{ONE}/file/metas", executions.tell_execution_file),
    looks(f"{ONE}/file/preview", executions.preview_execution_file),
    does(f"{ONE}/kill", executions.kill_execution, method="DELETE", status=202),
    does(f"{ONE}/pause", executions.pause_execution),
    does(f"{ONE}/resume", executions.resume_execution, **FORMS),
    does(f"{ONE}/restart", executions.restart_execution),
    does(f"{ONE}/replay", executions.replay_execution, action=Action.RUNS_START),
    does(f"{ONE}/replay-with-inputs", executions.replay_execution_with_inputs, action=Action.RUNS_START, **FORMS),
    does(f"{ONE}/labels", executions.label_execution, body=list[Label]),
    does(f"{ONE}/change-status", executions.change_execution_status),
    does(f"{ONE}/state", executions.change_task_run_state, body=executions.TaskState),
    does(
        f"{AT}/{{namespace}}/{{flow}}", executions.create_execution, where=Where.PATH, action=Action.RUNS_START, **FORMS
    ),
    does(
        f"{AT}/{{namespace}}/{{flow}}/validate",
        executions.check_execution,
        where=Where.PATH,
        action=Action.RUNS_START,
        **FORMS,
    ),
)
