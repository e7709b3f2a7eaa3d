"""Does every cell of the status tables allow what is written here a second time, by hand, and refuse the rest?"""

from __future__ import annotations

import pytest

from penstock.errors.run import ForbiddenMove
from penstock.model.status import (
    ENDED_RUN,
    ENDED_STEP,
    RUN_MOVES,
    RUN_OPERATOR_MOVES,
    STEP_MOVES,
    STEP_OPERATOR_MOVES,
    RunStatus,
    StepStatus,
    check_run_move,
    check_step_move,
)

# A row is where a run or step is, a column where it is to go: `x` always, `o` for an operator alone, `.` never.
RUNS = """
            queued running paused killing retrying success warning failed killed cancelled retried
queued      x      x       .      .       .        .       .       x      x      x         .
running     .      x       x      x       x        x       x       x      x      x         x
paused      .      x       x      x       x        x       x       x      x      x         x
killing     .      .       .      x       .        .       .       .      x      .         .
retrying    .      x       x      x       x        x       x       x      x      x         x
success     o      o       .      .       .        x       o       o      o      o         .
warning     o      o       .      .       .        o       x       o      o      o         .
failed      o      o       .      .       .        o       o       x      o      o         .
killed      o      o       .      .       .        o       o       o      x      o         .
cancelled   o      o       .      .       .        o       o       o      o      x         .
retried     .      .       .      .       .        .       .       .      .      .         x
"""
STEPS = """
            waiting queued running retrying snoozed paused success warning failed skipped killed cancelled
waiting     x       x      x       .        .       .      .       .       x      x       x      x
queued      .       x      x       x        x       x      x       x       x      x       x      x
running     .       x      x       x        x       x      x       x       x      x       x      x
retrying    .       x      .       x        .       .      x       x       x      x       x      x
snoozed     .       x      x       .        x       .      x       x       x      x       x      x
paused      .       .      x       .        .       x      x       x       x      x       x      x
success     o       o      o       .        .       .      x       o       o      o       o      o
warning     o       o      o       .        .       .      o       x       o      o       o      o
failed      o       o      o       .        .       .      o       o       x      o       o      o
skipped     o       o      o       .        .       .      o       o       o      x       o      o
killed      o       o      o       .        .       .      o       o       o      o       x      o
cancelled   o       o      o       .        .       .      o       o       o      o       o      x
"""


def cells(table: str) -> list[tuple[str, str, str]]:
    """Every cell: from, to, and the sign."""
    head, *rows = [line.split() for line in table.strip().splitlines()]
    return [(row[0], to, sign) for row in rows for to, sign in zip(head, row[1:], strict=True)]


@pytest.mark.parametrize(("old", "new", "sign"), cells(RUNS))
def test_a_run_moves_as_the_table_says_and_no_other_way(old: str, new: str, sign: str) -> None:
    def moves(operator: bool) -> bool:
        try:
            check_run_move(RunStatus(old), RunStatus(new), operator=operator)
        except ForbiddenMove:
            return False
        return True

    assert (moves(False), moves(True)) == {"x": (True, True), "o": (False, True), ".": (False, False)}[sign]


@pytest.mark.parametrize(("old", "new", "sign"), cells(STEPS))
def test_a_step_moves_as_the_table_says_and_no_other_way(old: str, new: str, sign: str) -> None:
    def moves(operator: bool) -> bool:
        try:
            check_step_move(StepStatus(old), StepStatus(new), operator=operator)
        except ForbiddenMove:
            return False
        return True

    assert (moves(False), moves(True)) == {"x": (True, True), "o": (False, True), ".": (False, False)}[sign]


def test_the_tables_here_have_every_status() -> None:
    assert {old for old, _, _ in cells(RUNS)} == {new for _, new, _ in cells(RUNS)} == {str(each) for each in RunStatus}
    assert {old for old, _, _ in cells(STEPS)} == {new for _, new, _ in cells(STEPS)}
    assert {old for old, _, _ in cells(STEPS)} == {str(each) for each in StepStatus}


def test_the_tables_have_a_row_for_every_status_and_ends_have_no_way_out_but_an_operators() -> None:
    assert RUN_MOVES.keys() == set(RunStatus)
    assert STEP_MOVES.keys() == set(StepStatus)
    assert all(not RUN_MOVES[ended] for ended in ENDED_RUN)
    assert all(not STEP_MOVES[ended] for ended in ENDED_STEP)
    assert RUN_OPERATOR_MOVES.keys() == ENDED_RUN - {RunStatus.RETRIED}
    assert STEP_OPERATOR_MOVES.keys() == ENDED_STEP


def test_a_refusal_names_both_ends_of_the_move() -> None:
    with pytest.raises(ForbiddenMove, match="from success to running"):
        check_run_move(RunStatus.SUCCESS, RunStatus.RUNNING)
