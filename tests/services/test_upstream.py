"""Do runs of other flows start runs: each status once, several within their window, and none for its own?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from msgspec.structs import replace

from penstock.model.access import EVERYWHERE
from penstock.model.flow import Flow
from penstock.model.inputs import Input
from penstock.model.node import Sequence, Task
from penstock.model.run import Run
from penstock.model.status import Outcome, RunStatus
from penstock.model.trigger import Condition, OnRuns, Upstream, Window, WindowKind
from penstock.services import flows, triggers
from penstock.services import runs as verbs
from penstock.services.scheduler import upstream
from penstock.services.scheduler.lead import Lead
from penstock.store import feed, positions, runs
from penstock.store.feed import Position
from penstock.store.port import Store
from tests.services.office import Office

MINUTE = 60_000_000
ENDS = (RunStatus.SUCCESS, RunStatus.WARNING, RunStatus.FAILED, RunStatus.KILLED)


class Desk:
    """An office whose scheduler looks at what became of runs."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.lead = Lead(office.core, "one")
        for name in ("load", "other"):
            self.push(Flow(id=name, namespace="shop", body=body(), labels={"team": "a"}))

    def push(self, written: Flow) -> None:
        flows.push(self.office.core, written, str(written), str(written))

    def waits(self, flow_id: str = "after", **given: Any) -> None:
        """Store a flow that waits for runs."""
        fields: dict[str, Any] = {"id": "up", "type": "io.kestra.plugin.core.trigger.Flow", "states": ENDS}
        inputs = (Input(id="who", type="STRING", required=False),)
        made = OnRuns(**(fields | given))
        self.push(Flow(id=flow_id, namespace="shop", body=body(), triggers=(made,), inputs=inputs))

    def run(self, flow_id: str, does: Outcome = Outcome.DONE) -> Run:
        """Let a flow run to its end."""
        core = self.office.core
        run_id = verbs.start(core, flows.newest_plan(core, "shop", flow_id), verbs.Start())
        self.office.work({"say": does})
        return self.office.run(run_id)

    def look(self) -> None:
        assert self.lead.seek()
        while upstream.fire(self.office.core, self.lead):
            pass

    def started(self, flow_id: str = "after") -> list[Run]:
        wanted = runs.Filter(flow=flow_id)
        return sorted(self.office.store.read(lambda tx: runs.list_runs(tx, wanted, 1_000)), key=lambda run: run.id)


class Meanwhile:
    """A store to which something happens once, between what is read and what is written."""

    def __init__(self, real: Store, act: Callable[[], object]) -> None:
        self._real = real
        self._acts = [act]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def write(self, work: Callable[..., Any]) -> Any:
        """Let it happen, and write."""
        if self._acts:
            self._acts.pop()()
        return self._real.write(work)


def body() -> Sequence:
    return Sequence(id="", nodes=(Task(id="say", type="log", properties={"message": "hello"}),))


def of(flow_id: str) -> tuple[Condition, ...]:
    return (Condition(test=f"{{{{ trigger.flowId == '{flow_id}' }}}}"),)


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


def test_the_end_of_a_run_starts_one_run_however_often_it_is_looked_at(desk: Desk) -> None:
    desk.waits(inputs={"who": "{{ trigger.executionId }}"}, labels={"from": "{{ trigger.flowId }}"})
    before = desk.run("load")
    desk.look()
    desk.look()

    (run,) = desk.started()
    assert run.inputs["who"] == before.id
    assert run.labels["from"] == "load"
    assert run.trigger["state"] == "SUCCESS"
    assert run.trigger["labels"] == {"team": "a"}
    assert run.started_by == "trigger up"


def test_what_ended_before_it_was_stored_does_not_start_it(desk: Desk) -> None:
    desk.run("load")
    desk.office.clock.advance(1)
    desk.waits()
    desk.look()

    assert desk.started() == []


def test_what_ends_between_two_looks_of_anybody_is_not_lost(desk: Desk) -> None:
    desk.waits()
    for _ in range(300):
        desk.run("load")
    desk.look()

    assert len(desk.started()) == 300


def test_a_flow_that_is_stored_while_the_feed_is_read_loses_no_end(desk: Desk) -> None:
    desk.waits()
    desk.run("load")
    core = desk.office.core
    written = flows.newest_plan(core, "shop", "after").flow
    store = Meanwhile(core.store, lambda: desk.push(replace(written, description="more")))
    assert desk.lead.seek()

    assert upstream.fire(core.through(cast("Store", store)), desk.lead)
    assert desk.started() == []
    desk.look()

    (run,) = desk.started()
    assert run.revision == written.revision + 1


def test_its_own_runs_start_nothing(desk: Desk) -> None:
    desk.waits()
    desk.run("after")
    desk.look()

    assert len(desk.started()) == 1


def test_conditions_and_states_pass_runs_over(desk: Desk) -> None:
    desk.waits(when=of("other"), states=(RunStatus.RUNNING, RunStatus.FAILED))
    desk.run("load")
    desk.run("other")
    desk.run("other", Outcome.FAILED)
    desk.look()

    assert [run.trigger["state"] for run in desk.started()] == ["RUNNING", "RUNNING", "FAILED"]


def test_a_run_that_is_restarted_ends_once_more(desk: Desk) -> None:
    desk.waits()
    failed = desk.run("load", Outcome.FAILED)
    desk.look()
    desk.office.clock.advance(MINUTE)
    verbs.restart(desk.office.core, failed.id, "ann")
    desk.office.work()
    desk.look()

    assert [run.trigger["state"] for run in desk.started()] == ["FAILED", "SUCCESS"]


def test_several_are_waited_for_within_a_window(desk: Desk) -> None:
    waits = tuple(Upstream(name=name, when=of(name)) for name in ("load", "other"))
    desk.waits(waits_for=waits, window=Window(kind=WindowKind.SLIDING, length=10 * MINUTE))
    desk.run("load")
    desk.look()
    desk.office.clock.advance(11 * MINUTE)
    desk.run("other")
    desk.look()
    assert desk.started() == []

    desk.office.clock.advance(MINUTE)
    desk.run("load")
    desk.look()
    desk.run("load")
    desk.look()

    (run,) = desk.started()
    assert run.trigger["flowId"] == "load"
    outputs = run.trigger["outputs"]
    assert isinstance(outputs, dict)
    assert set(outputs) == {"load", "other"}


def test_without_reset_each_further_run_within_the_window_fires(desk: Desk) -> None:
    waits = tuple(Upstream(name=name, when=of(name)) for name in ("load", "other"))
    desk.waits(waits_for=waits, reset=False)
    for name in ("load", "other", "load"):
        desk.run(name)
        desk.look()

    assert len(desk.started()) == 2


def test_some_of_several_may_be_enough(desk: Desk) -> None:
    waits = tuple(Upstream(name=name, when=of(name)) for name in ("load", "other"))
    desk.waits(waits_for=waits, least=1)
    desk.run("other")
    desk.look()

    assert len(desk.started()) == 1


def test_an_input_that_cannot_be_rendered_is_told(desk: Desk) -> None:
    desk.waits(inputs={"who": "{{ nowhere }}"})
    desk.run("load")
    desk.look()

    assert desk.started() == []
    (state,) = triggers.states(desk.office.core, EVERYWHERE)
    assert "nowhere" in state.known.problem


def test_a_trigger_that_is_off_waits_for_nothing(desk: Desk) -> None:
    desk.waits()
    triggers.switch(desk.office.core, "shop", "after", "up", "ann", on=False)
    desk.run("load")
    desk.look()
    desk.office.clock.advance(MINUTE)
    triggers.switch(desk.office.core, "shop", "after", "up", "ann", on=True)
    desk.look()
    assert desk.started() == []

    desk.run("load")
    desk.look()

    assert len(desk.started()) == 1


def test_who_leads_no_more_starts_nothing_and_the_next_one_does(desk: Desk) -> None:
    desk.waits()
    desk.look()
    desk.run("load")
    desk.office.clock.advance(MINUTE)
    other = Lead(desk.office.core, "two")
    assert other.seek()

    upstream.fire(desk.office.core, desk.lead)
    assert desk.started() == []
    while upstream.fire(desk.office.core, other):
        pass

    assert len(desk.started()) == 1


def test_nothing_is_read_when_nobody_waits(desk: Desk) -> None:
    desk.waits()
    desk.look()
    flows.remove(desk.office.core, "shop", "after")
    desk.look()

    assert desk.office.store.read(lambda tx: positions.get(tx, positions.OF_RUNS)) is None


def test_what_a_long_run_came_to_first_is_seen_with_its_end(desk: Desk) -> None:
    desk.waits(states=(RunStatus.RUNNING,))
    core = desk.office.core
    verbs.start(core, flows.newest_plan(core, "shop", "load"), verbs.Start())
    desk.office.clock.advance(180 * MINUTE)
    desk.office.work({"say": Outcome.DONE})

    desk.look()

    assert [run.trigger["state"] for run in desk.started()] == ["RUNNING"]


def test_a_row_that_appears_late_is_seen_though_the_clock_was_set_forward(desk: Desk) -> None:
    desk.waits()
    store = desk.office.store
    last = store.read(feed.head)
    holes = tuple((last + number, store.lease_now()) for number in range(1, 20))
    store.write(lambda tx: positions.put(tx, positions.OF_RUNS, Position(last + 20, holes)))
    desk.office.clock.set_wall(60 * MINUTE)
    desk.look()

    load = desk.run("load")
    desk.look()

    assert [run.trigger["executionId"] for run in desk.started()] == [load.id]
