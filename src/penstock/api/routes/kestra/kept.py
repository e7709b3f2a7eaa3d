"""Which addresses are about what is kept: logs, outputs, metrics, values?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers.kestra import kept, logs
from penstock.api.route import Kind, Where
from penstock.api.routes.kestra.addresses import ROOT
from penstock.api.routes.kestra.executions import looks
from penstock.api.routes.kestra.flows import row
from penstock.model.access import Action

LOGS: Final = f"{ROOT}/logs"
OUTPUTS: Final = f"{ROOT}/outputs"
VALUES: Final = f"{ROOT}/namespaces/{{namespace}}/kv"
VALUE: Final = f"{VALUES}/{{key}}"

ROUTES: Final = (
    row("GET", f"{LOGS}/search", logs.search_logs, Where.LIST, Action.RUNS_VIEW),
    looks(f"{LOGS}/{{run}}", logs.list_execution_logs),
    looks(f"{LOGS}/{{run}}/download", logs.download_execution_logs, kind=Kind.FILE),
    looks(f"{LOGS}/{{run}}/follow", logs.follow_execution_logs, kind=Kind.STREAM),
    looks(f"{OUTPUTS}/executions/{{run}}", kept.get_execution_outputs),
    looks(f"{OUTPUTS}/tasks/{{run}}", kept.list_task_outputs),
    looks(f"{OUTPUTS}/tasks/{{run}}/{{step}}", kept.get_task_outputs),
    looks(f"{ROOT}/metrics/{{run}}", kept.list_execution_metrics),
    row("GET", f"{ROOT}/kv", kept.list_all_values, Where.LIST, Action.KV_VIEW),
    row("GET", VALUES, kept.list_values, Where.PATH, Action.KV_VIEW),
    row("DELETE", VALUES, kept.delete_values, Where.PATH, Action.KV_EDIT, body=kept.Keys),
    row("GET", VALUE, kept.get_value, Where.PATH, Action.KV_VIEW),
    row("PUT", VALUE, kept.set_value, Where.PATH, Action.KV_EDIT, body=str, takes="text/plain", answer=None),
    row("DELETE", VALUE, kept.delete_value, Where.PATH, Action.KV_EDIT),
)
