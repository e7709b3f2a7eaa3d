"""By which rule was something decided? Noted where it is decided, told where a run is explained.

A rule is its own sentence, so none can lack one; `{0}`, `{1}` … are the facts noted with it.
"""

from __future__ import annotations

import enum


@enum.unique
class Rule(enum.Enum):
    """Why a step, a group or the run became what it is, in words that follow a "because"."""

    BEGINS = "nothing holds the run up"
    WAITS_FOR_LIMIT = "it {0}"
    ADMITTED = "the limits have room"
    REFUSED = "the limit is reached, and who asked does not wait"
    SLOTS_RETURNED = "nobody waits for these slots any more"
    REPLAYED = "the run goes on from step {0} with what was kept of run {1}"
    RESTARTED = "a restart tries again what did not succeed"
    PUT_BACK = "a restart puts it back until its turn comes"
    REOPENED = "a step in it is tried again"
    TURN = "its turn in its group has come"
    FULL = "its group does at most {0} at once"
    WINDOW = "a wide group begins some of its children at a time"
    NEEDS_MET = "what it needs is done, as its rule {0} wants it"
    NEEDS_SKIPPED = "by its rule {0} it is skipped, after what became of those that it needs"
    NEEDS_FAILED = "by its rule {0} it is cancelled, after what became of those that it needs"
    CONDITION_FALSE = "its condition is not true"
    CANNOT_RENDER = "an expression of it cannot be rendered"
    ASKS_WORKER = "an expression of it reaches out, which is a worker's work"
    VALUES_KNOWN = "a worker has found the values that it waited for"
    DONE = "its attempt is done"
    WARNED = "its attempt ended with a warning"
    WARNING_ALLOWED = "its attempt ended with a warning, which it allows"
    WARNED_BY_RETRY = "it was done, but its retry policy warns after {0} tries"
    NOTHING_TO_DO = "its attempt found nothing to do"
    KILLED = "its attempt was ended"
    SNOOZED = "its attempt wants to look again later"
    LOOKED_LONG_ENOUGH = "it has looked for the longest time that it may"
    LOST_AGAIN = "an attempt that is lost is followed by another: loss {0} of {1}"
    NO_RETRY = "it failed, and no retry policy is about it"
    NOT_RETRIED = "it failed in a way that its retry policy does not try again"
    NO_MORE_TRIES = "it failed, and its retry policy allows no more after try {0}"
    RETRY = "it failed, and its retry policy allows try {0}{1}"
    RETRY_AS_NEW_RUN = "it failed, and its retry policy tries the whole run again"
    RETRY_DUE = "its wait for a retry is over"
    LOOKS_AGAIN = "its time to look again has come"
    FAILURE_ALLOWED = "it failed, which it allows"
    STOPPING = "the run, or a group around it, is being stopped"
    BESIDE_THE_END = "the run has ended, and it only waited"
    FIRST_FAILURE = "the first of its tasks that does not succeed ends a sequence"
    SIBLINGS_GO_ON = "a task of it failed; those that run may end apart from it"
    SIBLINGS_CANCELLED = "a task of it failed, and the others are cancelled"
    SIBLINGS_FAILED = "a task of it failed, and the others fail with it"
    FAILED_AFTER_ALL = "all its tasks were gone through, and one failed"
    HALTED = "the group around it is ended at once"
    ALL_OVER = "its tasks came to {0}"
    CHECK_UNMET = "a check of its flow is not met"
    GROUP_FAILED = "it cannot go on: {0}"
    ERRORS_ENTERED = "its tasks failed, so its errors are gone through"
    FINALLY_ENTERED = "its finally is gone through, whatever happened"
    AFTER_ENTERED = "it is known how the run ends, so the tasks after the end are gone through"
    BRANCH_CHOSEN = "the branch {0} was chosen"
    VALUES_FOUND = "it goes through {0} values"
    CONDITION_MET = "its condition is met after {0} iterations"
    ONCE_MORE = "its condition is not met after {0} iterations"
    ENOUGH = "its condition is not met, and it has gone through all that it may"
    CHILD_GOES_ON = "run {0}, which had not succeeded, is to go on"
    CHILD_STARTED = "its attempt is the run {0}"
    TOO_DEEP = "subflows may not lie deeper"
    PAUSES = "it waits until somebody resumes it, or its time is over"
    RESUMED = "{0} let it go on"
    PAUSE_OVER = "its pause is over"
    HELD = "the run is paused, so that it does not begin"
    RUN_HELD = "{0} paused the run"
    FOLDER_ANEW = "the folder was lost with its worker, so the group begins anew: loss {0} of {1}"
    FOLDER_OPEN = "its folder is open on the worker {0}"
    FOLDER_CLOSES = "its tasks are over, so its folder is closed"
    DEADLINE = "it took longer than its deadline of {0:g} s"
    RUN_TIMEOUT = "the run took longer than its timeout of {0:g} s"
    SERVICE_LEVEL = 'the run misses its service level "{0}"'
    MARKED = "{0} said so"
    TO_BE_SKIPPED = "an operator said that it is to be skipped"
    KILL = "{0} wants the run ended"
    EXIT = 'the task "{0}" ends the run as {1}'
    VARIABLES_CHANGED = "it changes the variables of the run"
    REPORTED = "its attempt told of it"
    OUTPUTS_ASKED = "the outputs of the flow reach out, which is a worker's work"
    OUTPUTS_FAILED = "the outputs of the flow cannot be rendered"
    FAULT = "a decision broke down; the run is given up"
    LATE = "what it was for is over, or has happened before: nothing changes"


Noted = tuple[str, Rule, tuple[object, ...]]


def sentence(noted: Noted) -> str:
    """Tell a rule with its facts."""
    _, rule, facts = noted
    return rule.value.format(*facts)
