"""What must hold after every tick? Read from the database itself, past the services that are under test."""

from __future__ import annotations

from collections import Counter

from penstock.engine.draft import OPEN
from penstock.model.effect import Work
from penstock.model.event import Admitted, Ended, Restart
from penstock.model.node import Task
from penstock.model.plan import Plan
from penstock.model.run import Run, Step
from penstock.model.status import RunStatus, StepStatus
from penstock.services.core import Core
from penstock.store import events, feed, inbox, limits, queue, runs, steps
from penstock.store.port import Tx
from tests.verified import check_verified


class Watcher:
    """Remembers what had ended, and checks one run or all of them."""

    def __init__(self, core: Core, plans: dict[str, Plan]) -> None:
        self._core = core
        self._store = core.store
        self._plans = plans
        self._ended_runs: dict[str, tuple[RunStatus, int]] = {}
        self._ended_steps: dict[tuple[str, str], tuple[StepStatus, int, int]] = {}
        self._versions: dict[str, int] = {}
        self._position = feed.resume(0)
        self._told: dict[str, int] = {}

    def look(self) -> None:
        """Check every run that there is."""
        self._store.read(self._look)

    def _look(self, tx: Tx) -> None:
        self._read_feed(tx)
        found = runs.list_runs(tx, runs.Filter(), limit=1000)
        for run in found:
            assert self._told[run.id] == run.version, f"a reader of the feed knows {run.id} as of {self._told[run.id]}"
            self._one_run(tx, run)
        self._limits(tx, found)

    def _one_run(self, tx: Tx, run: Run) -> None:
        plan = self._plans[run.flow]
        told = [event for event in events.every(tx, run.id) if event.accepted]
        restarts = sum(isinstance(event.event, Restart | Admitted) for event in told)  # a limit may hold a restart up
        rows = steps.every(tx, run.id)
        assert run.version >= self._versions.get(run.id, 0), "a version went back"
        self._versions[run.id] = run.version
        self._ended_stays(run, rows, restarts)
        _one_accepted(run, told)
        recount(plan, run, rows)
        _retries(plan, run, rows)
        held, ready = queue.claims_of(tx, run.id), queue.ready_of(tx, run.id)
        _nothing_outlives(run, rows, held, ready)
        if not run.status.ended:
            _something_is_due(tx, plan, run, rows, bool(held or ready))

    def _ended_stays(self, run: Run, rows: list[Step], restarts: int) -> None:
        before = self._ended_runs.get(run.id)
        if before is not None and before[1] == restarts:
            assert run.status is before[0], f"an ended run went from {before[0]} to {run.status}"
        if run.status.ended:
            self._ended_runs[run.id] = (run.status, restarts)
        for step in rows:
            was = self._ended_steps.get((run.id, step.key))
            if was is not None and was[2] == restarts:
                assert (step.status, step.attempt) == was[:2], f"ended {step.key} went from {was[0]} to {step.status}"
            if step.status.ended:
                self._ended_steps[run.id, step.key] = (step.status, step.attempt, restarts)

    def _read_feed(self, tx: Tx) -> None:
        """Follow the feed as any reader does, in small parts, and keep the newer version of each run."""
        while True:
            items, self._position = feed.read(tx, self._position, 0, limit=20)
            for item in items:
                if item.what == "run":
                    self._told[item.key] = max(self._told.get(item.key, 0), item.version)
            if not items:
                return

    def _limits(self, tx: Tx, found: list[Run]) -> None:
        for plan in self._plans.values():
            limit = plan.flow.limit
            if limit is None:
                continue
            used = limits.live(tx, plan.flow.name)
            going = [run for run in found if run.flow == plan.flow.id and run.status is not RunStatus.QUEUED]
            live = sum(not run.status.ended for run in going)
            assert live <= used <= limit.count, f"{plan.flow.name}: {live} runs go, {used} slots of {limit.count}"

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
                assert not step.status.open, f"{step.key} is still {step.status}"
        assert not limits.waiting_names(tx)
        assert not inbox.runs_waiting(tx)


def _one_accepted(run: Run, told: list[events.Told]) -> None:
    """At most one accepted end per attempt, and no accepted write under somebody else's fence."""
    ends = Counter((t.event.step, t.event.attempt) for t in told if isinstance(t.event, Ended))
    assert all(count == 1 for count in ends.values()), f"{run.id}: accepted twice: {ends.most_common(1)}"
    fences = Counter(t.fence for t in told if t.fence)
    assert all(count == 1 for count in fences.values()), "one fence, two accepted reports"


def recount(plan: Plan, run: Run, rows: list[Step]) -> None:
    """A group's counts are those of its children's rows, but for children that have no row because a decision is
    whole.
    """
    by_parent: dict[str, Counter[str]] = {}
    for step in rows:
        if plan.is_aside(step.key) or step.status is StepStatus.WAITING:
            continue
        word = OPEN if step.status.open else str(step.status)
        by_parent.setdefault(plan.parent_key(step.key), Counter())[word] += 1
    groups = {step.key: step.group for step in rows if step.group is not None} | {"": run.root}
    for key, state in groups.items():
        kept = {word: count for word, count in state.counts.items() if count}
        assert kept == dict(by_parent.get(key, {})), f"{key or 'root'} counts {kept}, rows {by_parent.get(key)}"
    assert run.open == sum(step.status.open for step in rows), "the run miscounts its open steps"


def _retries(plan: Plan, run: Run, rows: list[Step]) -> None:
    for step in rows:
        node = plan.node(step.node)
        if isinstance(node, Task) and node.retry is not None and node.retry.max_attempts is not None:
            assert step.tries <= node.retry.max_attempts, f"{step.key} was tried {step.tries} times"


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


def _something_is_due(tx: Tx, plan: Plan, run: Run, rows: list[Step], at_work: bool) -> None:
    """No orphan: a run that has not ended has something that will move it on."""
    if at_work or inbox.any_for(tx, run.id) or tx.one("timers.any_for", run_id=run.id):
        return
    if any(waiting.run == run.id for name in limits.waiting_names(tx) for waiting in limits.waiting(tx, name, 1000)):
        return
    children = [runs.load(tx, step.child) for step in rows if step.child and step.status.open]
    assert any(child is not None and not child.status.ended for child in children), f"nothing moves {run.id} on"
