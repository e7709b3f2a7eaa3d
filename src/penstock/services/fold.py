"""How do events that wait become state? In order, in batches, against the version; who loses looks again."""

from __future__ import annotations

from collections.abc import Callable

from penstock.engine import Loaded
from penstock.errors.run import UnknownRun
from penstock.errors.store import CommitUnknown, NewerEvent
from penstock.model.effect import SetTimer
from penstock.model.event import Ended, Evaluated
from penstock.model.policy import SECOND
from penstock.services import admission
from penstock.services.announce import announce
from penstock.services.batch import Batch, Recorded
from penstock.services.children import prepare_children
from penstock.services.commit import After, Result, commit
from penstock.services.core import Core
from penstock.services.reading import decide, hear, on_one_version
from penstock.store import inbox
from penstock.store.inbox import Received
from penstock.store.port import Tx
from penstock.telemetry import Level

MOST_TRIES = 20

Seen = Callable[[], bool | None]


def fold(core: Core, run_id: str) -> After:
    """Take every waiting event of a run into it, unless another process has the run: then that one looks again."""
    after = After(fold=set())
    for _ in range(MOST_TRIES):
        try:
            if not core.store.glance(lambda tx: inbox.any_for(tx, run_id)):
                return after
            result = _fold_once(core, run_id, after)
        except UnknownRun:
            # It was pruned between an operator's look at it and his word, which else every sweep would find for ever.
            core.store.write(lambda tx: inbox.forget(tx, run_id))
            return after
        except NewerEvent:
            return after  # a newer process must fold it
        except CommitUnknown:
            core.cache.forget()
            continue
        if result is Result.BUSY:
            return after
    after.fold.add(run_id)
    return after


def _fold_once(core: Core, run_id: str, after: After) -> Result:
    now, started = core.clock.now(), core.clock.steady()

    def decided(loaded: Loaded) -> Batch:
        batch = Batch(loaded)
        began = core.clock.steady()
        # Read after the run, never before: what another folded in between would be folded twice.
        received = core.store.glance(lambda tx: inbox.take(tx, run_id, core.knobs.fold_events))
        for waiting in received:
            hear(loaded, waiting.event)
            batch.take(recorded(waiting), decide(core, loaded, waiting.event, waiting.at))
            batch.folded.append(waiting.id)
            if core.clock.steady() - began > core.knobs.fold_budget:
                break
        return batch

    batch = on_one_version(core, run_id, decided)
    if not batch.folded:
        return Result.STALE
    batch.stow(core)
    prepare_children(core, batch, now)
    todo = After(fold=set())

    def work(tx: Tx) -> Result:
        todo.wake, todo.fold, todo.limits = False, set(), set()
        return commit(tx, batch, now, todo)

    result = core.store.write(work)
    if result is Result.WRITTEN:
        todo.fold.discard(run_id)  # this very loop looks again
        after.add(todo)
        keep(core, batch, started)
    return result


def recorded(waiting: Received) -> Recorded:
    """A waiting event as history will keep it; a worker's report keeps its fence."""
    match waiting.event:
        case Ended(worker=worker, fence=fence):
            return Recorded(waiting.event, waiting.at, worker, fence)
        case Evaluated(fence=fence):
            return Recorded(waiting.event, waiting.at, "", fence)
        case event:
            return Recorded(event, waiting.at)


def keep(core: Core, batch: Batch, started: int | None = None) -> None:
    """Remember the run as it was just committed, and tell who watches and who looks after time; where events were
    decided on, that was `started` at a steady instant.
    """
    due = [effect.at for effect in batch.effects if isinstance(effect, SetTimer)]
    if due:
        core.alarm.set(min(due))
    loaded: Loaded = batch.loaded
    loaded.run = batch.committed()
    loaded.heard.clear()
    core.cache.keep(loaded)
    announce(core, batch)
    if started is not None:
        seconds, now = (core.clock.steady() - started) / SECOND, core.clock.now()
        core.notices.say("run.folded", now, Level.DEBUG, run=loaded.run.id, events=len(batch.events), seconds=seconds)


def _waits(core: Core, run_id: str, seen: Seen) -> bool:
    found = seen()
    return core.store.glance(lambda tx: inbox.any_for(tx, run_id)) if found is None else found


def follow_up(core: Core, after: After, looked: tuple[str, Seen] | None = None) -> None:
    """After a commit: fold what it touched, let in who waits for what it freed, wake who sleeps. `looked` is the run
    that was committed, with what was seen behind COMMIT of its inbox.
    """
    wake = after.wake
    waiting = set(after.fold)
    if looked and looked[0] not in waiting and _waits(core, *looked):
        waiting.add(looked[0])
    names = set(after.limits)
    while waiting or names:
        if names:
            admitted = admission.admit(core, names)
            names = set()
            waiting |= admitted
            continue
        run_id = min(waiting)  # in an order of its own, so that what happens can be made to happen again
        waiting.remove(run_id)
        done = fold(core, run_id)
        wake = wake or done.wake
        waiting |= done.fold
        names |= done.limits
    if wake:
        core.store.wake()
