"""How do a group's counts follow its children, and what do they come to?"""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.draft import OPEN
from penstock.model.run import Failure, GroupState
from penstock.model.status import StepStatus

BAD = (StepStatus.KILLED, StepStatus.FAILED, StepStatus.CANCELLED)


def begun(state: GroupState) -> GroupState:
    """One more child has begun."""
    return replace(state, counts=state.counts | {OPEN: state.counts.get(OPEN, 0) + 1})


def ended(state: GroupState, status: StepStatus, failure: Failure | None) -> GroupState:
    """A child that was open has ended."""
    counts = state.counts | {OPEN: state.counts.get(OPEN, 0) - 1, str(status): state.counts.get(status, 0) + 1}
    first = state.failure or (failure if status in BAD else None)
    return replace(state, counts=counts, failure=first)


def revised(state: GroupState, before: StepStatus, after: StepStatus) -> GroupState:
    """A child that had ended one way is said to have ended another way."""
    return ended(replace(state, counts=state.counts | {str(before): state.counts[before] - 1, OPEN: 1}), after, None)


def forgotten(state: GroupState, status: StepStatus) -> GroupState:
    """A child that had ended with `status` is not kept any more."""
    return replace(state, counts=state.counts | {str(status): state.counts.get(status, 0) - 1})


def open_children(state: GroupState) -> int:
    """How many children are under way."""
    return state.counts.get(OPEN, 0)


def has_bad(state: GroupState) -> bool:
    """Has a child failed, been killed or been cancelled?"""
    return any(state.counts.get(status) for status in BAD)


def rollup(state: GroupState) -> StepStatus:
    """What the children come to: the worst of killed, failed, cancelled, warning; else success."""
    for status in (*BAD, StepStatus.WARNING):
        if state.counts.get(status):
            return status
    return StepStatus.SUCCESS
