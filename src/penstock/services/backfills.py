"""How do people fill in what is missing? Runs for a span of dates or a list of inputs, seen before they start."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from penstock import expr
from penstock.engine import calendar
from penstock.engine.recurrence import EPOCH, MICROSECOND
from penstock.engine.values import duration_micros
from penstock.errors import PenstockError, nearest
from penstock.errors.run import InvalidInput, NothingToBackfill, UnknownBackfill
from penstock.model import ids
from penstock.model.access import Action, Scope
from penstock.model.backfill import Backfill, BackfillStatus, Item, ItemStatus, Planned, Spec
from penstock.model.flow import Flow
from penstock.model.plan import Plan
from penstock.model.status import RunStatus
from penstock.model.trigger import Interval, OnTime, Schedule
from penstock.services import runs as verbs
from penstock.services.access.audited import audited
from penstock.services.core import Core
from penstock.services.inputs import typed_inputs
from penstock.services.preview import scope
from penstock.services.render import calls_in, hide
from penstock.services.secrets.given import holding, sealed_for_later, starred_inputs, visible
from penstock.services.unanswered import repeat_unknown
from penstock.store import backfills as table
from penstock.store import feed, runs
from penstock.store.port import Tx

AT_ONCE: Final = 4
MOST: Final = 100_000
PAGE: Final = 500
LEFT: Final = (BackfillStatus.CANCELLED, BackfillStatus.DONE)


def preview(core: Core, plan: Plan, spec: Spec) -> tuple[Planned, ...]:
    """The runs that a backfill would start, in their order, with stars for secrets.

    Raises NothingToBackfill, InvalidInput, BadSchedule.
    """
    planned, used = _planned(core, plan, spec)
    return tuple(replace(one, inputs=visible(starred_inputs(plan.flow, one.inputs), used)) for one in planned)


def _planned(core: Core, plan: Plan, spec: Spec) -> tuple[tuple[Planned, ...], set[str]]:
    """The runs, and the secrets that the flow's own schedule has given some of them.

    What somebody asks for reaches nothing: who may start a flow must not read its secrets by that.
    """
    used: set[str] = set()
    flow, calls = plan.flow, calls_in(core, plan.flow.namespace, used)
    bare = expr.Calls(now=calls.now, version=calls.version, clock=calls.clock)
    rows = list(itertools.islice(_of_sets(spec) if spec.sets else _of_dates(core, flow, spec), MOST + 1))
    if len(rows) > MOST:
        raise NothingToBackfill(f"These are more than {MOST:,} runs.", hint="Ask for a shorter span.")
    found = []
    for name, variables, date, start, own in rows:
        around = scope(flow, variables["trigger"]) | variables
        try:
            given = {**_rendered(own, around, bare if spec.sets else calls), **_rendered(spec.inputs, around, bare)}
            typed_inputs(flow, given, calls, strict=True)
        except PenstockError as error:
            hide(error, used)
            raise InvalidInput(f"{name}: {error.sentence}", hint=error.hint) from None
        found.append(Planned(name=name, inputs=given, date=date, start=start, variables=variables["trigger"]))
    if spec.only_missing:
        done = _dates_done(core, flow, spec)
        found = [one for one in found if one.date not in done]
    if not found:
        raise NothingToBackfill("There is nothing to run.", hint="Look at the dates, and at what ran already.")
    return tuple(reversed(found) if spec.newest_first else found), used


def _rendered(tree: dict[str, object], around: dict[str, object], calls: expr.Calls) -> dict[str, object]:
    found = expr.render(tree, around, calls)
    assert isinstance(found, dict)
    return {str(name): value for name, value in found.items()}


def add(core: Core, plan: Plan, spec: Spec, by: str, *, at_once: int = AT_ONCE) -> Backfill:
    """Begin a backfill: a server starts its runs. Raises as `preview` does."""
    planned, used = _planned(core, plan, spec)
    said = [(each, ()) for each in (spec.inputs, *spec.sets)]
    sets = sealed_for_later(core, plan.flow, [*said, *((one.inputs, holding(one.inputs, used)) for one in planned)])
    kept = replace(spec, inputs=sets[0], sets=tuple(sets[1 : len(spec.sets) + 1]))
    items = [replace(one, inputs=own) for one, own in zip(planned, sets[len(spec.sets) + 1 :], strict=True)]
    return _add(core, plan, kept, by, at_once=at_once, planned=items)


@audited(
    Action.BACKFILLS_OPERATE,
    "backfills.add",
    "{plan.flow.name}",
    namespace="{plan.flow.namespace}",
    keeps=("spec", "at_once"),
)
def _add(core: Core, plan: Plan, spec: Spec, by: str, *, at_once: int, planned: Sequence[Planned]) -> Backfill:
    now = core.clock.now()
    made = Backfill(
        id=ids.run_id(now // 1000, core.entropy()),
        namespace=plan.flow.namespace,
        flow=plan.flow.id,
        revision=plan.flow.revision,
        status=BackfillStatus.RUNNING,
        at_once=at_once,
        total=len(planned),
        created_at=now,
        created_by=by,
        spec=spec,
    )

    def work(tx: Tx) -> None:
        table.add(tx, made, planned)
        feed.append(tx, [("backfill", made.id, 1)], now)

    repeat_unknown(core, lambda: core.store.write(work))
    return made


@audited(Action.BACKFILLS_OPERATE, "backfills.pause", "{backfill.id}", namespace="{backfill.namespace}")
def pause(core: Core, backfill: Backfill) -> Backfill:
    """Start no further runs until it is resumed; those that go may end. Raises UnknownBackfill."""
    return _moved(core, backfill.id, BackfillStatus.RUNNING, BackfillStatus.PAUSED)


@audited(
    Action.BACKFILLS_OPERATE, "backfills.resume", "{backfill.id}", namespace="{backfill.namespace}", keeps=("at_once",)
)
def resume(core: Core, backfill: Backfill, *, at_once: int | None = None) -> Backfill:
    """Go on starting runs, with another number at once where one is given. Raises UnknownBackfill."""
    return _moved(core, backfill.id, BackfillStatus.PAUSED, BackfillStatus.RUNNING, at_once=at_once)


@audited(
    Action.BACKFILLS_OPERATE, "backfills.cancel", "{backfill.id}", namespace="{backfill.namespace}", keeps=("kill",)
)
def cancel(core: Core, backfill: Backfill, by: str, *, kill: bool = False) -> Backfill:
    """Start no more of its runs, ever; with `kill` those that go are ended. Raises UnknownBackfill."""
    now = core.clock.now()

    def work(tx: Tx) -> Backfill:
        found = _locked(tx, backfill.id)
        if found.status in LEFT:
            return found
        table.leave(tx, backfill.id)
        fresh = replace(found, status=BackfillStatus.CANCELLED, ended_at=now)
        table.move(tx, fresh, found.status)
        feed.append(tx, [("backfill", found.id, now)], now)
        return fresh

    fresh = repeat_unknown(core, lambda: core.store.write(work))
    if kill:
        for item in core.store.read(lambda tx: table.items(tx, backfill.id, MOST, statuses=[ItemStatus.GOING])):
            verbs.kill(core, item.run, by)
    return fresh


@audited(Action.BACKFILLS_OPERATE, "backfills.retry", "{backfill.id}", namespace="{backfill.namespace}")
def retry(core: Core, backfill: Backfill) -> int:
    """Start anew what failed and what was left, and tell how many runs that is. Raises UnknownBackfill."""
    now = core.clock.now()

    def work(tx: Tx) -> int:
        found = _locked(tx, backfill.id)
        count = table.again(tx, backfill.id)
        if count:
            table.move(tx, replace(found, status=BackfillStatus.RUNNING, ended_at=None), found.status)
            feed.append(tx, [("backfill", found.id, now)], now)
        return count

    return repeat_unknown(core, lambda: core.store.write(work))


def get(core: Core, backfill_id: str) -> tuple[Backfill, dict[ItemStatus, int]]:
    """A backfill, and how many of its runs stand where. Raises UnknownBackfill."""
    return core.store.read(lambda tx: (_known(tx, backfill_id), table.counts(tx, backfill_id)))


def every(
    core: Core, scope: Scope, limit: int = 50, before: str = "", *, namespace: str = "", flow: str = ""
) -> list[tuple[Backfill, dict[ItemStatus, int]]]:
    """The newest backfills in a scope, with how many of their runs stand where."""

    def work(tx: Tx) -> list[tuple[Backfill, dict[ItemStatus, int]]]:
        found = table.list_backfills(tx, scope, limit, before, namespace=namespace, flow=flow)
        return [(one, table.counts(tx, one.id)) for one in found]

    return core.store.read(work)


def items(
    core: Core, backfill_id: str, limit: int = 100, after: int = 0, statuses: tuple[ItemStatus, ...] = ()
) -> list[Item]:
    """Its runs in their order, behind a number. Raises UnknownBackfill."""

    def work(tx: Tx) -> list[Item]:
        _known(tx, backfill_id)
        return table.items(tx, backfill_id, limit, after, statuses)

    return core.store.read(work)


Rows = Iterator[tuple[str, dict[str, Any], int | None, int | None, dict[str, object]]]


def _of_sets(spec: Spec) -> Rows:
    for number, one in enumerate(spec.sets, 1):
        yield f"set {number}", {"trigger": {"number": number}, "number": number}, None, None, one


def _of_dates(core: Core, flow: Flow, spec: Spec) -> Rows:
    if spec.begin is None or spec.end is None:
        raise NothingToBackfill("A backfill wants a first and a last date, or a list of inputs.")
    source, own = _source(flow, spec)
    around = calendar.Around(is_closed=core.calendars.of(source))
    for tick in calendar.ticks_after(source, spec.begin - 1, around):
        if tick.logical > spec.end:
            return
        if tick.skipped:
            continue
        date = tick.date.isoformat()
        short = f"{tick.date:%Y-%m-%d}" if tick.date.time().isoformat() == "00:00:00" else date
        variables = {"trigger": {"id": source.id, "type": source.type, "date": date}, "date": short}
        yield short, variables, tick.logical, calendar.micros(tick.start), own


def _source(flow: Flow, spec: Spec) -> tuple[OnTime, dict[str, object]]:
    """What says the dates, and which inputs it brings along: a schedule of the flow, or what was asked for."""
    if spec.every:
        about: dict[str, Any] = {"id": "backfill", "type": "backfill", "timezone": spec.timezone}
        if not spec.every.startswith("P"):
            return Schedule(cron=spec.every, seconds=len(spec.every.split()) == 6, **about), {}
        first = (EPOCH + (spec.begin or 0) * MICROSECOND).isoformat()
        return Interval(every=duration_micros(spec.every), anchor=first, **about), {}
    schedules = {each.id: each for each in flow.triggers if isinstance(each, OnTime)}
    if spec.trigger:
        if spec.trigger not in schedules:
            hint = nearest(spec.trigger, schedules) or f"It has: {', '.join(schedules) or 'none'}."
            raise NothingToBackfill(f'The flow {flow.name} has no schedule "{spec.trigger}".', hint=hint)
        return schedules[spec.trigger], dict(schedules[spec.trigger].inputs)
    if len(schedules) > 1:
        hint = "Name one of them, or say how often."
        raise NothingToBackfill(f"{flow.name} has several schedules: {', '.join(schedules)}.", hint=hint)
    for only in schedules.values():
        return only, dict(only.inputs)
    return Schedule(id="backfill", type="backfill", cron="@daily", timezone=spec.timezone), {}


def _dates_done(core: Core, flow: Flow, spec: Spec) -> set[int]:
    """The logical dates for which the flow has had a run that succeeded."""
    wanted = runs.Filter(namespace=flow.namespace, flow=flow.id, statuses=(RunStatus.SUCCESS, RunStatus.WARNING))
    done: set[int] = set()
    last = ""
    while page := core.store.read(partial(runs.list_runs, wanted=wanted, limit=PAGE, before_id=last)):
        last = page[-1].id
        done.update(run.logical_date for run in page if run.logical_date is not None)
    return done


def _moved(
    core: Core, backfill_id: str, was: BackfillStatus, status: BackfillStatus, *, at_once: int | None = None
) -> Backfill:
    now = core.clock.now()

    def work(tx: Tx) -> Backfill:
        found = _locked(tx, backfill_id)
        wanted = replace(found, at_once=at_once or found.at_once)
        fresh = replace(wanted, status=status) if found.status is was else wanted
        if fresh != found:
            table.move(tx, fresh, found.status)
            feed.append(tx, [("backfill", found.id, now)], now)
        return fresh

    return repeat_unknown(core, lambda: core.store.write(work))


def _locked(tx: Tx, backfill_id: str) -> Backfill:
    table.lock(tx, backfill_id)
    return _known(tx, backfill_id)


def _known(tx: Tx, backfill_id: str) -> Backfill:
    found = table.get(tx, backfill_id)
    if found is None:
        raise UnknownBackfill(f'There is no backfill "{backfill_id}".')
    return found


def counted(counts: Mapping[ItemStatus, int]) -> str:
    """How far it is, for people: `12 of 31 done, 2 failed, 4 going`."""
    total = sum(counts.values())
    said = [f"{counts.get(ItemStatus.SUCCESS, 0)} of {total} done"]
    said += [
        f"{counts[status]} {status}"
        for status in (ItemStatus.FAILED, ItemStatus.GOING, ItemStatus.LEFT)
        if counts.get(status)
    ]
    return ", ".join(said)
