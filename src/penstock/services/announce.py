"""Which facts does a commit tell those who watch? Said after it, so that nobody hears of what was rolled back."""

from __future__ import annotations

from penstock.model.effect import Announce
from penstock.model.event import Ended
from penstock.model.run import Run
from penstock.model.status import Outcome, RunStatus
from penstock.services.batch import Batch
from penstock.services.core import Core
from penstock.telemetry import Level

LEVELS = {RunStatus.FAILED: Level.ERROR, RunStatus.WARNING: Level.WARNING, RunStatus.KILLED: Level.WARNING}
BAD = frozenset({Outcome.FAILED, Outcome.LOST})


def announce(core: Core, batch: Batch) -> None:
    """Say what attempts ended and which statuses the run went through."""
    run = batch.loaded.run
    for recorded in batch.events:
        event = recorded.event
        if isinstance(event, Ended):
            level = Level.WARNING if event.outcome in BAD else Level.INFO
            why = event.failure.message if event.failure else ""
            core.notices.say(
                "attempt.ended", recorded.at, level, run=run.id, step=event.step, attempt=event.attempt,
                outcome=str(event.outcome), worker=event.worker, failure=why,
            )  # fmt: skip
    for effect in batch.effects:
        if isinstance(effect, Announce):
            _status(core, run, effect.status)


def _status(core: Core, run: Run, status: RunStatus) -> None:
    why = run.failure.message if run.failure and status is run.status else ""
    level = LEVELS.get(status, Level.INFO)
    flow = f"{run.namespace}.{run.flow}"
    core.notices.say(f"run.{status}", core.clock.now(), level, run=run.id, flow=flow, failure=why)
