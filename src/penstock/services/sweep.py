"""What fell due, was lost, or was left lying? Every worker looks; who comes second finds nothing to do."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.model.event import Ended
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure
from penstock.model.status import Outcome
from penstock.services import audit, stats
from penstock.services.commit import After
from penstock.services.core import Core
from penstock.services.fold import follow_up
from penstock.services.liveness import abandoned
from penstock.store import feed, inbox, limits, maintenance, queue, timers, workers
from penstock.store.port import Tx
from penstock.store.queue import Claim
from penstock.telemetry import Level

AT_ONCE = 100
LIMITS = "limits"
# Who began at the very moment of the word for maintenance may have been missed by it, and is looked for so long.
SETTLING = 60 * SECOND


def sweep(core: Core) -> int | None:
    """Ring what is due, rescue what was lost, fold and admit what waits; tells when the next thing falls due."""
    after = After(fold=set())
    after.fold |= ring(core)
    after.fold |= rescue(core)
    after.fold.update(core.store.read(lambda tx: inbox.runs_waiting(tx, AT_ONCE)))
    after.limits |= heal(core) | _waited_for(core)
    if after.fold or after.limits:
        follow_up(core, after)
    settle_maintenance(core)
    audit.seal_rarely(core)
    stats.sum_up_rarely(core)
    return _next_due(core)


def heal(core: Core) -> set[str]:
    """Free what is used by attempts and runs that are over; names the limits that have room by it."""
    before = core.clock.now() - core.knobs.lease
    if not core.store.read(lambda tx: limits.left_behind(tx, before)):
        return set()

    def work(tx: Tx) -> set[str]:
        over = {(one.run, one.step, one.attempt) for one in limits.left_behind(tx, before)}
        return {name for each in sorted(over) for name in limits.release(tx, *each)}

    return core.store.write(work)


def settle_maintenance(core: Core) -> None:
    """Find whose beginning crossed the word for maintenance, or for its end; nothing is written where nobody's did."""
    held, aside = core.store.read(lambda tx: (maintenance.every(tx), maintenance.aside(tx)))
    if aside and core.store.write(maintenance.bring_back):
        core.store.wake()
    if any(each.since > core.clock.now() - SETTLING for each in held):
        core.store.write(maintenance.put_aside)


def _waited_for(core: Core) -> set[str]:
    """Rates whose window has room by now, and some of the limits that are waited for, others each time."""
    lease_now, after = core.store.lease_now(), core.marks.get(LIMITS, "")
    free, names = core.store.read(lambda tx: (limits.free_by(tx, lease_now), limits.waiting_names(tx, AT_ONCE, after)))
    core.marks[LIMITS] = names[-1] if len(names) == AT_ONCE else ""
    return {*free, *names}


def _next_due(core: Core) -> int | None:
    rings, frees = core.store.read(lambda tx: (timers.next_at(tx), limits.next_free(tx)))
    if frees is None:
        return rings
    at = core.clock.now() + frees - core.store.lease_now()
    return at if rings is None else min(at, rings)


def ring(core: Core) -> set[str]:
    """Put what is due into its runs' inboxes, in the transaction that takes it from the timers."""
    now = core.clock.now()
    due = core.store.read(timers.next_at)
    if due is None or due > now:
        return set()

    def work(tx: Tx) -> set[str]:
        rung = timers.ring(tx, now, AT_ONCE)
        for run_id, event in rung:
            inbox.put(tx, run_id, event, now)
        return {run_id for run_id, _ in rung}

    return core.store.write(work)


def rescue(core: Core) -> set[str]:
    """Report as lost what workers held that are dead, and open to everybody what belonged to them alone."""
    dead = dead_workers(core)
    lost = core.store.read(lambda tx: [held for name in dead for held in queue.held(tx, name)])
    lost += [held for held in core.store.read(lambda tx: queue.lost(tx, _silent_since(core))) if held not in lost]
    gone = [owner for owner in core.store.read(queue.unknown_owners) if owner not in dead]
    if gone:
        core.store.write(lambda tx: queue.adopt(tx, gone))
        core.store.wake()
    return _bury(core, dead, lost)


def succeed(core: Core, worker: str) -> None:
    """Report as lost what a dead worker held whose name is taken up again."""
    lost = core.store.read(lambda tx: queue.held(tx, worker))
    follow_up(core, After(fold=_bury(core, [worker], lost)))


def dead_workers(core: Core) -> list[str]:
    """Workers whose lease has run out, or whose lock file on this machine nobody holds any more."""
    known: Sequence[workers.Worker] = core.store.read(workers.list_workers)
    before = _silent_since(core)
    return [worker.id for worker in known if worker.beat_at < before or abandoned(worker)]


def _bury(core: Core, dead: Sequence[str], lost: Sequence[Claim]) -> set[str]:
    if not dead and not lost:
        return set()
    now = core.clock.now()

    def work(tx: Tx) -> set[str]:
        touched = {held.run for held in lost if _give_up(tx, held, now)}
        queue.adopt(tx, dead)
        left = [name for name in dead if workers.leave(tx, name)]
        feed.append(tx, [(feed.LOST, name, 1) for name in left], now)
        return touched

    touched = core.store.write(work)
    for name in dead:
        core.notices.say("worker.lost", now, Level.WARNING, worker=name, attempts=sum(c.worker == name for c in lost))
    core.store.wake()
    return touched


def _silent_since(core: Core) -> int:
    return core.store.lease_now() - core.knobs.lease


def _give_up(tx: Tx, held: Claim, now: int) -> bool:
    """End a claim by its fence in the worker's stead; False when its report came first after all."""
    if not queue.give_back(tx, held.run, held.step, held.attempt, held.fence):
        return False
    failure = Failure(ErrorKind.LOST, f"The worker {held.worker} was lost.")
    event = Ended(
        step=held.step, attempt=held.attempt, outcome=Outcome.LOST, worker=held.worker,
        started_at=held.claimed_at, ended_at=now, failure=failure,
    )  # fmt: skip
    inbox.put(tx, held.run, event, now)
    feed.append(tx, [("claim", f"{held.run}/{held.step}", held.fence)], now)
    return True
