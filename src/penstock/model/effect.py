"""What must the world do once a decision is committed? A closed union; services act on each kind in one place."""

from __future__ import annotations

import enum

import msgspec

from penstock.model.event import Event, Timer
from penstock.model.policy import Limit
from penstock.model.run import Failure, Parent
from penstock.model.status import RunStatus


class Work(enum.StrEnum):
    """What an attempt does: a task's own work, the evaluation of expressions that reach out, the opening of a working
    directory or its closing.
    """

    TASK = "task"
    EVALUATE = "evaluate"
    OPEN = "open"
    CLOSE = "close"


class Ready(msgspec.Struct, frozen=True):
    """An attempt may be claimed now; by `worker` alone, as long as it lives, where one is named."""

    step: str
    attempt: int
    work: Work = Work.TASK
    worker: str = ""


class Withdraw(msgspec.Struct, frozen=True):
    """Attempts of these steps must end: the ready ones are deleted, the claimed ones flagged.."""

    steps: tuple[str, ...]
    force: bool = False


class SetTimer(msgspec.Struct, frozen=True):
    """An event is due at an instant."""

    step: str
    attempt: int
    timer: Timer
    at: int


class StartChild(msgspec.Struct, frozen=True, kw_only=True):
    """A run of another flow is to exist, under an id derived from the parent's attempt, and to begin at an instant (0:
    at once); its inputs are typed by the service. With `again` it goes on from what did not succeed, if it is still
    there.
    """

    id: str
    parent: Parent
    namespace: str
    flow: str
    revision: int | None
    inputs: dict[str, object]
    labels: dict[str, str]
    depth: int
    at: int = 0
    again: bool = False


class KillChild(msgspec.Struct, frozen=True):
    """A child run is to be killed too."""

    run: str
    by: str
    force: bool = False


class StartAgain(msgspec.Struct, frozen=True):
    """A run like this one is to take its place, to begin at an instant."""

    id: str
    at: int


class Recall(msgspec.Struct, frozen=True):
    """What is ready of this run and nobody has claimed is taken back, and told to it as *held*."""


class Forget(msgspec.Struct, frozen=True):
    """The rows of one iteration of a loop, and of all that lies in it, are not kept any more."""

    iteration: str


class TellParent(msgspec.Struct, frozen=True):
    """The parent's step is to learn how this run ended; `outputs` are the step's outputs there."""

    parent: Parent
    status: RunStatus
    outputs: dict[str, object]
    failure: Failure | None = None
    first: str = ""


class Produce(msgspec.Struct, frozen=True):
    """A step's outputs that the engine itself made (a branch's choice, a child's id)."""

    step: str
    attempt: int
    outputs: dict[str, object]


class KeepValues(msgspec.Struct, frozen=True):
    """A loop's values, to be read back by index in chunks of VALUES_CHUNK."""

    step: str
    values: tuple[object, ...]


class Want(msgspec.Struct, frozen=True):
    """Room behind one limit, under the name by which it is counted."""

    name: str
    limit: Limit


class AskLimit(msgspec.Struct, frozen=True):
    """An attempt (the run itself: the empty step, attempt 0) waits until all these limits have room for it at once."""

    wants: tuple[Want, ...]
    step: str = ""
    attempt: int = 0


class Release(msgspec.Struct, frozen=True):
    """An attempt that was let in is over before it could begin: what it uses of limits is free."""

    step: str
    attempt: int


class Tell(msgspec.Struct, frozen=True):
    """The run itself is to receive an event next (a loop's further values)."""

    event: Event


class Announce(msgspec.Struct, frozen=True):
    """The run's status is news."""

    status: RunStatus


VALUES_CHUNK = 100

Effect = (
    Ready
    | Withdraw
    | SetTimer
    | StartChild
    | KillChild
    | StartAgain
    | Recall
    | Forget
    | TellParent
    | Produce
    | KeepValues
    | AskLimit
    | Release
    | Tell
    | Announce
)
