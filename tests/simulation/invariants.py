"""What must hold after every tick? Read from the database itself, past the services that are under test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from penstock.model.effect import Work
from penstock.model.event import Admitted, Due, Ended, Mark, Restart, Timer, about
from penstock.model.plan import Plan
from penstock.model.run import Run, Step
from penstock.model.status import RunStatus, StepStatus
from penstock.services.core import Core
from penstock.store import events, feed, inbox, limits, queue, runs, standing, steps
from penstock.store.port import Tx
from tests.engine import rules
from tests.simulation.bounds import Bounds
from tests.simulation.promises import Promises
from tests.verified import check_verified

Place = tuple[str, str, int]


@dataclass(frozen=True)
class Shown:
    """A run as the store has it, for the rules that hold for any."""

    plan: Plan
    run: Run
    steps: dict[str, Step]
    timers: dict[tuple[str, int, Timer], int]


class Watcher:
    """Remembers what had ended, and checks one run or all of them."""

    def __init__(self, core: Core, plan_of: Callable[[Run], Plan], plans: list[Plan]) -> None:
        self._core = core
        self._store = core.store
        self._plan_of = plan_of
        self._bounds = Bounds(plans)
        self._promises = Promises()
        self._idle: set[str] = set()
        self._ready: set[Place] = set()
        self._waiting: set[str] = set()
        self._ended_runs: dict[str, tuple[RunStatus, int]] = {}
        self._ended_steps: dict[tuple[str, str], tuple[StepStatus, int, int]] = {}
        self._looked: dict[str, object] = {}
        self._versions: dict[str, int] = {}
        self._position = feed.resume(0)
        self._told: dict[str, int] = {}

    def after_tick(self, *, unhurt: bool, woken: bool) -> None:
        """Check what whoever did something in this tick owes to the others, unless a fault met him."""
        self._store.read(partial(self._after_tick, unhurt, woken))

    def _after_tick(self, unhurt: bool, woken: bool, tx: Tx) -> None:
        ready, waiting = everything_ready(tx), set(inbox.runs_waiting(tx, 1000))
        idle = self._bounds.idle(tx)
        if unhurt:
            assert idle <= self._idle, f"there is room behind {idle - self._idle}, and nobody was let in"
            assert woken or ready <= self._ready, f"{ready - self._ready} became ready, and nobody was woken"
            assert waiting <= self._waiting, f"{waiting - self._waiting} were told something, and nobody tried a fold"
        self._ready, self._waiting, self._idle = ready, waiting, idle

    def look(self) -> None:
        """Check every run that there is."""
        self._store.read(self._look)

    def _look(self, tx: Tx) -> None:
        self._read_feed(tx)
        found = runs.list_runs(tx, runs.Filter(), limit=1000)
        for run in found:
            assert self._told[run.id] == run.version, f"a reader of the feed knows {run.id} as of {self._told[run.id]}"
            self._one_run(tx, run)
        self._bounds.hold(tx, found, self._store.lease_now())

    def _one_run(self, tx: Tx, run: Run) -> None:
        held, ready = queue.claims_of(tx, run.id), queue.ready_of(tx, run.id)
        standing_now = (run.version, [(claim.fence, claim.killing) for claim in held], ready)
        if self._looked.get(run.id) == standing_now:
            return
        self._looked[run.id] = standing_now
        plan = self._plan_of(run)
        told = [event for event in events.every(tx, run.id) if event.accepted]
        # A limit may hold a restart up; a folder that is lost begins anew.
        operated = run.redone + sum(isinstance(event.event, Restart | Admitted | Mark) for event in told)
        rows = steps.every(tx, run.id)
        by_key = {step.key: step for step in rows}
        assert run.version >= self._versions.get(run.id, 0), "a version went back"
        self._versions[run.id] = run.version
        self._ended_stays(plan, run, rows, operated)
        _one_accepted(run, told)
        recount(plan, run, rows)
        self._promises.look(plan, run, rows, {event.event.step for event in told if isinstance(event.event, Mark)})
        _nothing_outlives(run, rows, held, ready)
        _nothing_begins_while_held(run, ready)
        _nobody_waits_in_vain(plan, run, by_key, limits.waits_of(tx, run.id))
        waits = inbox.every(tx, run.id)
        if not run.status.ended:
            _something_is_due(tx, run, rows, bool(held or ready or waits))
            self._wait_for_their_limits(tx, run, rows, waits)
        timers = standing.timers(tx, run.id)
        rung = [each.event for each in waits if isinstance(each.event, Due)]
        timers |= {(d.step, d.attempt, d.timer): by_key[d.step].due_at or 0 for d in rung if d.step in by_key}
        rules.hold(Shown(plan, run, by_key, timers))

    def _wait_for_their_limits(self, tx: Tx, run: Run, rows: list[Step], waits: list[inbox.Received]) -> None:
        """Whoever waits for limits stands in their line, or their answer is on its way."""
        answered = {about(each.event) for each in waits}
        in_line = {(one.step, one.attempt) for one in limits.waits_of(tx, run.id)}
        for step in rows:
            if step.waits_for and step.status.open and (step.key, step.attempt) not in answered:
                assert (step.key, step.attempt) in in_line, f"{step.key} waits for {step.waits_for} outside its line"

    def _ended_stays(self, plan: Plan, run: Run, rows: list[Step], operated: int) -> None:
        before = self._ended_runs.get(run.id)
        if before is not None and before[1] == operated:
            assert run.status is before[0], f"an ended run went from {before[0]} to {run.status}"
        if run.status.ended:
            self._ended_runs[run.id] = (run.status, operated)
        half_done = {step.key for step in rows if step.status is StepStatus.WAITING}
        for step in rows:
            was = self._ended_steps.get((run.id, step.key))
            if was is not None and was[2] == operated:
                assert (step.status, step.attempt) == was[:2], f"ended {step.key} went from {was[0]} to {step.status}"
            settled = step.status.ended and "#" not in step.key
            if settled and not half_done.intersection(plan.ancestors(step.key)):
                self._ended_steps[run.id, step.key] = (step.status, step.attempt, operated)
            else:
                self._ended_steps.pop((run.id, step.key), None)

    def _read_feed(self, tx: Tx) -> None:
        """Follow the feed as any reader does, in small parts, and keep the newer version of each run."""
        while True:
            items, self._position = feed.read(tx, self._position, 0, limit=20)
            for item in items:
                if item.what == "run":
                    self._told[item.key] = max(self._told.get(item.key, 0), item.version)
            if not items:
                return

    def at_rest(self) -> None:
        """Once faults have stopped and all has ended: nothing is left over, and a reader of the feed knows the
        newest.
        """
        self._store.read(self._at_rest)
        check_verified(self._core)

    def _at_rest(self, tx: Tx) -> None:
        self._read_feed(tx)
        for run in runs.list_runs(tx, runs.Filter(), limit=1000):
            assert run.status.ended, f"{run.id} is {run.status}"
            assert run.open == 0, f"{run.id} keeps {run.open} steps open"
            assert not queue.claims_of(tx, run.id)
            assert not queue.ready_of(tx, run.id)
            assert self._told[run.id] == run.version, "a reader of the feed does not end up with the newest version"
            for step in steps.every(tx, run.id):
                assert not step.status.open or "#" in step.key, f"{step.key} is still {step.status}"
            assert not limits.waits_of(tx, run.id), f"{run.id} still waits for limits"
            assert not standing.timers(tx, run.id), f"timers are left of {run.id}"
        assert not limits.waiting_names(tx)
        assert not limits.left_behind(tx, 1 << 62), "a slot outlives its attempt"
        assert not inbox.runs_waiting(tx)


def everything_ready(tx: Tx) -> set[Place]:
    """Every attempt that may be claimed, whoever's it is."""
    found = runs.list_runs(tx, runs.Filter(), limit=1000)
    return {(run.id, step, attempt) for run in found for step, attempt, _ in queue.ready_of(tx, run.id)}


def _one_accepted(run: Run, told: list[events.Told]) -> None:
    """At most one accepted end per attempt, and no accepted write under somebody else's fence."""
    ends = Counter((t.event.step, t.event.attempt) for t in told if isinstance(t.event, Ended))
    assert all(count == 1 for count in ends.values()), f"{run.id}: accepted twice: {ends.most_common(1)}"
    fences = Counter(t.fence for t in told if t.fence)
    assert all(count == 1 for count in fences.values()), "one fence, two accepted reports"


def recount(plan: Plan, run: Run, rows: list[Step]) -> None:
    """A group's counts are those of its children's rows, the run's those of all rows."""
    rules.recount(Shown(plan, run, {step.key: step for step in rows}, {}))


def _nothing_outlives(run: Run, rows: list[Step], held: list[queue.Claim], ready: list[tuple[str, int, Work]]) -> None:
    """What may be claimed is an open step's newest attempt; what is held beyond its step is flagged to be ended."""
    by_key = {step.key: step for step in rows}
    for key, attempt, _ in ready:
        if key:
            step = by_key[key]
            assert step.status.open, f"{key} is ready though {step.status}"
            assert step.attempt == attempt, f"{key}: attempt {attempt} is ready, {step.attempt} is the newest"
    for claim in held:
        if claim.step and not claim.killing:
            step = by_key[claim.step]
            late = run.status.ended and step.status.open
            assert step.status.open or late, f"{claim.step} is held though {step.status}"


def _nothing_begins_while_held(run: Run, ready: list[tuple[str, int, Work]]) -> None:
    """Of a run that is paused nothing can be claimed but the evaluation of its outputs."""
    if run.held_by and not run.status.ended:
        assert not [step for step, _, _ in ready if step], f"{run.id} is held by {run.held_by}, and {ready} are ready"


def _nobody_waits_in_vain(plan: Plan, run: Run, by_key: dict[str, Step], line: list[limits.Waiting]) -> None:
    """Who stands in line for a limit is the newest attempt of a step that is open, and may still begin."""
    for one in line:
        if one.step:
            step = by_key[one.step]
            assert step.status.open and step.attempt == one.attempt, (
                f"{one.step} is {step.status}, and waits for a limit"
            )
            killed = run.status is RunStatus.KILLING and not plan.is_after(one.step)
            assert not killed, f"{one.step} waits for a limit though its run is killed"


def _something_is_due(tx: Tx, run: Run, rows: list[Step], at_work: bool) -> None:
    """No orphan: a run that has not ended has something that will move it on, if only somebody's word."""
    if at_work or tx.one("timers.any_for", run_id=run.id):
        return
    if run.held_by or any(step.status is StepStatus.PAUSED for step in rows):
        return
    if any(waiting.run == run.id for name in limits.waiting_names(tx) for waiting in limits.waiting(tx, name, 1000)):
        return
    children = [_newest(tx, step.child) for step in rows if step.child and step.status.open]
    # One that has ended may be about to go on: a restarted run has sent it word.
    move = [child for child in children if child and (not child.status.ended or inbox.any_for(tx, child.id))]
    assert move, f"nothing moves {run.id} on"


def _newest(tx: Tx, run_id: str) -> Run | None:
    """The run itself, or the last one of those that took its place."""
    found = runs.load(tx, run_id)
    while found is not None and found.successor:
        found = runs.load(tx, found.successor)
    return found
