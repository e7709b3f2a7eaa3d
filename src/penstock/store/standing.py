"""What stands in the store of one run? Read past the ways that services go, for whoever checks that it is right."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from penstock.model.event import Timer
from penstock.model.run import Attempt, Run, Step
from penstock.model.status import Outcome, RunStatus, StepStatus
from penstock.store import codec
from penstock.store.port import Tx

PAGE = 500


class RunRow(msgspec.Struct, frozen=True):
    """A run's row: the run, and its columns that say the same once more."""

    run: Run
    version: int
    status: RunStatus
    started_at: int | None
    ended_at: int | None


class StepRow(msgspec.Struct, frozen=True):
    """A step's row: the step, and its columns that say the same once more."""

    step: Step
    key: str
    node: str
    status: StepStatus
    attempt: int


class AttemptRow(msgspec.Struct, frozen=True):
    """An attempt's row: the attempt, and its columns that say the same once more."""

    attempt: Attempt
    step: str
    number: int
    outcome: Outcome


def run(tx: Tx, run_id: str) -> RunRow | None:
    """Give the row of a run."""
    row = tx.one("standing.run", id=run_id)
    if row is None:
        return None
    version, status, started, ended, body = row
    return RunRow(
        codec.run(body), codec.number(version), RunStatus(str(status)), codec.maybe(started), codec.maybe(ended)
    )


def steps(tx: Tx, run_id: str) -> Iterator[StepRow]:
    """Give the rows of a run's steps, by key."""
    after = ""
    while rows := tx.all("standing.steps", run_id=run_id, after=after, limit=PAGE):
        for key, node, status, attempt, body in rows:
            after = str(key)
            yield StepRow(codec.step(body), after, str(node), StepStatus(str(status)), codec.number(attempt))


def attempts(tx: Tx, run_id: str) -> Iterator[AttemptRow]:
    """Give the rows of a run's attempts, by step and number."""
    last, latest = "", -1
    while rows := tx.all("standing.attempts", run_id=run_id, step=last, number=latest, limit=PAGE):
        for step, number, outcome, body in rows:
            last, latest = str(step), codec.number(number)
            yield AttemptRow(codec.attempt(body), last, latest, Outcome(str(outcome)))


def work(tx: Tx, run_id: str) -> set[tuple[str, int]]:
    """Give the attempts that may be claimed, wait for a limit, or are held; a run that waits for one is ("", 0)."""
    return {(str(step), codec.number(attempt)) for step, attempt in tx.all("standing.work", run_id=run_id)}


def timers(tx: Tx, run_id: str) -> dict[tuple[str, int, Timer], int]:
    """Give what is to ring, and when."""
    rows = tx.all("standing.timers", run_id=run_id)
    return {(str(step), codec.number(number), Timer(str(timer))): codec.number(at) for step, number, timer, at in rows}


def outputs(tx: Tx, run_id: str) -> set[tuple[str, int]]:
    """Give the attempts whose outputs are kept."""
    return {(str(step), codec.number(attempt)) for step, attempt in tx.all("standing.outputs", run_id=run_id)}


def values(tx: Tx, run_id: str, step: str) -> dict[int, object]:
    """Give the chunks of a loop's values."""
    rows = tx.all("standing.values", run_id=run_id, step=step)
    return {codec.number(chunk): codec.anything(body) for _, chunk, body in rows}
