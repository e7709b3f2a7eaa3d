"""Does each date of a schedule start exactly one run, whoever leads, dies, stands still or comes back late?"""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from penstock.engine.recurrence import EPOCH
from penstock.errors.run import UnknownTrigger
from penstock.model.access import EVERYWHERE
from penstock.model.flow import Flow
from penstock.model.inputs import Input
from penstock.model.node import Sequence, Task
from penstock.model.run import Run
from penstock.model.status import Outcome, RunStatus
from penstock.model.trigger import Condition, Dates, Missed, Schedule
from penstock.services import flows, triggers
from penstock.services import runs as verbs
from penstock.services.scheduler import ticks
from penstock.services.scheduler.lead import LEASE, Lead
from penstock.store import flows as stored
from penstock.store import runs
from penstock.store import triggers as table
from tests.services.office import Office

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_700_000_040_000_000  # a whole minute


def schedule(**given: Any) -> Schedule:
    fields: dict[str, Any] = {"id": "every", "type": "io.kestra.plugin.core.trigger.Schedule", "cron": "* * * * *"}
    return Schedule(**(fields | given))


def flow(*given: Schedule | Dates, **more: Any) -> Flow:
    task = Task(id="say", type="log", properties={"message": "hello"})
    return Flow(id="load", namespace="shop", body=Sequence(id="", nodes=(task,)), triggers=given, **more)


class Server:
    """One server's look at time, by hand."""

    def __init__(self, office: Office, name: str = "one") -> None:
        self.core = office.core
        self.lead = Lead(office.core, name)

    def look(self) -> None:
        """What the scheduler does when it wakes."""
        if self.lead.seek():
            while ticks.fire(self.core, self.lead):
                pass


@pytest.fixture
def server(office: Office) -> Server:
    office.clock.set_wall(START - office.clock.steady())
    return Server(office)


def push(office: Office, written: Flow) -> None:
    flows.push(office.core, written, str(written), str(written))


def unreadable(flow_id: str) -> stored.Written:
    """A revision whose model is none."""
    return stored.Written(namespace="shop", id=flow_id, dialect="kestra", digest="d", source="", model="{}")


def started(office: Office) -> list[Run]:
    return sorted(office.store.read(lambda tx: runs.list_runs(tx, runs.Filter(), 1_000)), key=lambda run: run.id)


def dates(office: Office) -> list[str]:
    moments = [run.logical_date for run in started(office)]
    return [f"{EPOCH + datetime.timedelta(microseconds=at):%H:%M}" for at in moments if at is not None]


def test_a_schedule_fires_at_its_dates_from_when_it_is_first_seen(office: Office, server: Server) -> None:
    office.clock.advance(-30 * SECOND)
    push(office, flow(schedule(inputs={"day": "{{ trigger.date }}"}), inputs=(Input(id="day", type="STRING"),)))

    server.look()
    assert started(office) == []
    office.clock.advance(30 * SECOND)
    server.look()

    (run,) = started(office)
    assert run.logical_date == START
    assert run.trigger["date"] == run.inputs["day"] == "2023-11-14T22:14:00+00:00"
    assert run.started_by == "trigger every"


def test_nothing_is_fired_twice_however_often_it_is_looked_at(office: Office, server: Server) -> None:
    push(office, flow(schedule(side_by_side=True)))
    server.look()
    for _ in range(5):
        office.clock.advance(30 * SECOND)
        server.look()
        server.look()

    assert dates(office) == ["22:15", "22:16"]


def test_dates_wait_for_the_run_before_them_and_none_is_lost(office: Office, server: Server) -> None:
    push(office, flow(schedule()))
    server.look()
    for _ in range(3):
        office.clock.advance(MINUTE)
        server.look()
    assert dates(office) == ["22:15"]

    for count in range(1, 4):
        office.work()
        server.look()
        assert len(dates(office)) == min(count + 1, 3)

    assert dates(office) == ["22:15", "22:16", "22:17"]


def test_a_run_that_was_pruned_holds_nothing(office: Office, server: Server) -> None:
    push(office, flow(schedule()))
    server.look()
    (state,) = triggers.states(office.core, EVERYWHERE)
    office.store.write(lambda tx: table.put(tx, [replace(state, holds="gone")]))
    office.clock.advance(MINUTE)

    server.look()

    assert dates(office) == ["22:15"]


@pytest.mark.parametrize(
    ("missed", "wanted"),
    [
        (Missed.ALL, ["22:15", "22:20", "22:25", "22:30", "22:35"]),
        (Missed.LAST, ["22:30", "22:35"]),
        (Missed.NONE, ["22:35"]),
    ],
)
def test_dates_that_nobody_looked_at_are_made_good_as_the_schedule_says(
    office: Office, server: Server, missed: Missed, wanted: list[str]
) -> None:
    push(office, flow(schedule(cron="*/5 * * * *", side_by_side=True, missed=missed)))
    server.look()
    server.lead.close()
    office.clock.advance(17 * MINUTE + 30 * SECOND)

    other = Server(office, "two")
    other.look()
    office.clock.advance(5 * MINUTE)
    other.look()

    assert dates(office) == wanted


def test_a_date_that_is_too_late_is_left_out(office: Office, server: Server) -> None:
    push(office, flow(schedule(side_by_side=True, late=90 * SECOND)))
    server.look()
    office.clock.advance(3 * MINUTE)
    server.look()

    assert dates(office) == ["22:16", "22:17"]


def test_conditions_pass_dates_over(office: Office, server: Server) -> None:
    only = Condition(test="{{ trigger.date | date('mm') == '16' }}")
    push(office, flow(schedule(side_by_side=True, when=(only,))))
    server.look()
    office.clock.advance(4 * MINUTE)
    server.look()

    assert dates(office) == ["22:16"]


def test_what_cannot_be_rendered_is_a_run_that_failed(office: Office, server: Server) -> None:
    push(office, flow(schedule(inputs={"n": "{{ nowhere }}"})))
    server.look()
    office.clock.advance(MINUTE)
    server.look()

    (run,) = started(office)
    assert run.status is RunStatus.FAILED
    assert run.failure is not None
    assert "nowhere" in run.failure.message
    (state,) = triggers.states(office.core, EVERYWHERE)
    assert "nowhere" in state.known.problem


def test_a_trigger_that_meets_a_fault_of_ours_keeps_no_other_from_firing(office: Office, server: Server) -> None:
    push(office, flow(schedule(side_by_side=True)))
    push(office, replace(flow(schedule(side_by_side=True)), id="broken"))
    server.look()
    office.store.write(lambda tx: stored.push(tx, unreadable("broken"), START))
    (state,) = office.store.read(lambda tx: table.of_flow(tx, "shop", "broken"))
    office.store.write(lambda tx: table.put(tx, [replace(state, revision=2)]))
    office.clock.advance(MINUTE)

    server.look()

    assert dates(office) == ["22:15"]
    (state,) = office.store.read(lambda tx: table.of_flow(tx, "shop", "broken"))
    assert "fault" in state.known.problem
    assert state.next_at == START + MINUTE + ticks.PAUSE


def test_dates_that_are_written_down_come_once_each(office: Office, server: Server) -> None:
    written = Dates(id="two", type="dates", dates=("2023-11-14T22:15:00Z", "2023-11-14T22:14:30Z"), side_by_side=True)
    push(office, flow(written))
    server.look()
    office.clock.advance(10 * MINUTE)
    server.look()

    assert dates(office) == ["22:14", "22:15"]
    (state,) = triggers.states(office.core, EVERYWHERE)
    assert state.next_at is None


def test_a_run_whose_workers_died_holds_its_trigger_until_it_is_given_up(office: Office, server: Server) -> None:
    push(office, flow(schedule()))
    server.look()
    office.clock.advance(MINUTE)
    server.look()
    (run,) = started(office)

    died = 0
    while not office.run(run.id).status.ended:
        died += 1
        assert died < 10
        assert office.claim(f"worker {died}")
        office.clock.advance(2 * office.core.knobs.lease)
        office.sweep()
    server.look()

    assert office.run(run.id).status is RunStatus.FAILED
    assert dates(office)[:2] == ["22:15", "22:16"]


def test_of_two_servers_one_fires(office: Office, server: Server) -> None:
    other = Server(office, "two")
    push(office, flow(schedule(side_by_side=True)))
    server.look()
    other.look()
    office.clock.advance(MINUTE)

    for each in (server, other, server):
        each.look()

    assert dates(office) == ["22:15"]
    assert (server.lead.leads, other.lead.leads) == (True, False)


def test_another_leads_when_the_lease_has_run_out_and_the_first_changes_nothing(office: Office, server: Server) -> None:
    other = Server(office, "two")
    push(office, flow(schedule(side_by_side=True)))
    server.look()
    office.clock.advance(MINUTE + LEASE)
    assert other.lead.seek()

    assert not ticks.fire(server.core, server.lead)
    assert started(office) == []
    assert not server.lead.leads

    other.look()
    assert dates(office) == ["22:15"]


def test_who_stops_lets_another_lead_at_once(office: Office, server: Server) -> None:
    assert server.lead.seek()
    other = Lead(office.core, "two")
    assert not other.seek()

    server.lead.close()

    assert other.seek()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_step_of_the_wall_clock_doubles_nothing(office: Office, server: Server, hours: int) -> None:
    push(office, flow(schedule(side_by_side=True)))
    server.look()
    office.clock.advance(MINUTE)
    server.look()
    before = dates(office)

    office.clock.set_wall(START - office.clock.steady() + MINUTE + hours * 60 * MINUTE)
    server.look()
    office.clock.set_wall(START - office.clock.steady() + MINUTE)
    office.clock.advance(MINUTE)
    server.look()

    found = dates(office)
    assert before == ["22:15"]
    assert len(found) == len(set(found)) == (2 if hours < 0 else 61)


def test_a_trigger_that_is_switched_off_fires_nothing_and_counts_from_when_it_is_on_again(
    office: Office, server: Server
) -> None:
    push(office, flow(schedule(side_by_side=True)))
    server.look()
    triggers.switch(office.core, "shop", "load", "every", "ann", on=False)
    office.clock.advance(5 * MINUTE)
    server.look()
    assert started(office) == []

    triggers.switch(office.core, "shop", "load", "every", "ann", on=True)
    server.look()
    office.clock.advance(MINUTE)
    server.look()

    assert dates(office) == ["22:20"]
    with pytest.raises(UnknownTrigger, match='no trigger "evry"'):
        triggers.switch(office.core, "shop", "load", "evry", "ann", on=True)


def test_the_end_of_its_run_may_switch_it_off(office: Office, server: Server) -> None:
    push(office, flow(schedule(stop_after=(RunStatus.SUCCESS,))))
    server.look()
    office.clock.advance(MINUTE)
    server.look()
    office.work()
    office.clock.advance(MINUTE)
    server.look()

    assert dates(office) == ["22:15"]
    (state,) = triggers.states(office.core, EVERYWHERE)
    assert state.off_by.startswith("stopAfter")


def test_as_many_runs_of_it_go_as_it_says(office: Office, server: Server) -> None:
    push(office, flow(schedule(at_once=2)))
    server.look()
    for _ in range(4):
        office.clock.advance(MINUTE)
        server.look()
    assert dates(office) == ["22:15", "22:16"]

    office.work(most=1)
    office.clock.advance(ticks.PATIENCE)
    server.look()

    assert dates(office) == ["22:15", "22:16", "22:17"]


def test_what_depends_on_the_past_waits_until_the_run_before_was_a_success(office: Office, server: Server) -> None:
    push(office, flow(schedule(depends_on_past=True, side_by_side=True)))
    server.look()
    office.clock.advance(2 * MINUTE)
    server.look()
    office.work({"say": Outcome.FAILED})
    office.clock.advance(MINUTE)
    server.look()
    assert dates(office) == ["22:15"]
    (state,) = triggers.states(office.core, EVERYWHERE)
    assert "which is failed" in state.known.problem

    (failed,) = started(office)
    verbs.restart(office.core, failed.id, "ann")
    office.work()
    office.clock.advance(ticks.PATIENCE)
    server.look()

    assert dates(office) == ["22:15", "22:16"]


def test_a_new_revision_keeps_what_did_not_change_and_forgets_what_is_gone(office: Office, server: Server) -> None:
    push(office, flow(schedule(), schedule(id="other", cron="@hourly")))
    server.look()
    (kept, changed) = triggers.states(office.core, EVERYWHERE)

    push(office, flow(schedule(), schedule(id="other", cron="@daily"), description="more"))
    (same, anew) = triggers.states(office.core, EVERYWHERE)
    push(office, flow(schedule(), description="less"))
    left = triggers.states(office.core, EVERYWHERE)
    flows.remove(office.core, "shop", "load")

    assert same == replace(kept, revision=2, version=kept.version + 1)
    assert (changed.next_at, anew.next_at) == (START + 46 * MINUTE, triggers.AT_ONCE)
    assert [state.id for state in left] == ["every"]
    assert triggers.states(office.core, EVERYWHERE) == []
