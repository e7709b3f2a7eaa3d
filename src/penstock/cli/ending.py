"""With which code does a command end? Five of them, each a sentence; an error's kind decides."""

from __future__ import annotations

import enum

from penstock.errors import PenstockError
from penstock.errors.client import ServerUnreachable, StrangeAnswer
from penstock.errors.project import InvalidFlows


class Exit(enum.IntEnum):
    """What the exit code of every command says."""

    SUCCESS = 0
    RUN_FAILED = 1
    WRONG_CALL = 2
    INVALID_FLOW = 3
    SYSTEM_FAILED = 4


# By the first digit of an error's code: expressions and flows are texts that are invalid, runs and projects are called
# wrongly, stores and workers are the system's.
AREAS = {
    "1": Exit.INVALID_FLOW,
    "2": Exit.INVALID_FLOW,
    "3": Exit.WRONG_CALL,
    "4": Exit.SYSTEM_FAILED,
    "5": Exit.SYSTEM_FAILED,
    "6": Exit.WRONG_CALL,
    "7": Exit.WRONG_CALL,
    "8": Exit.WRONG_CALL,
}


def code_of(error: PenstockError) -> Exit:
    """The exit code for an error that ended a command."""
    if isinstance(error, InvalidFlows):
        return Exit.INVALID_FLOW
    if isinstance(error, ServerUnreachable | StrangeAnswer):
        return Exit.SYSTEM_FAILED
    return AREAS.get(error.code[3:4], Exit.SYSTEM_FAILED)
