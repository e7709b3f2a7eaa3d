"""Does what a worker sees for a trigger start exactly one run, whoever dies between the look and the run?"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from penstock.model.event import Ended
from penstock.model.status import Outcome, RunStatus
from penstock.model.trigger import Condition, OnRuns
from penstock.services import apply, flows, render, triggers
from penstock.services.scheduler import polling, upstream
from penstock.services.scheduler.lead import LEASE, Lead
from penstock.store import runs
from tests.services.looks import FOUND, MINUTE, Desk, polls
from tests.services.office import Office


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


def test_what_a_look_sees_starts_one_run_with_it(desk: Desk) -> None:
    desk.push(polls(inputs={"what": "{{ trigger.files }}"}, labels={"first": "{{ trigger.files[0] }}"}))
    desk.look(FOUND)
    desk.fire()

    (run,) = desk.started()
    assert run.trigger == {"id": "new", "type": "log", **FOUND}
    assert run.inputs["what"] == ["a.csv"]
    assert run.labels["first"] == "a.csv"
    assert run.started_by == "trigger new"
    assert desk.state().known.run == run.id


def test_a_look_that_sees_nothing_starts_nothing_and_is_gone(desk: Desk) -> None:
    desk.push(polls())

    assert desk.look() == ["look"]
    assert desk.every() == []


def test_looks_come_at_the_interval_and_not_while_its_run_goes_on(desk: Desk) -> None:
    desk.push(polls())

    assert desk.look(FOUND) == ["look"]
    assert desk.after(10) == ["say"]
    assert desk.after(20) == []
    assert desk.after(30) == ["look"]


def test_a_run_that_goes_on_holds_up_the_next_look_unless_they_may_go_side_by_side(desk: Desk) -> None:
    desk.push(polls())
    desk.look(FOUND)
    desk.office.clock.advance(2 * MINUTE)
    desk.fire()
    assert len(desk.every()) == 2

    desk.push(polls(side_by_side=True))
    desk.office.work()
    desk.look(FOUND)
    desk.office.clock.advance(2 * MINUTE)
    desk.fire()
    assert [run.flow for run in desk.every() if not run.status.ended] == ["load~new", "load"]


def test_looks_are_no_runs_that_people_see(desk: Desk) -> None:
    desk.push(polls())
    desk.fire()

    (look,) = desk.every()
    assert look.flow == "load~new"
    assert desk.started() == []
    assert desk.office.store.read(lambda tx: runs.briefs(tx, [look.id])) == []
    assert desk.office.store.read(runs.counts) == {}
    desk.office.work({"look": Outcome.SKIPPED})


def test_a_look_that_fails_is_told_and_the_next_comes_later_each_time(desk: Desk) -> None:
    desk.push(polls())
    desk.look(Outcome.FAILED)

    state = desk.state()
    assert state.known.problem.endswith("it fails")
    assert desk.after(119) == []
    assert desk.after(1, Outcome.FAILED) == ["look"]
    assert desk.after(239) == []
    assert desk.after(1, FOUND) == ["look"]
    assert desk.state().known.problem == ""
    assert desk.after(60) == ["say", "look"] or desk.after(1) == ["look"]


def test_a_look_that_fails_is_a_run_that_failed_where_that_is_wanted(desk: Desk) -> None:
    desk.push(polls(fails_run=True, stop_after=(RunStatus.FAILED,)))
    desk.look(Outcome.FAILED)

    (run,) = desk.started()
    assert run.status is RunStatus.FAILED
    assert desk.after(120) == []
    assert desk.state().off_by == f"stopAfter: run {run.id}"


def test_workers_of_its_queue_look(desk: Desk) -> None:
    desk.push(polls(queue="near"))
    desk.fire()

    assert desk.office.claim() == []
    (look,) = desk.every()
    assert not look.status.ended


def test_who_dies_between_the_look_and_its_run_doubles_and_loses_nothing(desk: Desk) -> None:
    desk.push(polls())
    desk.fire()
    desk.office.work({"look": FOUND})
    before = desk.state()
    stood_still = polling._judged(desk.office.core, before, desk.office.clock.now())

    desk.office.clock.advance(2 * LEASE)
    other = Lead(desk.office.core, "two")
    desk.fire(other)
    polling._written(desk.office.core, desk.lead, [stood_still], desk.office.clock.now())
    desk.fire(other)

    assert len(desk.started()) == 1


def test_a_look_whose_workers_died_is_given_up_and_another_comes(desk: Desk) -> None:
    office = desk.office
    desk.push(polls())
    desk.fire()
    first = desk.state().holds

    died = 0
    while desk.state().holds == first:
        died += 1
        assert died < 10
        assert office.claim(f"worker {died}")
        office.clock.advance(2 * office.core.knobs.lease)
        office.sweep()
        desk.fire()

    assert desk.state().known.problem
    assert desk.after(3_600, FOUND) == ["look"]
    assert len(desk.started()) == 1


def test_what_a_look_keeps_goes_to_the_next_one(desk: Desk) -> None:
    desk.push(polls())
    desk.fire()
    (claim,) = desk.office.claim()
    assert render.prepare(desk.office.core, claim).state == {}
    ended = Ended(step="look", attempt=1, outcome=Outcome.SKIPPED, worker="w", state={"seen": 3})
    apply.report(desk.office.core, claim, ended, None)
    desk.fire()

    desk.office.clock.advance(MINUTE)
    desk.fire()
    (claim,) = desk.office.claim()
    assert render.prepare(desk.office.core, claim).state == {"seen": 3}
    desk.office.end(claim, Outcome.SKIPPED)


def test_a_look_knows_the_flow_that_it_looks_for_and_its_variables(desk: Desk) -> None:
    said = "{{ flow.id }} {{ vars.folder }} {{ trigger.id }}"
    desk.push(polls(properties={"message": said}), variables={"folder": "in"})
    desk.fire()
    (claim,) = desk.office.claim()

    assert render.prepare(desk.office.core, claim).properties == {"message": "load in new"}
    desk.office.end(claim, Outcome.SKIPPED)


def test_conditions_pass_over_what_was_seen(desk: Desk) -> None:
    desk.push(polls(when=(Condition(test="{{ trigger.files | length > 1 }}"),)))
    desk.look(FOUND)
    assert desk.started() == []

    desk.after(60, {"files": ["a", "b"]})
    assert len(desk.started()) == 1


def test_what_cannot_be_made_out_is_a_run_that_failed(desk: Desk) -> None:
    desk.push(polls(inputs={"what": "{{ trigger.nothing }}"}))
    desk.look(FOUND)

    (run,) = desk.started()
    assert run.status is RunStatus.FAILED
    assert "nothing" in desk.state().known.problem


def test_it_stops_after_an_end_that_it_names(desk: Desk) -> None:
    desk.push(polls(stop_after=(RunStatus.FAILED,)))
    desk.look(FOUND)
    desk.office.work({"say": Outcome.FAILED})

    assert desk.after(60) == []
    assert desk.state().off_by.startswith("stopAfter")


def test_what_was_seen_while_it_was_switched_off_waits_until_it_is_on(desk: Desk) -> None:
    desk.push(polls())
    desk.fire()
    triggers.switch(desk.office.core, "shop", "load", "new", "ann", on=False)
    desk.office.work({"look": FOUND})
    desk.fire()
    assert desk.started() == []

    triggers.switch(desk.office.core, "shop", "load", "new", "ann", on=True)
    desk.fire()
    assert len(desk.started()) == 1


def test_a_look_for_a_trigger_that_is_gone_is_ended(desk: Desk) -> None:
    desk.push(polls())
    desk.fire()
    flows.remove(desk.office.core, "shop", "load")
    desk.office.sweep()

    assert desk.office.claim() == []
    (look,) = desk.every()
    assert look.status is RunStatus.KILLED


def test_a_changed_flow_looks_with_what_it_says_now(desk: Desk) -> None:
    desk.push(polls())
    desk.look()
    first = desk.state().known.looker
    desk.push(polls(), variables={"folder": "x"})

    assert desk.state().known.looker == first + 1
    assert desk.after(60) == ["look"]


def test_looks_fire_no_trigger_that_waits_for_runs(desk: Desk) -> None:
    waits = OnRuns(id="up", type="io.kestra.plugin.core.trigger.Flow", states=tuple(RunStatus))
    desk.push(waits, id="after")
    desk.push(polls())
    desk.look()
    desk.after(60, FOUND)
    while upstream.fire(desk.office.core, desk.lead):
        pass

    assert {str(run.trigger.get("flowId", "")) for run in desk.started()} == {"", "load"}


def test_a_script_fires_when_its_end_is_met_and_was_not_before(desk: Desk) -> None:
    kind = "io.kestra.plugin.scripts.shell.ScriptTrigger"
    desk.push(polls(type=kind, properties={"script": "exit 1", "exitCondition": "rows: [1-9]"}))
    ended = {"exitCode": 0, "vars": {"rows": 3}}

    desk.look(ended)
    desk.office.work()
    desk.after(60, ended)
    desk.after(60, {"exitCode": 0, "vars": {"rows": 0}})
    desk.after(60, ended)

    assert [run.trigger["vars"] for run in desk.started()] == [{"rows": 3}, {"rows": 3}]
    assert desk.started()[0].trigger["condition"] == "rows: [1-9]"
    assert replace(desk.state(), version=0).known.problem == ""
