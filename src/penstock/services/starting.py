"""How does a run begin? Inputs become values, the first decision is taken, and one transaction writes all of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from penstock.engine import Loaded
from penstock.errors.run import InvalidInput
from penstock.errors.store import StoreError
from penstock.model import ids
from penstock.model.event import Begin
from penstock.model.plan import Plan
from penstock.model.run import Failure, Run
from penstock.model.status import RunStatus
from penstock.services import checks, fold
from penstock.services.batch import Batch, Recorded
from penstock.services.children import prepare_children
from penstock.services.commit import After, Result, commit
from penstock.services.core import Core
from penstock.services.inputs import typed_inputs
from penstock.services.reading import decide
from penstock.services.render import calls_in
from penstock.services.secrets.given import hidden_around, sealed
from penstock.services.unanswered import repeat_unknown
from penstock.store import runs
from penstock.store.gathered import Gathered
from penstock.store.port import Tx
from penstock.telemetry import traces

SYSTEM: Final = "system."


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What a starter gives: inputs as text or values, labels, and where it has them a logical date and interval.

    `lane` is what the run's attempts share their turn with, where that is not its flow (a backfill, a trigger).
    `key` makes a repeated start safe: the same key answers with the same run. `owner` is a process that alone may do
    the run's work while it lives. `trace` is the starter's place in a trace, as a `traceparent`. `secrets`
    are names of inputs that hold one, whatever their types. Instants in microseconds.
    """

    inputs: dict[str, object] = {}
    labels: dict[str, str] = {}
    priority: int = 0
    lane: str = ""
    logical_date: int | None = None
    interval_start: int | None = None
    interval_end: int | None = None
    key: str = ""
    owner: str = ""
    by: str = ""
    trigger: dict[str, object] = {}
    trace: str = ""
    secrets: frozenset[str] = frozenset()


class Overtaken(Exception):
    """Somebody else started a run by the same key at the same moment: all is written again, one after the other."""


class Beginning(msgspec.Struct, frozen=True):
    """A run about to be written: all of it, its key, and what is to be written beside it."""

    batch: Batch
    key: str = ""
    beside: Callable[[Tx], None] | None = None

    @property
    def run(self) -> str:
        """The id that it will have."""
        return self.batch.loaded.run.id


def begin(core: Core, plan: Plan, asked: Start) -> Beginning:
    """Decide how a run begins. Raises InvalidInput, CheckUnmet."""
    reserved = [name for name in asked.labels if name.startswith(SYSTEM)]
    if reserved:
        raise InvalidInput(f'The label "{reserved[0]}" is the system\'s own; choose a name without "{SYSTEM}".')
    inputs = typed_inputs(plan.flow, asked.inputs, calls_in(core, plan.flow.namespace, set()), strict=True)
    return begun(core, plan, _run(core, plan, asked, inputs), asked.key)


def stillborn(core: Core, plan: Plan, asked: Start, failure: Failure) -> Beginning:
    """Decide how a run begins that fails at once: what should start it could not be made out."""
    run = _run(core, plan, asked, {})
    return _decided(core, Loaded(plan, run, every=True), Begin(asked.by, failure), asked.key)


def begun(core: Core, plan: Plan, run: Run, key: str) -> Beginning:
    """Decide how a run that nothing is known of yet begins."""
    loaded = Loaded(plan, run, every=True)
    judged = checks.judge(core, loaded)
    return _decided(core, loaded, Begin(run.started_by, judged.failure, judged.notes), key)


def insert(core: Core, several: Sequence[Beginning], let: Callable[[Tx], Container[str]] | None = None) -> list[str]:
    """Write runs in one transaction, and give their ids: where a key was said before, that of the run it made then.

    `let` is asked in that transaction which of them (by id) may be written, and may write besides.
    """
    for each in several:
        each.batch.stow(core)
        prepare_children(core, each.batch, each.batch.loaded.run.created_at)
    after = After(fold=set())

    def work(tx: Tx) -> list[bool]:
        after.wake, after.fold, after.limits = False, set(), set()
        wanted = let(tx) if let else None
        chosen = [each for each in several if wanted is None or each.run in wanted]
        new = _together(tx, chosen, after) if together else [each.run for each in chosen if _written(tx, each, after)]
        after.ring(tx)
        return [each.run in new for each in several]

    together = len(several) > 1 and not any(each.beside for each in several)
    try:
        written = repeat_unknown(core, lambda: core.store.write(work))
    except Overtaken:
        together = False
        written = repeat_unknown(core, lambda: core.store.write(work))
    for each, new in zip(several, written, strict=True):
        if new:
            fold.keep(core, each.batch)
    follow_up(core, after)
    return [each.run if new else _known(core, each) for each, new in zip(several, written, strict=True)]


def follow_up(core: Core, after: After) -> None:
    """Do at once what follows; what was asked for is committed, so where the store goes away now a sweep does it."""
    with contextlib.suppress(StoreError):
        fold.follow_up(core, after)


def _run(core: Core, plan: Plan, asked: Start, inputs: dict[str, object]) -> Run:
    now, flow = core.clock.now(), plan.flow
    run_id = ids.run_id(now // 1000, core.entropy())
    seen = hidden_around(flow, inputs, asked.secrets, {"labels": asked.labels, "trigger": asked.trigger})
    return Run(
        id=run_id,
        namespace=flow.namespace,
        flow=flow.id,
        revision=flow.revision,
        status=RunStatus.QUEUED,
        created_at=now,
        inputs=sealed(core, flow, inputs, asked.secrets),
        labels=flow.labels | seen["labels"] | {"system.correlationId": run_id},
        trigger=seen["trigger"],
        priority=asked.priority,
        lane=asked.lane,
        logical_date=asked.logical_date,
        interval_start=asked.interval_start,
        interval_end=asked.interval_end,
        owner=asked.owner,
        started_by=asked.by,
        trace=asked.trace if core.knobs.traces and traces.read(asked.trace) else "",
    )


def _decided(core: Core, loaded: Loaded, event: Begin, key: str) -> Beginning:
    now = loaded.run.created_at
    batch = Batch(loaded, new=True)
    batch.take(Recorded(event, now), decide(core, loaded, event, now))
    loaded.every = False  # what it held was everything only while nothing had begun
    return Beginning(batch, key)


def _together(tx: Tx, several: Sequence[Beginning], after: After) -> list[str]:
    """Write many runs with few questions, and give their ids. Raises Overtaken when one of their keys came up."""
    known = runs.known_keys(tx, [each.key for each in several if each.key])
    fresh = [each for each in several if each.key not in known]
    runs.insert_all(tx, [(replace(each.batch.loaded.run, version=0), each.key) for each in fresh])
    gathered = Gathered(tx)
    for each in fresh:
        commit(gathered, each.batch, each.batch.loaded.run.created_at, after)
    gathered.flush()
    ids_written = [each.run for each in fresh]
    if runs.how_many(tx, ids_written) != len(fresh):
        raise Overtaken
    return ids_written


def _written(tx: Tx, each: Beginning, after: After) -> bool:
    run = each.batch.loaded.run
    if not runs.insert(tx, replace(run, version=0), each.key):
        return False
    if each.beside is not None:
        each.beside(tx)
    return commit(tx, each.batch, run.created_at, after) is Result.WRITTEN


def _known(core: Core, each: Beginning) -> str:
    found = core.store.read(lambda tx: runs.by_key(tx, each.key)) if each.key else None
    return found or each.run
