"""May a node of a dag begin, by what became of those it needs? A pure function of their marks and its rule.

The rules and their words are Airflow's. Where Airflow decides against a node as soon as it can, this waits until all
it needs are done: so what follows never depends on the order in which they ended.
"""

from __future__ import annotations

import enum
from typing import Final

from penstock.model.node import TriggerRule
from penstock.model.status import StepStatus

WAITING: Final = "."
READY: Final = "r"
OPEN: Final = "o"
UNDONE: Final = WAITING + READY + OPEN
SUCCEEDED: Final = "sw"
FAILED: Final = "fx"
BAD: Final = FAILED + "c"
EARLY: Final = frozenset({TriggerRule.ALWAYS, TriggerRule.ONE_SUCCESS, TriggerRule.ONE_FAILED, TriggerRule.ONE_DONE})
MARKS: Final = {
    StepStatus.SUCCESS: "s",
    StepStatus.WARNING: "w",
    StepStatus.FAILED: "f",
    StepStatus.KILLED: "x",
    StepStatus.CANCELLED: "c",
    StepStatus.SKIPPED: "k",
}


class Verdict(enum.Enum):
    """What a rule says: not yet, begin, skip, or cancel because what came before failed."""

    WAIT = "wait"
    BEGIN = "begin"
    SKIP = "skip"
    CANCEL = "cancel"


def verdict(rule: TriggerRule, marks: str, setups: str = "") -> Verdict:
    """Judge by the marks of all that a node needs; `setups` are the marks of the setups among them.

    A mark is one letter: `.` waiting, `r` ready, `o` open, `s` success, `w` warning, `f` failed, `x` killed,
    `c` cancelled, `k` skipped.
    """
    if not marks or rule is TriggerRule.ALWAYS:
        return Verdict.BEGIN  # before anything that it needs has ended, too
    early = _early(rule, marks)
    if early or _any(marks, UNDONE):
        return Verdict.BEGIN if early else Verdict.WAIT
    return _at_last(rule, marks, setups)


def _early(rule: TriggerRule, marks: str) -> bool:
    """Is one of them enough, and there?"""
    match rule:
        case TriggerRule.ONE_SUCCESS:
            return _any(marks, SUCCEEDED)
        case TriggerRule.ONE_FAILED:
            return _any(marks, BAD)
        case TriggerRule.ONE_DONE:
            return _any(marks, SUCCEEDED + FAILED)
        case _:
            return False


def _at_last(rule: TriggerRule, marks: str, setups: str) -> Verdict:
    """Judge when all of them are done and none of them was enough by itself."""
    skipped, good, bad = _any(marks, "k"), _any(marks, SUCCEEDED), _any(marks, BAD)
    match rule:
        case TriggerRule.ALL_SUCCESS:
            return Verdict.CANCEL if bad else Verdict.SKIP if skipped else Verdict.BEGIN
        case TriggerRule.ALL_DONE | TriggerRule.ALWAYS:
            return Verdict.BEGIN
        case TriggerRule.ALL_FAILED:
            return Verdict.SKIP if good or skipped else Verdict.BEGIN
        case TriggerRule.ALL_SKIPPED:
            return Verdict.SKIP if good or bad else Verdict.BEGIN
        case TriggerRule.ONE_SUCCESS:
            return Verdict.CANCEL if bad else Verdict.SKIP
        case TriggerRule.ONE_FAILED | TriggerRule.ONE_DONE:
            return Verdict.SKIP
        case TriggerRule.NONE_FAILED:
            return Verdict.CANCEL if bad else Verdict.BEGIN
        case TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS:
            return Verdict.CANCEL if bad else Verdict.BEGIN if good else Verdict.SKIP
        case TriggerRule.NONE_SKIPPED:
            return Verdict.SKIP if skipped else Verdict.BEGIN
        case TriggerRule.ALL_DONE_MIN_ONE_SUCCESS:
            return Verdict.SKIP if skipped else Verdict.BEGIN if good else Verdict.CANCEL
        case TriggerRule.ALL_DONE_SETUP_SUCCESS:
            if not setups or _any(setups, SUCCEEDED):
                return Verdict.BEGIN
            return Verdict.CANCEL if _any(setups, BAD) else Verdict.SKIP


def _any(marks: str, letters: str) -> bool:
    return any(letter in marks for letter in letters)
