"""What can be asked about executions, and done with one of them?"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, BinaryIO

import msgspec

from penstock.api.events import Event, Listening
from penstock.api.handlers import files
from penstock.api.live.following import Follower
from penstock.api.multipart import Part, parts
from penstock.api.route import Answer, Awaited, Call, Sent
from penstock.api.shapes.files import FileAsked, PreviewAsked
from penstock.api.shapes.kestra.asked import Asked, first, flag, labels, micros, numbered, pairs, wanted_runs, whole
from penstock.api.shapes.kestra.executions import Execution, Label, execution, statuses, step_key
from penstock.api.shapes.runs import RunRow
from penstock.errors.api import BadRequest
from penstock.errors.run import UnknownFlow, UnknownRun
from penstock.model.flow import Flow
from penstock.model.plan import Plan
from penstock.model.run import Run
from penstock.model.status import StepStatus
from penstock.services import flows, operate
from penstock.services import labels as labelling
from penstock.services import runs as verbs
from penstock.services.core import Core
from penstock.services.document import document, summary
from penstock.services.file_preview import Preview
from penstock.services.inputs import typed_inputs
from penstock.services.reading import load
from penstock.services.render import calls_in
from penstock.services.runs import Start
from penstock.services.secrets.given import starred_inputs
from penstock.services.uploads import upload
from penstock.store import runs
from penstock.store.port import Tx
from penstock.telemetry.traces import HEADER

FILES = "files"


class Found(msgspec.Struct, frozen=True):
    """A page of executions, and how many there are."""

    results: list[Execution]
    total: int


class TaskState(msgspec.Struct, frozen=True, rename="camel"):
    """How a task run is said to have ended."""

    task_run_id: str
    state: str


def search_executions(call: Call[Asked, None]) -> Found:
    """Executions that fit, newest first, without their task runs."""
    page, wanted = numbered(call.query), wanted_runs(call.query, call.core.clock.now())

    def look(tx: Tx) -> tuple[list[Run], int]:
        found = runs.page(tx, call.scope, wanted, page.until)
        more = len(found) == page.until
        return found[page.behind :], sum(runs.tally(tx, call.scope, wanted).values()) if more else len(found)

    found, total = call.core.store.read(look)
    return Found([execution(summary(call.core, each)) for each in found], total)


def get_execution(call: Call[Asked, None]) -> Execution:
    """One execution."""
    return execution(document(call.core, call.run.id))


def create_execution(call: Call[Asked, BinaryIO]) -> Answer | Awaited:
    """Start a flow with the inputs of a form; the answer waits for its end where that is asked for."""
    plan = _startable(call)
    if first(call.query, "scheduleDate") and micros(first(call.query, "scheduleDate")) > call.core.clock.now():
        raise BadRequest("Executions begin when they are created; a trigger starts one at a date.")
    given, trace = _inputs(call, plan.flow), call.headers.get(HEADER, "")
    run_id = verbs.start(call.core, plan, Start(inputs=given, labels=labels(call.query), by=call.by, trace=trace))

    def told() -> Answer:
        return Answer(_now(call.core, run_id), 200)

    return Awaited(run_id, told) if flag(call.query, "wait") else told()


def check_execution(call: Call[Asked, BinaryIO]) -> dict[str, Any]:
    """Whether a flow could be started with the inputs of a form; nothing starts."""
    plan = _startable(call)
    given = typed_inputs(
        plan.flow, _inputs(call, plan.flow), calls_in(call.core, plan.flow.namespace, set()), strict=True
    )
    return {
        "id": plan.flow.id,
        "namespace": plan.flow.namespace,
        "inputs": [{"id": name, "value": value} for name, value in starred_inputs(plan.flow, given).items()],
    }


def kill_execution(call: Call[Asked, None]) -> Execution:
    """End it and those that it started."""
    verbs.kill(call.core, call.run.id, call.by)
    return _now(call.core, call.run.id)


def pause_execution(call: Call[Asked, None]) -> Execution:
    """Let nothing more of it begin."""
    operate.pause(call.core, call.run.id, call.by)
    return _now(call.core, call.run.id)


def resume_execution(call: Call[Asked, BinaryIO]) -> Execution:
    """Let it go on, with the inputs of a form where it asks for some."""
    given = _inputs(call, None)
    operate.resume(call.core, call.run.id, call.by, inputs=given)
    return _now(call.core, call.run.id)


def restart_execution(call: Call[Asked, None]) -> Execution:
    """Let it go on from what did not succeed."""
    _same_revision(call)
    verbs.restart(call.core, call.run.id, call.by)
    return _now(call.core, call.run.id)


def replay_execution(call: Call[Asked, None]) -> Execution:
    """Start a new one like it, from a task run on where one is named."""
    _same_revision(call)
    step = step_key(first(call.query, "taskRunId"))
    return _now(call.core, verbs.replay(call.core, call.run.id, call.by, from_step=step))


def replay_execution_with_inputs(call: Call[Asked, BinaryIO]) -> Execution:
    """Start a new one like it with other inputs."""
    _same_revision(call)
    run = call.run
    given = _inputs(call, call.core.plan(run.namespace, run.flow, run.revision).flow)
    step = step_key(first(call.query, "taskRunId"))
    made = verbs.replay(call.core, run.id, call.by, from_step=step, asked=Start(inputs=given))
    return _now(call.core, made)


def label_execution(call: Call[Asked, list[Label]]) -> Execution:
    """Give it labels."""
    labelling.label(call.core, call.run.id, pairs(call.body))
    return _now(call.core, call.run.id)


def change_execution_status(call: Call[Asked, None]) -> Execution:
    """Say how it ended."""
    operate.mark(call.core, call.run.id, call.by, status_of(first(call.query, "status")))
    return _now(call.core, call.run.id)


def change_task_run_state(call: Call[Asked, TaskState]) -> Execution:
    """Say how one of its task runs ended."""
    step, status = step_key(call.body.task_run_id), status_of(call.body.state)
    operate.mark(call.core, call.run.id, call.by, status, step=step)
    return _now(call.core, call.run.id)


def follow_execution(call: Call[Asked, None]) -> Listening:
    """It, each time it changes, until it has ended."""
    core, run_id = call.core, call.run.id

    def told(event: Event) -> list[Event]:
        if event.name not in ("run", "end") or (event.name == "run" and not isinstance(event.data, RunRow)):
            return []
        try:
            return [Event("message", _now(core, run_id), "end" if event.name == "end" else "progress")]
        except UnknownRun:
            return []

    return call.hub.follow(Follower(run_id, from_now=True), told)


def read_execution_file(call: Call[Asked, None]) -> Sent | Answer:
    """The bytes of one of its files."""
    return files.read_file(_about_file(call, FileAsked(uri=first(call.query, "path"))))


def tell_execution_file(call: Call[Asked, None]) -> dict[str, int]:
    """How large one of its files is."""
    return {"size": files.preview_file(_about_file(call, PreviewAsked(uri=first(call.query, "path")))).size}


def preview_execution_file(call: Call[Asked, None]) -> Preview:
    """What one of its files begins with."""
    rows = min(whole(call.query, "maxRows", 100), 100)
    return files.preview_file(_about_file(call, PreviewAsked(uri=first(call.query, "path"), rows=rows)))


def status_of(word: str) -> StepStatus:
    """How something ended, in Kestra's words. Raises BadRequest."""
    run = statuses([word])[0] if word.upper() != "SKIPPED" else None
    try:
        return StepStatus(run.value if run else "skipped")
    except ValueError:
        raise BadRequest(f'Nothing ends as "{word[:50]}".') from None


def _about_file(call: Call[Any, Any], query: Any) -> Call[Any, Any]:
    return Call(call.app, call.hub, call.core, call.actor, call.scope, call.path, query, None, call.headers, call.about)


def _startable(call: Call[Asked, Any]) -> Plan:
    revision = whole(call.query, "revision", 0) or None
    try:
        return flows.newest_plan(call.core, call.path["namespace"], call.path["flow"], revision)
    except UnknownFlow as error:
        # the hint names flows that who asks may not see
        raise UnknownFlow(error.sentence) from None


def _same_revision(call: Call[Asked, Any]) -> None:
    revision = whole(call.query, "revision", 0)
    if revision and revision != call.run.revision:
        raise BadRequest(f"A run goes on with the revision that it began with, which is {call.run.revision}.")


def _inputs(call: Call[Any, BinaryIO], flow: Flow | None) -> dict[str, object]:
    """The inputs of a form: texts, and files, which are kept. Releases before 1 send all files as `files`, each named
    after its input.
    """
    declared = {each.id for each in flow.inputs} if flow else set()
    found: dict[str, object] = {}
    for part in parts(call.body, call.headers.get("content-type", "")):
        if part.file is None:
            found[part.name] = part.text()
        elif part.name == FILES and FILES not in declared:
            found[PurePosixPath(part.file).name] = _kept(call, part)
        else:
            found[part.name] = _kept(call, part)
    return found


def _kept(call: Call[Any, Any], part: Part) -> str:
    name = (part.file or "").replace("\\", "/").rpartition("/")[2] or part.name
    with part.open() as file:
        return upload(call.core, call.app.files, name, file).uri


def _now(core: Core, run_id: str) -> Execution:
    load(core, run_id)
    return execution(document(core, run_id))
