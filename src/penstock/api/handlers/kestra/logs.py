"""What did executions say, as Kestra's clients read it? Lines with levels, as JSON, text or events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from penstock.api.events import Event, Listening
from penstock.api.live.following import Follower
from penstock.api.route import Call, Sent
from penstock.api.shapes.kestra.asked import Asked, first, numbered, wanted_runs, whole
from penstock.api.shapes.kestra.executions import step_key, task_run_id
from penstock.api.shapes.logs import LogRow, log_row
from penstock.errors.api import BadRequest
from penstock.model import ids
from penstock.model.run import Run
from penstock.services.log_pages import LogAsked, lines_after
from penstock.store import runs
from penstock.store.chunks import Level, Selected

LEVELS = {"TRACE": Level.TRACE, "DEBUG": Level.DEBUG, "INFO": Level.INFO, "WARN": Level.WARNING, "ERROR": Level.ERROR}
MOST_LINES = 10_000
MOST_RUNS = 50
TOGETHER = 1_000


class LogEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One line."""

    namespace: str
    flow_id: str
    execution_id: str
    task_id: str
    task_run_id: str
    attempt_number: int
    timestamp: str
    level: str
    message: str
    thread: str = ""


class LogsFound(msgspec.Struct, frozen=True):
    """A page of lines, and how many there are among those looked at."""

    results: list[LogEntry]
    total: int
    type: str = "OFFSET"


def list_execution_logs(call: Call[Asked, None]) -> list[LogEntry]:
    """The first lines of an execution, in the order written."""
    return [each for each, _ in zip(_lines(call, call.run, _selected(call)), range(MOST_LINES), strict=False)]


def download_execution_logs(call: Call[Asked, None]) -> Sent:
    """The lines of an execution as text."""
    pieces = (
        f"{each.timestamp} {each.level} {each.message}\n".encode() for each in _lines(call, call.run, _selected(call))
    )
    headers = {"Content-Disposition": f'attachment; filename="{call.run.id}.log"', "Cache-Control": "no-store"}
    return Sent(pieces, "text/plain; charset=utf-8", headers=headers)


def follow_execution_logs(call: Call[Asked, None]) -> Listening:
    """The lines of an execution as they come, until it has ended."""
    run = call.run

    def told(event: Event) -> list[Event]:
        match event.name, event.data:
            case "log", list() as rows:
                return [Event("message", _entry(run, each), "progress") for each in rows if isinstance(each, LogRow)]
            case "end", _:
                return [Event("message", {}, "end")]
            case _:
                return []

    return call.hub.follow(Follower(run.id, _selected(call)), told)


def search_logs(call: Call[Asked, None]) -> LogsFound:
    """Lines of the newest executions that fit."""
    page, query = numbered(call.query), dict(call.query)
    least = _level(
        first(query, "minLevel") or _taken(query, "filters[level][GREATER_THAN_OR_EQUAL_TO]", "filters[level][EQUALS]")
    )
    text = first(query, "q") or _taken(query, "filters[q][EQUALS]")
    for name in ("q", "minLevel"):
        query.pop(name, None)
    wanted = wanted_runs(query, call.core.clock.now())
    found = call.core.store.read(lambda tx: runs.page(tx, call.scope, wanted, MOST_RUNS))
    lines: list[LogEntry] = []
    for run in found:
        for each in _lines(call, run, Selected(least=least), text):
            lines.append(each)
            if len(lines) >= MOST_LINES:
                break
    return LogsFound(lines[page.behind : page.until], len(lines))


def _taken(query: Asked, *names: str) -> str:
    """The value of a filter that is not one of runs, and is taken out."""
    return next((found[0] for name in names if (found := query.pop(name, None))), "")


def _selected(call: Call[Asked, Any]) -> Selected:
    attempt = first(call.query, "attempt")
    return Selected(
        step=step_key(first(call.query, "taskRunId")) or None,
        attempt=whole(call.query, "attempt", 0) if attempt else None,
        least=_level(first(call.query, "minLevel")),
    )


def _level(word: str) -> Level:
    """The least level that is wanted: Kestra's is INFO or what is asked for, and ours every line."""
    if word and word.upper() not in LEVELS:
        raise BadRequest(f'There is no level "{word[:50]}".', hint=f"There are: {', '.join(LEVELS)}.")
    return LEVELS[word.upper()] if word else Level.NONE


def _lines(call: Call[Asked, Any], run: Run, selected: Selected, text: str = "") -> Iterator[LogEntry]:
    task, place = first(call.query, "taskId"), None
    while True:
        asked = LogAsked(selected=selected, text=text, limit=TOGETHER)
        found, place = lines_after(call.core, run.id, asked, place)
        for each in found:
            if not task or ids.node_of(each.step) == task:
                yield _entry(run, log_row(each))
        if place is None:
            return


def _entry(run: Run, line: LogRow) -> LogEntry:
    level = (line.level or ("error" if line.stream == "stderr" else "info")).upper()
    return LogEntry(
        namespace=run.namespace,
        flow_id=run.flow,
        execution_id=run.id,
        task_id=ids.node_of(line.step),
        task_run_id=task_run_id(line.step),
        attempt_number=line.attempt,
        timestamp=line.at,
        level="WARN" if level == "WARNING" else level,
        message=line.text,
    )
