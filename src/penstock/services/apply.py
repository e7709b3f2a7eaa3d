"""How does what a worker says become state? Report and fold: one transaction when nobody else has the run."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from penstock.engine import Loaded
from penstock.model.effect import Ready, Work
from penstock.model.event import Ended, Evaluated
from penstock.model.plan import Plan
from penstock.services import fold
from penstock.services.batch import Batch, Product, Recorded, product
from penstock.services.children import prepare_children
from penstock.services.commit import After, barred, write
from penstock.services.core import Core
from penstock.services.fold import Seen
from penstock.services.reading import decide, on_one_version
from penstock.services.unanswered import repeat_unknown
from penstock.store import events, inbox, outputs, queue
from penstock.store.port import Tx
from penstock.store.queue import Claim


class Said(enum.Enum):
    """What became of a report: folded, left for who has the run, said before, or refused by its fence."""

    FOLDED = "folded"
    LEFT = "left"
    BEFORE = "before"
    REFUSED = "refused"


Outputs = dict[str, object] | None
Report = tuple[Claim, Ended | Evaluated, Outputs]
InlineRunner = Callable[[Plan, Loaded, Ready], tuple[Ended, Outputs] | None]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A report as it goes through its transaction: the claim, the event as it is recorded, its outputs' row."""

    claim: Claim
    first: Recorded
    made: Outputs
    products: list[Product]


class Apart(Exception):  # a reason to report one by one, which never reaches people
    """One of several reports is refused, so what was decided on all of them together is void."""


def report(core: Core, claim: Claim, ended: Ended, made: Outputs, *, inline: InlineRunner | None = None) -> bool:
    """Give a claim back with what came of it, and decide what follows; False when it was refused.

    Refused means: the fence is not this claim's any more (the worker was thought dead). The story keeps a refused
    report, the state does not. `inline` does steps that became ready within the same transaction, for a few
    milliseconds.
    """
    return _report(core, [(claim, ended, made)], inline)


def report_together(core: Core, reports: Sequence[Report], inline: InlineRunner | None = None) -> None:
    """Give back several claims of one run in one transaction, as if they were reported one after the other."""
    if len(reports) > 1:
        try:
            _report(core, reports, inline)
            return
        except Apart:
            core.cache.take(reports[0][0].run)
    for one in reports:
        _report(core, [one], inline)


def report_evaluated(core: Core, claim: Claim, evaluated: Evaluated) -> bool:
    """Give back a claim that evaluated expressions, with their values; False when it was refused."""
    return _report(core, [(claim, evaluated, None)], None)


def _report(core: Core, reports: Sequence[Report], inline: InlineRunner | None) -> bool:
    now, started = core.clock.now(), core.clock.steady()
    sheets = [_sheet(core, one, now) for one in reports]
    run_id = sheets[0].claim.run

    def decided(loaded: Loaded) -> Batch:
        batch = Batch(loaded)
        for sheet in sheets:
            if sheet.made is not None:
                # They are not in the store yet, and what follows may ask for them: a condition, the flow's outputs.
                loaded.outputs[sheet.claim.step] = sheet.made
            batch.take(sheet.first, decide(core, loaded, sheet.first.event, now), sheet.made)
        if inline is not None:
            _run_inline(core, batch, inline, now)
        return batch

    batch = on_one_version(core, run_id, decided)
    batch.products[:0] = [made for sheet in sheets for made in sheet.products]
    batch.stow(core)
    prepare_children(core, batch, now)
    after = After(fold=set())

    def work(tx: Tx) -> tuple[Said, Seen]:
        after.wake, after.fold, after.limits = False, set(), set()
        held, bar = _give_back(tx, sheets), barred(tx, batch)
        seen = inbox.any_behind(tx, run_id)
        if not held():
            return _was_it_said(tx, sheets[0]), seen
        if bar is None:
            write(tx, batch, now, after)
            after.ring(tx)
            return Said.FOLDED, seen
        for sheet in sheets:
            _leave_for_fold(tx, sheet, now)
        after.fold = {run_id}
        return Said.LEFT, seen

    said, seen = repeat_unknown(core, lambda: core.store.write(work))
    if said is Said.FOLDED:
        fold.keep(core, batch, started)
    fold.follow_up(core, after, (run_id, seen))
    return said is not Said.REFUSED


def _sheet(core: Core, one: Report, now: int) -> Sheet:
    claim, event, made = one
    first = Recorded(replace(event, fence=claim.fence), now, claim.worker, claim.fence)
    products = [product(core, claim.run, claim.step, claim.attempt, made)] if made is not None else []
    return Sheet(claim, first, made, products)


def _give_back(tx: Tx, sheets: list[Sheet]) -> Callable[[], bool]:
    """End the claims with the next query; False when the only one was not held any more, Apart when one of several."""
    ended = queue.give_back_all(tx, sheets[0].claim.run, [sheet.claim.fence for sheet in sheets])

    def held() -> bool:
        if 1 < len(sheets) != ended():
            raise Apart
        return ended() == len(sheets)

    return held


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


def _was_it_said(tx: Tx, sheet: Sheet) -> Said:
    """The claim is gone: because this very report was committed before, or because somebody was faster."""
    claim, first = sheet.claim, sheet.first
    if events.accepted(tx, claim.run, claim.step, claim.attempt, claim.fence):
        return Said.BEFORE
    if any(waiting.event == first.event for waiting in inbox.take(tx, claim.run)):
        return Said.BEFORE
    events.append(tx, claim.run, [(first.event, first.at, False, claim.worker, claim.fence)])
    return Said.REFUSED


def _leave_for_fold(tx: Tx, sheet: Sheet, now: int) -> None:
    """Somebody else has the run: the report is accepted now and folded by whoever comes next."""
    for made in sheet.products:
        outputs.put(tx, made.run, made.step, made.attempt, made.body, made.uri)
    inbox.put(tx, sheet.claim.run, sheet.first.event, now)
