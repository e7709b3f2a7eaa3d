"""What did the simulation exercise? Each kind of event by the status that its run, and its step, had when it came."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import product
from typing import get_args

from penstock.model.event import Event, about, kind
from penstock.model.run import Run
from penstock.model.status import RunStatus, StepStatus
from penstock.services.core import Core
from penstock.services.reading import plan_of
from penstock.services.refold import Folded, Refold
from penstock.store import runs
from penstock.store.port import Tx

Cell = tuple[str, str, str]
NONE = "none"
KINDS = tuple(str(each.__struct_config__.tag) for each in get_args(Event))
OF_STEPS = (
    "admitted",
    "refused",
    "ended",
    "evaluated",
    "child_ended",
    "due",
    "expand",
    "held",
    "resume",
    "mark",
    "reported",
)
OF_RUN, OF_STEP = "run", "step"
SHORT = 8


def count(core: Core) -> Counter[Cell]:
    """Fold every run again, and count what each accepted event met."""
    found: Counter[Cell] = Counter()
    for run in core.store.read(lambda tx: runs.list_runs(tx, runs.Filter(), 1000)):
        core.store.read(partial(_of_run, core, run, found))
    return found


def _of_run(core: Core, run: Run, found: Counter[Cell], tx: Tx) -> None:
    again = Refold(core, tx, plan_of(core, run), run)
    for folded in again.all():
        if folded.decision is None:
            continue
        word = kind(folded.told.event)
        found[OF_RUN, word, str(folded.was.status)] += 1
        key, _ = about(folded.told.event)
        if key:
            found[OF_STEP, word, _status(again, folded, key)] += 1


def _status(again: Refold, folded: Folded, key: str) -> str:
    """The status of a step before an event: as it is still, unless the event has changed it."""
    assert folded.decision is not None
    for now, was in zip(folded.decision.steps, folded.before, strict=True):
        if now.key == key:
            return str(was.status) if was is not None else NONE
    step = again.loaded.steps.get(key)
    return str(step.status) if step is not None else NONE


def cells() -> set[Cell]:
    """Every cell that there is."""
    of_runs = {(OF_RUN, word, str(status)) for word, status in product(KINDS, RunStatus)}
    return of_runs | {(OF_STEP, word, status) for word, status in product(OF_STEPS, [NONE, *map(str, StepStatus)])}


def table(found: Counter[Cell], unreachable: set[Cell]) -> str:
    """The counts as two tables for people; `-` is what cannot be, `.` what never was."""
    halves = []
    for what, columns in ((OF_RUN, [*map(str, RunStatus)]), (OF_STEP, [NONE, *map(str, StepStatus)])):
        lines = [f"{what:<12}" + "".join(f"{column[:SHORT]:>{SHORT + 1}}" for column in columns)]
        for word in KINDS if what == OF_RUN else OF_STEPS:
            counts = [_shown(found, unreachable, (what, word, column)) for column in columns]
            lines.append(f"{word:<12}" + "".join(f"{shown:>{SHORT + 1}}" for shown in counts))
        halves.append("\n".join(lines))
    return "\n\n".join(halves)


def _shown(found: Counter[Cell], unreachable: set[Cell], cell: Cell) -> str:
    return str(found[cell] or ("-" if cell in unreachable else "."))
