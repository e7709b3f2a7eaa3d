"""Does a backfill start each of its runs once, at most so many at once, and does it stop, go on and try again?"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from penstock.errors.run import InvalidInput, NothingToBackfill, UnknownBackfill
from penstock.model.access import EVERYWHERE
from penstock.model.backfill import Backfill, BackfillStatus, ItemStatus, Planned, Spec
from penstock.model.flow import Flow
from penstock.model.inputs import Input
from penstock.model.node import Sequence, Task
from penstock.model.run import Run
from penstock.model.status import Outcome
from penstock.model.trigger import Schedule
from penstock.services import backfills, flows
from penstock.services import runs as verbs
from penstock.services.scheduler import backfilling
from penstock.services.scheduler.lead import Lead
from penstock.services.scheduler.loop import Scheduler
from penstock.store import backfills as table
from penstock.store import runs
from tests.services.office import Office

DAY = 86_400_000_000
FIRST = 1_451_606_400_000_000  # 2016-01-01
MONTH = Spec(begin=FIRST, end=FIRST + 30 * DAY, inputs={"day": "{{ date }}"})
INPUTS = (Input(id="day", type="DATE"),)


class Desk:
    """An office with a flow whose days are filled in."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.core = office.core
        self.lead = Lead(office.core, "one")
        self.push()

    def push(self, *triggers: Schedule, inputs: tuple[Input, ...] = INPUTS) -> None:
        body = Sequence(id="", nodes=(Task(id="say", type="log", properties={"message": "hello"}),))
        written = Flow(id="load", namespace="shop", body=body, inputs=inputs, triggers=triggers)
        flows.push(self.core, written, str(written), str(written))

    def add(self, spec: Spec = MONTH, **more: Any) -> Backfill:
        plan = flows.newest_plan(self.core, "shop", "load")
        return backfills.add(self.core, plan, spec, "ann", **more)

    def names(self, spec: Spec) -> list[str]:
        return [one.name for one in backfills.preview(self.core, flows.newest_plan(self.core, "shop", "load"), spec)]

    def look(self) -> None:
        assert self.lead.seek()
        while backfilling.fire(self.core, self.lead):
            pass

    def runs(self) -> list[Run]:
        found = self.office.store.read(lambda tx: runs.list_runs(tx, runs.Filter(), 1_000))
        return sorted(found, key=lambda run: run.id)

    def standing(self, made: Backfill) -> tuple[BackfillStatus, dict[ItemStatus, int]]:
        found, counts = backfills.get(self.core, made.id)
        return found.status, counts


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


def test_every_day_of_a_span_runs_once_at_most_so_many_at_once(desk: Desk) -> None:
    made = desk.add(at_once=3)
    most = 0
    for _ in range(40):
        desk.look()
        desk.look()
        most = max(most, sum(not run.status.ended for run in desk.runs()))
        desk.office.work(most=2)
    desk.look()

    found = desk.runs()
    assert most == 3
    assert [run.inputs["day"] for run in found] == [f"2016-01-{day:02}" for day in range(1, 32)]
    assert [run.logical_date for run in found] == [FIRST + day * DAY for day in range(31)]
    assert {run.lane for run in found} == {f"backfill {made.id}"}
    assert desk.standing(made) == (BackfillStatus.DONE, {ItemStatus.SUCCESS: 31})


def test_what_failed_is_tried_again_and_nothing_else(desk: Desk) -> None:
    made = desk.add(at_once=100)
    desk.look()
    desk.office.work({"say": [Outcome.FAILED] + [Outcome.DONE] * 40})
    desk.look()
    assert desk.standing(made) == (BackfillStatus.DONE, {ItemStatus.SUCCESS: 30, ItemStatus.FAILED: 1})

    assert backfills.retry(desk.core, made) == 1
    desk.look()
    desk.office.work()
    desk.look()

    assert len(desk.runs()) == 32
    assert desk.standing(made) == (BackfillStatus.DONE, {ItemStatus.SUCCESS: 31})
    assert backfills.counted(desk.standing(made)[1]) == "31 of 31 done"


def test_one_that_is_paused_starts_nothing_until_it_is_resumed(desk: Desk) -> None:
    made = desk.add(at_once=2)
    desk.look()
    backfills.pause(desk.core, made)
    desk.office.work()
    desk.look()
    assert desk.standing(made) == (BackfillStatus.PAUSED, {ItemStatus.SUCCESS: 2, ItemStatus.WAITING: 29})

    backfills.resume(desk.core, made, at_once=5)
    desk.look()

    assert sum(not run.status.ended for run in desk.runs()) == 5


@pytest.mark.parametrize("kill", [False, True])
def test_one_that_is_cancelled_starts_nothing_more(desk: Desk, kill: bool) -> None:
    made = desk.add(at_once=2)
    desk.look()
    backfills.cancel(desk.core, made, "ann", kill=kill)
    desk.office.work()
    desk.look()

    ended = ItemStatus.FAILED if kill else ItemStatus.SUCCESS
    assert desk.standing(made) == (BackfillStatus.CANCELLED, {ended: 2, ItemStatus.LEFT: 29})


def test_who_leads_no_more_starts_nothing(desk: Desk) -> None:
    desk.add()
    desk.look()
    desk.office.work()
    desk.office.clock.advance(60_000_000)
    other = Lead(desk.core, "two")
    assert other.seek()

    backfilling.fire(desk.core, desk.lead)
    assert len(desk.runs()) == 4
    while backfilling.fire(desk.core, other):
        pass

    assert len(desk.runs()) == 8


def test_one_whose_flow_cannot_be_found_keeps_nothing_else_from_going_on(desk: Desk) -> None:
    told: list[str] = []
    desk.core.notices.subscribe(lambda notice: told.append(notice.name))
    made = desk.add()
    backfills.cancel(desk.core, made, "ann")
    lost = replace(made, id="lost", revision=99)
    desk.office.store.write(lambda tx: table.add(tx, lost, [Planned(name="2016-01-01")]))
    plan = flows.newest_plan(desk.core, "shop", "load")
    run_id = verbs.start(desk.core, plan, verbs.Start(inputs={"day": "2016-01-01"}))
    desk.office.claim()
    desk.office.clock.advance(60_000_000)
    scheduler = Scheduler(desk.core, "one")

    scheduler.turn()

    assert "scheduler.fault" in told
    assert len(desk.office.claim("other")) == 1, "what a dead worker held is swept up all the same"
    assert not desk.office.run(run_id).status.ended


def test_its_dates_are_those_of_the_flows_schedule(desk: Desk) -> None:
    desk.push(
        Schedule(
            id="weekly", type="schedule", cron="0 6 * * 1", inputs={"day": "{{ trigger.date | date('yyyy-MM-dd') }}"}
        )
    )
    made = desk.add(Spec(begin=FIRST, end=FIRST + 30 * DAY), at_once=10)
    desk.look()

    assert [run.inputs["day"] for run in desk.runs()] == ["2016-01-04", "2016-01-11", "2016-01-18", "2016-01-25"]
    assert made.total == 4


def test_other_dates_may_be_asked_for(desk: Desk) -> None:
    spec = Spec(begin=FIRST, end=FIRST + DAY, every="PT12H", inputs={"day": "2016-01-01"})
    assert desk.names(spec) == ["2016-01-01", "2016-01-01T12:00:00+00:00", "2016-01-02"]
    monthly = Spec(begin=FIRST, end=FIRST + 60 * DAY, every="@monthly", inputs=MONTH.inputs, newest_first=True)
    assert desk.names(monthly) == ["2016-03-01", "2016-02-01", "2016-01-01"]


def test_sets_of_inputs_take_the_place_of_dates(desk: Desk) -> None:
    desk.add(Spec(sets=({"day": "2016-02-01"}, {"day": "2016-02-03"})))
    desk.look()

    assert [run.inputs["day"] for run in desk.runs()] == ["2016-02-01", "2016-02-03"]


def test_days_that_have_run_well_may_be_left_out(desk: Desk) -> None:
    desk.add(Spec(begin=FIRST, end=FIRST + 2 * DAY, inputs=MONTH.inputs))
    desk.look()
    desk.office.work({"say": [Outcome.DONE, Outcome.FAILED, Outcome.DONE]})

    again = Spec(begin=FIRST, end=FIRST + 3 * DAY, inputs=MONTH.inputs, only_missing=True)

    assert desk.names(again) == ["2016-01-02", "2016-01-04"]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (Spec(begin=FIRST, end=FIRST - DAY), "nothing to run"),
        (Spec(), "a first and a last date"),
        (Spec(begin=FIRST, end=FIRST, trigger="nightly"), 'no schedule "nightly"'),
    ],
)
def test_what_cannot_be_is_told_before_anything_starts(desk: Desk, spec: Spec, told: str) -> None:
    with pytest.raises(NothingToBackfill, match=told):
        desk.names(spec)


def test_inputs_that_do_not_fit_are_told_with_their_date(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="2016-01-01: "):
        desk.add(Spec(begin=FIRST, end=FIRST, inputs={"day": "soon"}))


def test_lists_are_by_scope_and_what_is_not_there_is_told(desk: Desk) -> None:
    made = desk.add()

    assert [one.id for one, _ in backfills.every(desk.core, EVERYWHERE, flow="load")] == [made.id]
    assert backfills.every(desk.core, EVERYWHERE, namespace="other") == []
    with pytest.raises(UnknownBackfill):
        backfills.get(desk.core, "nothing")
