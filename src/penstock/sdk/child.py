"""What happens in the process of a task type's attempt? Its payload is read, its work done, its outcome told."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Final, cast

import msgspec

from penstock.errors import PenstockError
from penstock.errors.task import TaskFailed
from penstock.model.run import ErrorKind
from penstock.model.status import Outcome
from penstock.sdk import registry
from penstock.sdk.context import About, Context, Level, Transport
from penstock.sdk.plain import plain
from penstock.sdk.task import Outputs, Result, TaskType

ENDINGS: Final = (Outcome.DONE, Outcome.WARNING, Outcome.SKIPPED, Outcome.SNOOZED)
KINDS: Final = frozenset(kind.value for kind in ErrorKind)


def main(payload: Mapping[str, object], channel: Transport) -> None:
    """Do the attempt that `payload` describes and send its frames; the last one is its outcome.

    Payload: `type`, `properties` (rendered), `context` (run, flow, namespace, step, attempt, workdir,
    idempotency_key, state). The same function serves a forked child and the worker's own thread (mode inline).
    """
    context = Context(msgspec.convert(payload.get("context", {}), About), channel)
    try:
        kind = registry.find(str(payload["type"]))
        properties = cast("Mapping[str, object]", payload.get("properties", {}))
        frame = perform(registry.decode(kind, properties), context)
    except PenstockError as error:
        frame = _failed(error.code, ErrorKind.TASK, _sentence(error))
    channel.send(frame)


def perform(task: TaskType, context: Context) -> dict[str, object]:
    """Run a task that has its properties; gives the outcome's frame, whatever happens."""
    try:
        return _ended(task.run(context))
    except TaskFailed as failed:
        return _failed("", failed.kind, _sentence(failed), failed.exit_code, failed.outputs)
    except PenstockError as error:
        return _failed(error.code, ErrorKind.TASK, _sentence(error))
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
        return _failed("", ErrorKind.EXIT, f"The task left with exit code {code}.", code)
    except MemoryError:
        return _failed("", ErrorKind.MEMORY, "The task ran out of memory.")
    except Exception as error:
        context.log(traceback.format_exc().rstrip(), Level.ERROR)
        text = str(error).strip()
        return _failed("", ErrorKind.TASK, f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _ended(outputs: Outputs) -> dict[str, object]:
    result = outputs if isinstance(outputs, Result) else Result(outputs=dict(outputs or {}))
    if result.outcome not in ENDINGS:
        wrong = "The task failed." if result.outcome is Outcome.FAILED else f"A task cannot end as {result.outcome}."
        return _failed("", ErrorKind.TASK, result.message or wrong, None, result.outputs)
    frame: dict[str, object] = {"t": "outcome", "outcome": result.outcome.value, "outputs": plain(result.outputs)}
    if result.message:
        frame["message"] = result.message
    if result.wait is not None:
        frame["wait"] = result.wait
    return frame


def _failed(
    code: str, kind: str, message: str, exit_code: int | None = None, outputs: Mapping[str, object] | None = None
) -> dict[str, object]:
    known = kind if kind in KINDS else ErrorKind.TASK.value
    failure = {"kind": known, "message": message, "exit_code": exit_code, "code": code}
    return {"t": "outcome", "outcome": Outcome.FAILED.value, "outputs": plain(outputs or {}), "failure": failure}


def _sentence(error: PenstockError) -> str:
    return f"{error.sentence} {error.hint}".strip()
