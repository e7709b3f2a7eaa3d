"""What does one transaction write? A batch whole: the run and all that follows, or nothing."""

from __future__ import annotations

import enum

import msgspec
from msgspec.structs import replace

from penstock.engine.replay import untouched
from penstock.model import ids
from penstock.model.effect import (
    Announce,
    AskLimit,
    Forget,
    KeepValues,
    KillChild,
    Produce,
    Ready,
    Recall,
    Release,
    SetTimer,
    StartAgain,
    StartChild,
    Tell,
    TellParent,
    Withdraw,
    Work,
)
from penstock.model.event import Begin, ChildEnded, Ended, Evaluated, Held, Kill, Restart, Timer
from penstock.model.node import Task
from penstock.model.run import ErrorKind, Failure, Run
from penstock.model.status import Outcome, RunStatus
from penstock.services.batch import Batch, ChildStart
from penstock.store import attempts, events, feed, inbox, limits, outputs, queue, runs, stats, steps, timers
from penstock.store.port import Tx


class Result(enum.Enum):
    """What became of a commit: written, another process has the run just now, or it has moved on since it was read."""

    WRITTEN = "written"
    BUSY = "busy"
    STALE = "stale"


class After(msgspec.Struct):
    """What is to be done once the transaction has been committed: wake workers, fold runs, ask limits."""

    wake: bool = False
    fold: set[str] = set()
    limits: set[str] = set()

    def add(self, other: After) -> None:
        """Do what the other asks for, too."""
        self.wake = self.wake or other.wake
        self.fold |= other.fold
        self.limits |= other.limits

    def ring(self, tx: Tx) -> None:
        """Wake workers with this very COMMIT, where nothing else is to be done before."""
        if self.wake and not (self.fold or self.limits):
            tx.wake()
            self.wake = False


def commit(tx: Tx, batch: Batch, now: int, after: After) -> Result:
    """Write a batch against the version its run was read at; `after` receives what then is to be done."""
    return barred(tx, batch) or write(tx, batch, now, after)


def barred(tx: Tx, batch: Batch) -> Result | None:
    """Lock a batch's run until the transaction ends; tells why it may not be written, or nothing where it may."""
    if batch.expected is not None:
        version = runs.lock(tx, batch.loaded.run.id)
        if version is None:
            return Result.BUSY
        if version != batch.expected:
            return Result.STALE
    return None


def write(tx: Tx, batch: Batch, now: int, after: After) -> Result:
    """Write a batch that nothing bars; `after` receives what then is to be done."""
    run = batch.loaded.run
    # What needs an answer comes first, so that all the rest goes to the database together.
    _free(tx, batch, after)
    if batch.expected is not None:
        runs.write(tx, run, batch.expected)
    steps.save(tx, run.id, batch.steps.values())
    events.append(tx, run.id, [(e.event, e.at, True, e.worker, e.fence) for e in batch.events])
    if batch.attempts:
        attempts.append(tx, run.id, batch.attempts)
    for made in batch.products:
        outputs.put(tx, made.run, made.step, made.attempt, made.body, made.uri)
    _act(tx, batch, run, now, after)
    if batch.folded:
        inbox.drop(tx, batch.folded)
    if run.status.ended:
        timers.clear(tx, run.id)
    stats.turn(tx, batch.before, run)
    feed.append(tx, [("run", run.id, batch.committed().version)], now)
    return Result.WRITTEN


def _free(tx: Tx, batch: Batch, after: After) -> None:
    """Give back the slots of attempts that have ended, however they did, and those of an ended run."""
    plan, run = batch.loaded.plan, batch.loaded.run
    if not plan.has_limits:
        return
    if run.status.ended:
        limits.unblock(tx, run.id)
        after.limits.update(limits.release(tx, run.id))
    for event in (each.event for each in batch.events):
        if isinstance(event, Ended) and event.step:
            node = plan.node(ids.node_of(event.step))
            if isinstance(node, Task) and node.limits:
                after.limits.update(limits.release(tx, run.id, event.step, event.attempt))


def _line_up(tx: Tx, batch: Batch, run: Run, now: int, after: After) -> None:
    """Let attempts be claimed: in the queue of their task, in the lane of their run, by whom they belong to."""
    ready: dict[tuple[str, str], list[tuple[str, int, Work]]] = {}
    for effect in batch.ready():
        node = batch.loaded.plan.node(ids.node_of(effect.step))
        name = node.queue if isinstance(node, Task) else queue.DEFAULT_QUEUE
        ready.setdefault((effect.worker or run.owner, name), []).append((effect.step, effect.attempt, effect.work))
    gate = run.namespace if ready and _begins(batch, run) else ""
    for (owner, name), several in ready.items():
        line = queue.Line(run.lane_name, name, batch.fronts, gate)
        queue.make_ready(tx, run.id, several, priority=run.priority, owner=owner, now=now, line=line)
        after.wake = True


def _begins(batch: Batch, run: Run) -> bool:
    """Whether a run, and no child of another, does its first steps by this batch."""
    first = batch.events[0].at if batch.events else 0
    new = run.parent is None and run.started_at is not None and run.started_at >= first
    return new and not any(isinstance(each.event, Ended | Evaluated | ChildEnded) for each in batch.events)


def _act(tx: Tx, batch: Batch, run: Run, now: int, after: After) -> None:
    """Write what the effects ask for; each kind is acted on here and nowhere else."""
    _line_up(tx, batch, run, now, after)
    for effect in batch.effects:
        match effect:
            case Withdraw():
                _withdraw(tx, run.id, effect, now, after)
            case SetTimer():
                timers.set_timer(tx, run.id, effect.step, effect.attempt, effect.timer, effect.at)
                after.wake = True
            case KillChild():
                inbox.put(tx, effect.run, Kill(effect.by, effect.force), now)
                after.fold.add(effect.run)
            case TellParent():
                up = effect.parent
                word = ChildEnded(up.step, up.attempt, run.id, effect.status, effect.failure, effect.first)
                inbox.put(tx, up.run, word, now)
                after.fold.add(up.run)
            case Recall():
                for step, attempt in queue.recall(tx, run.id):
                    inbox.put(tx, run.id, Held(step, attempt), now)
                    after.fold.add(run.id)
            case Forget():
                # Its outputs stay, beside its events: with both, what was decided by them can be decided again.
                steps.forget(tx, run.id, effect.iteration)
            case StartAgain():
                _start_again(tx, run, effect, now, after)
            case KeepValues():
                outputs.keep_values(tx, run.id, effect.step, effect.values)
            case AskLimit() if not effect.step and run.status.ended:
                pass  # it ended with what came behind, and nothing may let it in any more
            case AskLimit():
                who = limits.Waiter(
                    run=run.id, step=effect.step, attempt=effect.attempt, priority=run.priority, lane=run.lane_name,
                    since=now,
                )  # fmt: skip
                limits.block(tx, who, effect.wants)
                after.limits.update(want.name for want in effect.wants)
            case Release():
                after.limits.update(limits.release(tx, run.id, effect.step, effect.attempt))
            case Tell():
                inbox.put(tx, run.id, effect.event, now)
                after.fold.add(run.id)
            case Ready() | Produce() | Announce() | StartChild():
                pass  # written above and below, or by their products; the feed tells the status
    for child in batch.children:
        _start_child(tx, child, now, after)
        if child.run is not None:
            after.fold.add(child.run.id)
        if child.run is None or not child.asked.parent.wait:
            after.fold.add(run.id)


def _withdraw(tx: Tx, run_id: str, effect: Withdraw, now: int, after: After) -> None:
    """Take back what is ready, then flag what is held: in this order no claim in flight is missed."""
    for step, attempt in (*queue.withdraw(tx, run_id, effect.steps), *limits.withdraw(tx, run_id, effect.steps)):
        inbox.put(tx, run_id, Ended(step=step, attempt=attempt, outcome=Outcome.KILLED, ended_at=now), now)
        after.fold.add(run_id)
    if queue.flag(tx, run_id, effect.steps, effect.force):
        after.wake = True


def _start_again(tx: Tx, run: Run, effect: StartAgain, now: int, after: After) -> None:
    """Insert the run that takes this one's place, to begin at once or by a timer."""
    fresh = replace(
        untouched(run), id=effect.id, created_at=now, number=run.number + 1, origin=run.origin or run.id,
        parent=replace(run.parent, round=0) if run.parent else None, depth=run.depth,
        first_at=run.created_at if run.first_at is None else run.first_at,
    )  # fmt: skip
    if not runs.insert(tx, fresh):
        return
    if effect.at > now:
        timers.set_timer(tx, fresh.id, "", 0, Timer.BEGIN, effect.at)
        after.wake = True
    else:
        inbox.put(tx, fresh.id, Begin(by=f"run {run.id}"), now)
        after.fold.add(fresh.id)
    feed.append(tx, [("run", fresh.id, fresh.version)], now)


def _start_child(tx: Tx, child: ChildStart, now: int, after: After) -> None:
    """Insert the child run beside its parent's commit, to begin by an event of its own, or by a timer; or tell why
    there is none.
    """
    up, run = child.asked.parent, child.run
    if child.asked.again and _goes_on(tx, child.asked, now, after):
        return
    if run is None:
        failure = Failure(ErrorKind.SUBFLOW, child.problem)
        gone = ChildEnded(up.step, up.attempt, child.asked.id, RunStatus.FAILED, failure, started=False)
        inbox.put(tx, up.run, gone, now)
    elif runs.insert(tx, run):
        if child.asked.at > now and child.begin.failure is None:
            timers.set_timer(tx, run.id, "", 0, Timer.BEGIN, child.asked.at)
            after.wake = True
        else:
            inbox.put(tx, run.id, child.begin, now)
        feed.append(tx, [("run", run.id, run.version)], now)
        if not up.wait:
            inbox.put(tx, up.run, ChildEnded(up.step, up.attempt, run.id, run.status), now)


def _goes_on(tx: Tx, asked: StartChild, now: int, after: After) -> bool:
    """Let a child run that did not succeed, or the one that took its place, go on; False when it is gone."""
    found = runs.load(tx, asked.id)
    while found is not None and found.successor:
        found = runs.load(tx, found.successor)
    if found is None or not inbox.put(tx, found.id, Restart(f"run {asked.parent.run}", parent=asked.parent), now):
        return False
    after.fold.add(found.id)
    return True
