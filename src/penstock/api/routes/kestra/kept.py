"""Which addresses are about what is kept: logs, outputs, metrics, values, files?"""

from __future__ import annotations

from typing import BinaryIO, Final

from penstock.api.handlers.kestra import files, kept, logs
from penstock.api.multipart import FORM
from penstock.api.route import Kind, Where
from penstock.api.routes.files import LARGEST
from penstock.api.routes.kestra.addresses import ROOT
from penstock.api.routes.kestra.executions import looks
from penstock.api.routes.kestra.flows import row
from penstock.model.access import Action

LOGS: Final = f"{ROOT}/logs"
OUTPUTS: Final = f"{ROOT}/outputs"
VALUES: Final = f"{ROOT}/namespaces/{{namespace}}/kv"
VALUE: Final = f"{VALUES}/{{key}}"
FILES: Final = f"{ROOT}/namespaces/{{namespace}}/files"
VIEW: Final = Action.FILES_VIEW
EDIT: Final = Action.FILES_EDIT

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
    row("GET", f"{FILES}/search", files.search_files, Where.PATH, VIEW),
    row("GET", f"{FILES}/stats", files.get_file_stats, Where.PATH, VIEW),
    row("GET", f"{FILES}/revisions", files.list_kestra_file_revisions, Where.PATH, VIEW),
    row("GET", f"{FILES}/directory", files.list_directory, Where.PATH, VIEW),
    row("POST", f"{FILES}/directory", files.create_directory, Where.PATH, EDIT, answer=None, status=200),
    row("GET", f"{FILES}/export", files.export_files, Where.PATH, VIEW, answer=None, kind=Kind.FILE),
    row("GET", FILES, files.get_file, Where.PATH, VIEW, answer=None, kind=Kind.FILE),
    row(
        "POST",
        FILES,
        files.create_file,
        Where.PATH,
        EDIT,
        answer=None,
        status=200,
        body=BinaryIO,
        takes=FORM,
        limit=LARGEST,
    ),
    row("PUT", FILES, files.move_file, Where.PATH, EDIT, answer=None, status=200),
    row("DELETE", FILES, files.delete_file, Where.PATH, EDIT, answer=None),
)
