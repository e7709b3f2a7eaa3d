"""How is an attempt made in a test? By its fixture, or in this very process where a task needs no other."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import cast

import msgspec

from penstock.clock import ManualClock
from penstock.errors import PenstockError
from penstock.errors.task import NotOffered
from penstock.model.event import Ended, Order
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure
from penstock.model.status import Outcome
from penstock.sdk import child, registry
from penstock.sdk.context import About
from penstock.sdk.task import ScriptType
from penstock.sdk.values import Duration
from penstock.services.core import Core
from penstock.services.render import Prepared
from penstock.services.worker import answers
from penstock.services.worker.channel import read_order, read_outcome
from penstock.store.chunks import Level, Piece, Stream, pack
from penstock.store.queue import Claim
from penstock.testing.fixtures import Fixture

WORKER = "test"
LEVELS = {"trace": Level.TRACE, "debug": Level.DEBUG, "warn": Level.WARNING, "error": Level.ERROR}
Outputs = dict[str, object] | None


class Talk:
    """One attempt's transport: frames are kept, questions are answered by the services; open while it runs."""

    def __init__(self, core: Core, asker: answers.Asker) -> None:
        self.frames: list[dict[str, object]] = []
        self._core = core
        self._asker = asker

    def send(self, frame: dict[str, object]) -> None:
        """Keep what the task tells."""
        self.frames.append(frame)

    def ask(self, what: str, body: dict[str, object]) -> object:
        """Answer as a worker would."""
        return answers.answer(self._core, self._asker, what, body)


def by_fixture(core: Core, clock: ManualClock, claim: Claim, fixture: Fixture) -> tuple[Ended, Outputs]:
    """End an attempt as its fixture says."""
    began = clock.now()
    clock.advance(fixture.micros)
    outcome = Outcome.DONE if fixture.status == "success" else Outcome(fixture.status)
    failure = None
    if outcome in (Outcome.FAILED, Outcome.LOST):
        failure = Failure(ErrorKind(fixture.kind), fixture.message or "The fixture fails.", fixture.exit_code)
    said = [*fixture.logs, *([fixture.message] if fixture.message else [])]
    keep_log(core, claim, [(line, Level.INFO) for line in said])
    return _ended(core, claim, outcome, began, failure, fixture.state), fixture.outputs


def here(
    core: Core, clock: ManualClock, claim: Claim, prepared: Prepared, where: Path | None = None
) -> tuple[Ended, Outputs]:
    """Do an attempt in this process, in the folder `where` or one of its own. Raises NotOffered for a task that starts
    a process: that wants a fixture.
    """
    began = clock.now()
    kind = registry.find(prepared.node.type)
    if issubclass(kind, ScriptType):
        raise NotOffered(
            f'The task "{claim.step}" is of the type {kind.type_name}, which starts a process.',
            hint=f'Give it a fixture: tasks={{"{prepared.node.id}": gives(…)}}.',
        )
    if kind.type_name == "sleep":
        return _slept(core, clock, claim, prepared)
    with _folder(where) as folder, contextlib.chdir(folder):
        run = prepared.loaded.run
        talk = Talk(core, answers.Asker(run, claim.step, claim.attempt, Path(folder), _ignore))
        about = _about(claim, prepared, folder)
        payload = {"type": kind.type_name, "properties": prepared.properties, "context": msgspec.to_builtins(about)}
        child.main(payload, talk)
    return _told(core, claim, talk.frames, began)


def _slept(core: Core, clock: ManualClock, claim: Claim, prepared: Prepared) -> tuple[Ended, Outputs]:
    began = clock.now()
    registry.decode(registry.find(prepared.node.type), prepared.properties)  # which refuses what is no duration
    wanted = Duration.read(prepared.properties.get("duration", 0))
    if prepared.timeout is None or wanted <= prepared.timeout:
        clock.advance(wanted)
        return _ended(core, claim, Outcome.DONE, began, None, None), {}
    clock.advance(prepared.timeout)
    late = Failure(ErrorKind.TIMEOUT, f"Not over after {prepared.timeout / SECOND:g} s.")
    return _ended(core, claim, Outcome.FAILED, began, late, None), None


def _folder(where: Path | None) -> contextlib.AbstractContextManager[str | Path]:
    return tempfile.TemporaryDirectory(prefix="penstock-test-") if where is None else contextlib.nullcontext(where)


def refused(core: Core, claim: Claim, error: PenstockError) -> tuple[Ended, Outputs]:
    """An attempt that could not begin."""
    kind = ErrorKind.EXPRESSION if error.code.startswith("PS-1") else ErrorKind.TASK
    sentence = f"{error.sentence} {error.hint}".strip()
    keep_log(core, claim, [(str(error), Level.ERROR)])
    return _ended(core, claim, Outcome.FAILED, core.clock.now(), Failure(kind, sentence, None, error.code), None), None


def keep_log(core: Core, claim: Claim, lines: list[tuple[str, Level]]) -> None:
    """Keep lines as an attempt's log."""
    if lines:
        now = core.clock.now()
        pieces = [Piece(now, Stream.LOG, text.encode() + b"\n", level) for text, level in lines]
        tail = core.store.logs.tail(claim.run, claim.step, claim.attempt)
        core.store.logs.append([pack(claim.run, claim.step, claim.attempt, tail, pieces)[0]])


def _told(core: Core, claim: Claim, frames: list[dict[str, object]], began: int) -> tuple[Ended, Outputs]:
    outputs: dict[str, object] = {}
    state: dict[str, object] | None = None
    orders: tuple[Order, ...] = ()
    lines: list[tuple[str, Level]] = []
    for frame in frames:
        match frame["t"]:
            case "log":
                lines.append((str(frame["message"]), LEVELS.get(str(frame["level"]), Level.INFO)))
            case "output":
                outputs |= cast("dict[str, object]", frame["values"])
            case "state":
                state = cast("dict[str, object]", frame["value"])
            case "order":
                orders = (*orders, read_order(frame))
            case _:
                pass
    told = read_outcome(frames[-1])
    if told.failure is not None:
        lines.append((told.failure.message, Level.ERROR))
    keep_log(core, claim, lines)
    ended = _ended(core, claim, told.outcome, began, told.failure, state)
    return msgspec.structs.replace(ended, orders=orders), outputs | told.outputs


def _about(claim: Claim, prepared: Prepared, folder: str | Path) -> About:
    run = prepared.loaded.run
    return About(
        run=run.id,
        flow=run.flow,
        namespace=run.namespace,
        step=claim.step,
        attempt=claim.attempt,
        workdir=str(folder),
        idempotency_key=prepared.idempotency_key,
        state=prepared.state,
    )


def _ended(
    core: Core, claim: Claim, outcome: Outcome, began: int, failure: Failure | None, state: dict[str, object] | None
) -> Ended:
    return Ended(
        step=claim.step,
        attempt=claim.attempt,
        outcome=outcome,
        worker=WORKER,
        started_at=began,
        ended_at=core.clock.now(),
        failure=failure,
        state=state,
    )


def _ignore(*_secrets: str) -> None:
    """Nothing is masked in a test: its secrets are its own."""
