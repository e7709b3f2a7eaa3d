"""How does what a worker says become state? Report and fold: one transaction when nobody else has the run."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from penstock.engine import Loaded
from penstock.errors.store import CommitUnknown
from penstock.model.effect import Ready, Work
from penstock.model.event import Ended, Evaluated
from penstock.model.plan import Plan
from penstock.services import fold
from penstock.services.batch import Batch, Product, Recorded, product
from penstock.services.children import prepare_children
from penstock.services.commit import After, Result, commit
from penstock.services.core import Core
from penstock.services.reading import decide, on_one_version
from penstock.store import events, inbox, outputs, queue
from penstock.store.port import Tx
from penstock.store.queue import Claim

T = TypeVar("T")


class Said(enum.Enum):
    """What became of a report: folded, left for who has the run, said before, or refused by its fence."""

    FOLDED = "folded"
    LEFT = "left"
    BEFORE = "before"
    REFUSED = "refused"


Outputs = dict[str, object] | None
InlineRunner = Callable[[Plan, Loaded, Ready], tuple[Ended, Outputs] | None]


def report(core: Core, claim: Claim, ended: Ended, made: Outputs, *, inline: InlineRunner | None = None) -> bool:
    """Give a claim back with what came of it, and decide what follows; False when it was refused.

    Refused means: the fence is not this claim's any more (the worker was thought dead). The story keeps a refused
    report, the state does not. `inline` does steps that became ready within the same transaction, for a few
    milliseconds.
    """
    return _report(core, claim, ended, made, inline)


def report_evaluated(core: Core, claim: Claim, evaluated: Evaluated) -> bool:
    """Give back a claim that evaluated expressions, with their values; False when it was refused."""
    return _report(core, claim, evaluated, None, None)


def _report(core: Core, claim: Claim, event: Ended | Evaluated, made: Outputs, inline: InlineRunner | None) -> bool:
    now = core.clock.now()
    event = replace(event, fence=claim.fence)
    first = Recorded(event, now, claim.worker, claim.fence)
    mine = [product(core, claim.run, claim.step, claim.attempt, made)] if made is not None else []

    def decided(loaded: Loaded) -> Batch:
        batch = Batch(loaded)
        if made is not None:
            # They are not in the store yet, and what follows may ask for them: a condition, the flow's outputs.
            loaded.outputs[claim.step] = made
        batch.take(first, decide(core, loaded, event, now), made)
        if inline is not None:
            _run_inline(core, batch, inline, now)
        return batch

    batch = on_one_version(core, claim.run, decided)
    batch.products[:0] = mine
    batch.stow(core)
    prepare_children(core, batch, now)
    after = After(fold=set())

    def work(tx: Tx) -> Said:
        after.wake, after.fold, after.limits = False, set(), set()
        if not queue.give_back(tx, claim.run, claim.step, claim.attempt, claim.fence):
            return _was_it_said(tx, claim, first)
        if commit(tx, batch, now, after) is Result.WRITTEN:
            return Said.FOLDED
        _leave_for_fold(tx, claim, event, mine, now)
        after.fold = {claim.run}
        return Said.LEFT

    said = repeat_unknown(core, lambda: core.store.write(work))
    if said is Said.FOLDED:
        fold.keep(core, batch)
    fold.follow_up(core, after, looked_at=claim.run)
    return said is not Said.REFUSED


def _run_inline(core: Core, batch: Batch, inline: InlineRunner, now: int) -> None:
    """Do what became ready and is cheap within this very batch, as long as the budget lasts."""
    began = core.clock.steady()
    while core.clock.steady() - began < core.knobs.inline_budget:
        for ready in batch.ready():
            if ready.work is Work.TASK and (done := inline(batch.loaded.plan, batch.loaded, ready)) is not None:
                break
        else:
            return
        ended, made = done
        batch.consume(ready)
        if made is not None:
            batch.products.append(product(core, batch.loaded.run.id, ended.step, ended.attempt, made))
            batch.loaded.outputs[ended.step] = made
        at = core.clock.now()
        recorded = Recorded(ended, at, ended.worker)
        batch.take(recorded, decide(core, batch.loaded, ended, at), made)


def _was_it_said(tx: Tx, claim: Claim, first: Recorded) -> Said:
    """The claim is gone: because this very report was committed before, or because somebody was faster."""
    if events.accepted(tx, claim.run, claim.step, claim.attempt, claim.fence):
        return Said.BEFORE
    if any(waiting.event == first.event for waiting in inbox.take(tx, claim.run)):
        return Said.BEFORE
    events.append(tx, claim.run, [(first.event, first.at, False, claim.worker, claim.fence)])
    return Said.REFUSED


def _leave_for_fold(tx: Tx, claim: Claim, event: Ended | Evaluated, mine: list[Product], now: int) -> None:
    """Somebody else has the run: the report is accepted now and folded by whoever comes next."""
    for made in mine:
        outputs.put(tx, made.run, made.step, made.attempt, made.body, made.uri)
    inbox.put(tx, claim.run, event, now)


def repeat_unknown(core: Core, write: Callable[[], T]) -> T:
    """Write, and when the answer to COMMIT was lost, look by writing again: fences and keys tell what was done."""
    while True:
        try:
            return write()
        except CommitUnknown:
            core.cache.forget()
