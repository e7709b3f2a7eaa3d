"""Which statuses exist, and which moves between them are allowed? The table is the rule; a test walks every cell."""

from __future__ import annotations

import enum
from typing import Final

from penstock.errors.run import ForbiddenMove


class RunStatus(enum.StrEnum):
    """Where a run stands; lower-case words, the same in code, API, UI and logs."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    KILLING = "killing"
    RETRYING = "retrying"
    SUCCESS = "success"
    WARNING = "warning"
    FAILED = "failed"
    KILLED = "killed"
    CANCELLED = "cancelled"
    RETRIED = "retried"

    @property
    def ended(self) -> bool:
        """Nothing but an operator's event moves it any more."""
        return self in ENDED_RUN


class StepStatus(enum.StrEnum):
    """Where a step stands. *Running* of a task is its claimed row; *waiting* has a row only when an operator put it
    back.
    """

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SNOOZED = "snoozed"
    PAUSED = "paused"
    SUCCESS = "success"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"
    KILLED = "killed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Nothing but an operator's event moves it any more."""
        return self in ENDED_STEP

    @property
    def open(self) -> bool:
        """It has begun and has not ended."""
        return self not in ENDED_STEP and self is not StepStatus.WAITING


class Outcome(enum.StrEnum):
    """How an attempt ended."""

    DONE = "done"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"
    SNOOZED = "snoozed"
    KILLED = "killed"
    LOST = "lost"


R = RunStatus
S = StepStatus
ENDED_RUN: Final = frozenset({R.SUCCESS, R.WARNING, R.FAILED, R.KILLED, R.CANCELLED, R.RETRIED})
ENDED_STEP: Final = frozenset({S.SUCCESS, S.WARNING, S.FAILED, S.SKIPPED, S.KILLED, S.CANCELLED})

RUN_MOVES: Final[dict[RunStatus, frozenset[RunStatus]]] = {
    R.QUEUED: frozenset({R.RUNNING, R.KILLED, R.CANCELLED, R.FAILED}),
    R.RUNNING: frozenset(
        {R.PAUSED, R.KILLING, R.RETRYING, R.SUCCESS, R.WARNING, R.FAILED, R.KILLED, R.CANCELLED, R.RETRIED}
    ),
    R.PAUSED: frozenset(
        {R.RUNNING, R.RETRYING, R.KILLING, R.SUCCESS, R.WARNING, R.FAILED, R.KILLED, R.CANCELLED, R.RETRIED}
    ),
    R.KILLING: frozenset({R.KILLED}),
    R.RETRYING: frozenset(
        {R.RUNNING, R.PAUSED, R.KILLING, R.SUCCESS, R.WARNING, R.FAILED, R.KILLED, R.CANCELLED, R.RETRIED}
    ),
} | {ended: frozenset[RunStatus]() for ended in ENDED_RUN}

STEP_MOVES: Final[dict[StepStatus, frozenset[StepStatus]]] = {
    S.WAITING: frozenset({S.QUEUED, S.RUNNING, S.SKIPPED, S.FAILED, S.CANCELLED, S.KILLED}),
    S.QUEUED: frozenset({S.RUNNING, S.RETRYING, S.SNOOZED, S.PAUSED} | ENDED_STEP),
    S.RUNNING: frozenset({S.QUEUED, S.RETRYING, S.SNOOZED, S.PAUSED} | ENDED_STEP),
    S.RETRYING: frozenset({S.QUEUED} | ENDED_STEP),
    S.SNOOZED: frozenset({S.QUEUED, S.RUNNING} | ENDED_STEP),
    S.PAUSED: frozenset({S.RUNNING} | ENDED_STEP),
} | {ended: frozenset[StepStatus]() for ended in ENDED_STEP}

RUN_OPERATOR_MOVES: Final = {
    R.SUCCESS: frozenset({R.QUEUED, R.RUNNING, R.WARNING, R.FAILED, R.KILLED, R.CANCELLED}),
    R.WARNING: frozenset({R.QUEUED, R.RUNNING, R.SUCCESS, R.FAILED, R.KILLED, R.CANCELLED}),
    R.FAILED: frozenset({R.QUEUED, R.RUNNING, R.SUCCESS, R.WARNING, R.KILLED, R.CANCELLED}),
    R.KILLED: frozenset({R.QUEUED, R.RUNNING, R.SUCCESS, R.WARNING, R.FAILED, R.CANCELLED}),
    R.CANCELLED: frozenset({R.QUEUED, R.RUNNING, R.SUCCESS, R.WARNING, R.FAILED, R.KILLED}),
}
STEP_OPERATOR_MOVES: Final = {
    ended: frozenset({S.WAITING, S.QUEUED, S.RUNNING} | ENDED_STEP) - {ended} for ended in ENDED_STEP
}


def check_run_move(old: RunStatus, new: RunStatus, *, operator: bool = False) -> None:
    """Refuse a move of a run that the table does not have; staying is always allowed."""
    allowed = RUN_MOVES[old] | (RUN_OPERATOR_MOVES.get(old, frozenset()) if operator else frozenset())
    if new is not old and new not in allowed:
        raise ForbiddenMove(f"A run cannot go from {old} to {new}.")


def check_step_move(old: StepStatus, new: StepStatus, *, operator: bool = False) -> None:
    """Refuse a move of a step that the table does not have; staying is always allowed."""
    allowed = STEP_MOVES[old] | (STEP_OPERATOR_MOVES.get(old, frozenset()) if operator else frozenset())
    if new is not old and new not in allowed:
        raise ForbiddenMove(f"A step cannot go from {old} to {new}.")
