"""Is each message that somebody listens for one run, and is nobody heard whose trigger is off, gone or another?"""

from __future__ import annotations

import pytest

from penstock.errors.task import Refused
from penstock.model.status import Outcome, RunStatus
from penstock.model.trigger import Condition, Listening
from penstock.services import firing, triggers
from tests.services.looks import FOUND, SECOND, Desk, polls
from tests.services.office import Office


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


def test_who_listens_is_started_again_and_ended_when_it_is_switched_off(desk: Desk) -> None:
    desk.push(Listening(id="new", type="log", properties={"message": "listen"}))
    desk.fire()
    (first,) = desk.every()
    triggers.switch(desk.office.core, "shop", "load", "new", "ann", on=False)
    desk.office.sweep()
    desk.fire()
    assert [run.status for run in desk.every()] == [RunStatus.KILLED]

    triggers.switch(desk.office.core, "shop", "load", "new", "ann", on=True)
    desk.fire()
    going = [run for run in desk.every() if not run.status.ended]
    assert len(going) == 1
    assert going[0].id != first.id

    desk.office.work({"look": Outcome.FAILED})
    desk.fire()
    assert desk.state().known.problem
    desk.office.clock.advance(2 * SECOND)
    desk.fire()
    assert len([run for run in desk.every() if not run.status.ended]) == 1
    desk.push(Listening(id="new", type="log", properties={"message": "elsewhere"}))
    desk.office.sweep()
    assert all(run.status.ended for run in desk.every())
    desk.fire()
    assert len([run for run in desk.every() if not run.status.ended]) == 1


def test_each_message_is_one_run_however_often_it_is_heard(desk: Desk) -> None:
    desk.push(Listening(id="new", type="log", properties={}, labels={"of": "{{ trigger.value }}"}))
    desk.fire()
    (look,) = desk.every()
    core = desk.office.core

    first = firing.heard(core, look, {"value": "a"}, "orders/0/1")
    again = firing.heard(core, look, {"value": "a"}, "orders/0/1")
    other = firing.heard(core, look, {"value": "b"}, "orders/0/2")

    assert first == again
    assert [(run.id, run.labels["of"]) for run in desk.started()] == [(first, "a"), (other, "b")]
    assert desk.state().known.run == other


def test_who_listens_for_what_is_switched_off_or_was_replaced_starts_nothing(desk: Desk) -> None:
    desk.push(Listening(id="new", type="log", properties={}, when=(Condition(test="{{ trigger.value > 1 }}"),)))
    desk.fire()
    (look,) = desk.every()
    core = desk.office.core
    assert firing.heard(core, look, {"value": 1}, "1") is None

    triggers.switch(core, "shop", "load", "new", "ann", on=False)
    with pytest.raises(Refused):
        firing.heard(core, look, {"value": 2}, "2")
    triggers.switch(core, "shop", "load", "new", "ann", on=True)
    desk.office.sweep()
    desk.fire()
    with pytest.raises(Refused):
        firing.heard(core, look, {"value": 2}, "2")
    assert desk.started() == []


def test_who_listens_is_switched_off_by_an_end_that_is_named(desk: Desk) -> None:
    desk.push(Listening(id="new", type="log", properties={}, stop_after=(RunStatus.FAILED,)))
    desk.fire()
    (look,) = desk.every()
    core = desk.office.core
    first = firing.heard(core, look, {}, "1")
    desk.office.work({"say": Outcome.FAILED, "look": Outcome.SNOOZED}, most=2)

    with pytest.raises(Refused):
        firing.heard(core, look, {}, "2")
    desk.office.sweep()

    assert [run.id for run in desk.started()] == [first]
    assert desk.state().off_by == f"stopAfter: run {first}"
    assert desk.office.run(look.id).status.ended


def test_a_run_that_no_trigger_looks_by_fires_nothing(desk: Desk) -> None:
    desk.push(polls(side_by_side=True))
    desk.look(FOUND)
    (run,) = desk.started()

    with pytest.raises(Refused):
        firing.heard(desk.office.core, run, {}, "1")


def test_a_look_that_has_fired_by_itself_holds_up_the_next_one(desk: Desk) -> None:
    desk.push(polls())
    desk.fire()
    (look,) = desk.every()
    desk.office.clock.advance(1_000)
    firing.heard(desk.office.core, look, FOUND, "1")
    desk.office.work({"look": Outcome.SKIPPED}, most=1)
    desk.fire()

    (run,) = desk.started()
    assert desk.state().holds == run.id
    assert len(desk.every()) == 2, "what it stored is kept with it"
