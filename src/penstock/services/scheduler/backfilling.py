"""How does a backfill go on? What has ended makes room, and the next of its runs start, in one transaction."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

import msgspec
from msgspec.structs import replace

from penstock.errors import PenstockError
from penstock.errors.store import StoreError
from penstock.model.backfill import Backfill, BackfillStatus, Item, ItemStatus
from penstock.model.inputs import is_sealed
from penstock.model.run import ErrorKind, Failure, Run
from penstock.model.status import RunStatus
from penstock.services import starting
from penstock.services.core import Core
from penstock.services.scheduler.lead import Lead
from penstock.services.secrets.given import opened_inputs
from penstock.services.starting import Beginning, Start
from penstock.store import backfills, feed
from penstock.store.port import Tx
from penstock.telemetry import Level

AT_ONCE: Final = 100
GOOD: Final = (RunStatus.SUCCESS, RunStatus.WARNING)


class Round(msgspec.Struct, frozen=True):
    """What one look at a backfill comes to: items that moved, runs that begin, and the backfill when it is over."""

    ended: tuple[Item, ...]
    begun: tuple[Item, ...]
    beginnings: tuple[Beginning, ...]
    done: bool


def at_work(core: Core) -> bool:
    """Whether any backfill starts runs."""
    return bool(core.store.read(backfills.at_work))


def fire(core: Core, lead: Lead) -> bool:
    """Let each backfill go on; False when nothing in any of them moved."""
    moved = [_safely_gone_on(core, lead, each) for each in core.store.read(backfills.at_work)]
    return any(moved)


def _safely_gone_on(core: Core, lead: Lead, backfill: Backfill) -> bool:
    """Let one go on; a fault of ours that it meets must not keep the others from that."""
    try:
        return _gone_on(core, lead, backfill)
    except StoreError:
        raise
    except Exception as fault:
        core.notices.say("scheduler.fault", core.clock.now(), Level.ERROR, backfill=backfill.id, why=repr(fault))
        return False


def _gone_on(core: Core, lead: Lead, backfill: Backfill) -> bool:
    def look(tx: Tx) -> tuple[list[tuple[Item, Run | None]], int, list[Item]]:
        over, counts = backfills.over(tx, backfill.id), backfills.counts(tx, backfill.id)
        going = counts.get(ItemStatus.GOING, 0) - sum(not _goes_on(run) for _, run in over)
        room = min(max(0, backfill.at_once - going), AT_ONCE) if backfill.status is BackfillStatus.RUNNING else 0
        return over, going, backfills.items(tx, backfill.id, room, statuses=[ItemStatus.WAITING]) if room else []

    over, going, waiting = core.store.read(look)
    beginnings = tuple(_begun(core, backfill, item) for item in waiting)
    begun = [
        replace(item, status=ItemStatus.GOING, run=made.run) for item, made in zip(waiting, beginnings, strict=True)
    ]
    done = backfill.status is BackfillStatus.RUNNING and not going and not waiting
    if not over and not begun and not done:
        return False
    ended = tuple(_ended(item, run) for item, run in over)
    return _written(core, lead, backfill, Round(ended, tuple(begun), beginnings, done))


def _written(core: Core, lead: Lead, backfill: Backfill, round_: Round) -> bool:
    now = core.clock.now()

    def let(tx: Tx) -> Container[str]:
        if not lead.say(tx):
            return ()
        # It may have been paused or cancelled since it was looked at: then nothing begins.
        runs_on = backfills.lock(tx, backfill.id) is BackfillStatus.RUNNING
        backfills.move_items(tx, (*round_.ended, *(round_.begun if runs_on else ())))
        if round_.done and runs_on and not backfills.items(tx, backfill.id, 1, statuses=[ItemStatus.WAITING]):
            backfills.move(tx, replace(backfill, status=BackfillStatus.DONE, ended_at=now), BackfillStatus.RUNNING)
        feed.append(tx, [("backfill", backfill.id, now)], now)
        return {each.run for each in round_.beginnings} if runs_on else ()

    starting.insert(core, round_.beginnings, let)
    return lead.leads


def _begun(core: Core, backfill: Backfill, item: Item) -> Beginning:
    """The run of an item. The key makes it one, whoever starts it."""
    planned = item.planned
    asked = Start(
        labels=backfill.spec.labels,
        lane=f"backfill {backfill.id}",
        logical_date=planned.date,
        interval_start=planned.start,
        interval_end=planned.date,
        key=f"backfill/{backfill.id}/{item.number}/{item.tries}",
        by=f"backfill {backfill.id}",
        trigger=planned.variables | {"backfill": backfill.id},
    )
    plan = core.plan(backfill.namespace, backfill.flow, backfill.revision)
    try:
        opened = opened_inputs(core, plan.flow, planned.inputs, set())
        secret = frozenset(name for name, value in planned.inputs.items() if is_sealed(value))
        asked = replace(asked, inputs=opened, secrets=secret)
        return starting.begin(core, plan, asked)
    except StoreError:
        raise
    except PenstockError as error:
        failure = Failure(ErrorKind.INPUT, f"The backfill {backfill.id}: {error}", None, error.code)
        return starting.stillborn(core, plan, asked, failure)


def _goes_on(run: Run | None) -> bool:
    """Whether another run has taken its place."""
    return run is not None and run.status is RunStatus.RETRIED and bool(run.successor)


def _ended(item: Item, run: Run | None) -> Item:
    if run is not None and _goes_on(run):
        return replace(item, run=run.successor)
    good = run is not None and run.status in GOOD
    return replace(item, status=ItemStatus.SUCCESS if good else ItemStatus.FAILED)
