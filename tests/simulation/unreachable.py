"""What can never be met, and why? And what can, but so seldom that no few hundred seeds need to?"""

from __future__ import annotations

from itertools import product
from typing import Final

from penstock.model.status import RunStatus, StepStatus
from tests.simulation.census import GROUP, GROUPS, OF_RUN, OF_STEP, ONCE, RULE, VERB, Cell
from tests.simulation.operator import REFUSED

RUNS: Final = tuple(map(str, RunStatus))


def _row(section: str, row: str, *columns: str) -> set[Cell]:
    return {(section, row, column) for column in columns}


def _but(section: str, row: str, *columns: str) -> set[Cell]:
    return {(section, row, column) for column in RUNS if column not in columns}


# Each reason with the cells that it rules out; a seed that reaches one of them fails the test.
REASONS: Final[dict[str, set[Cell]]] = {
    "a decision that breaks down is a bug, and its seed fails at once": {
        *_row(OF_RUN, "fault", *RUNS), (RULE, "fault", ONCE),
    },
    "a replay is the first that happens to its run, in the transaction that inserts it": _but(
        OF_RUN, "replayed", RunStatus.QUEUED
    ),
    "nothing but a kill, which its parent decided in the same breath, comes before a run's beginning": _but(
        OF_RUN, "begin", RunStatus.QUEUED, RunStatus.KILLED
    ),
    "a group has no attempt of its own that could be queued, tried again or paused": {
        (GROUP, group, str(status))
        for group, status in product(GROUPS, (StepStatus.QUEUED, StepStatus.RETRYING, StepStatus.PAUSED))
    }
    | _row(OF_STEP, "expand", "queued", "retrying", "paused"),
    "of groups only a loop until waits for its time": {
        (GROUP, group, str(StepStatus.SNOOZED)) for group in GROUPS if group != "until"
    },
    "a subflow neither looks again nor pauses": _row(OF_STEP, "child_ended", "snoozed", "paused"),
    "a pause does not look again": _row(OF_STEP, "resume", "snoozed"),
    "only tasks stand in line for limits or tell of their parts, and no task is paused": {
        (OF_STEP, word, "paused") for word in ("admitted", "refused", "reported")
    },
    "flows call one another two deep here; a story goes down fifty": _row(RULE, "too_deep", ONCE),
    "a group that finishes all of its tasks comes to its result by these alone": _row(RULE, "failed_after_all", ONCE),
    "a kill and a size fit always": {(VERB, verb, REFUSED) for verb in ("kill", "kill by force", "size pool")},
}  # fmt: skip

# An event mostly meets these when it was overtaken: it lay in the inbox, which takes a crash between a commit and the
# fold after it, while its run or its step moved on. Each may be met; `make simulate` tells which were.
OVERTAKEN: Final[dict[tuple[str, str], str]] = {
    ("run", "begin"): "killed",
    ("run", "admitted"): "paused retrying success warning failed killed cancelled retried",
    ("run", "refused"): "paused killing retrying success warning failed killed cancelled retried",
    ("run", "ended"): "queued retrying",
    ("run", "evaluated"): "queued retrying success warning failed killed cancelled retried",
    ("run", "child_ended"): "queued paused retrying success warning killed cancelled retried",
    ("run", "due"): "success warning killed cancelled retried",
    ("run", "expand"): "queued paused killing retrying success warning failed killed cancelled retried",
    ("run", "kill"): "killing retrying retried",
    ("run", "restart"): "queued running paused killing retrying retried",
    ("run", "hold"): "queued killing retrying success warning failed killed cancelled retried",
    ("run", "held"): "queued running killing retrying success warning failed killed cancelled retried",
    ("run", "resume"): "queued killing retrying success warning failed killed cancelled retried",
    ("run", "mark"): "queued killing retrying retried",
    ("run", "reported"): "queued paused retrying success warning failed killed cancelled retried",
    ("step", "admitted"): "none waiting running retrying snoozed success warning failed skipped killed cancelled",
    ("step", "refused"): "none waiting running retrying snoozed success warning failed skipped killed cancelled",
    ("step", "ended"): "none retrying snoozed paused success killed",
    ("step", "evaluated"): "none waiting retrying snoozed paused success warning failed skipped killed cancelled",
    ("step", "child_ended"): "none waiting queued retrying success warning skipped killed",
    ("step", "due"): "none",
    ("step", "expand"): "none waiting snoozed success warning failed skipped killed cancelled",
    ("step", "held"): "none waiting running retrying snoozed paused success warning failed skipped killed cancelled",
    ("step", "resume"): "none waiting queued running retrying success warning failed skipped killed cancelled",
    ("step", "mark"): "waiting retrying snoozed paused",
    ("step", "reported"): "none waiting running retrying snoozed success warning skipped killed",
}

# Two rare things in one flow, and some luck.
LUCKY: Final[set[Cell]] = {
    *((GROUP, group, str(StepStatus.SKIPPED)) for group in GROUPS),
    (VERB, "replay", REFUSED),
    (RULE, "slots_returned", ONCE),
    (RULE, "window", ONCE),
}


def cells() -> dict[Cell, str]:
    """Every cell that cannot be reached, with its reason."""
    return {cell: reason for reason, several in REASONS.items() for cell in several}


def seldom() -> set[Cell]:
    """Every cell that is reached too seldom to be asked of five hundred seeds."""
    return LUCKY | {(*row, column) for row, columns in OVERTAKEN.items() for column in columns.split()}
