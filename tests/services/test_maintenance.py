"""Does maintenance let no run begin, let those end that have begun, and lose none, on each database?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.model.policy import SECOND
from penstock.model.status import Outcome, RunStatus
from penstock.services import maintenance
from penstock.services.why import why
from penstock.store import maintenance as table
from penstock.store import queue
from penstock.store.maintenance import Held
from penstock.store.postgres.store import open_postgres
from tests.servers import database, postgres, server_folder
from tests.services.office import Office

__all__ = ["database", "postgres", "server_folder"]

TWO: list[object] = [{"a": {}}, {"b": {}}]


@pytest.fixture(params=["sqlite", "postgres"])
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An empty store with its services, on each database."""
    store = open_postgres(request.getfixturevalue("database")) if request.param == "postgres" else None
    made = Office(store=store)
    yield made
    made.close()


def status(office: Office, run_id: str) -> RunStatus:
    """Where a run stands."""
    return office.run(run_id).status


def aside(office: Office) -> list[str]:
    """The runs that stand aside."""
    return office.store.read(table.waiting)


def test_what_has_begun_ends_and_what_would_begin_waits_for_its_end(office: Office) -> None:
    plan = office.push(TWO)
    begun, ready = office.start(plan), office.start(plan)
    (held,) = office.claim()

    maintenance.begin(office.core, "", "ann", reason="new disk")
    office.clock.advance(SECOND)
    late = office.start(plan)
    office.end(held)
    office.work()

    assert held.run == begun
    assert [status(office, each) for each in (begun, ready, late)] == ["success", "running", "running"]
    assert aside(office) == sorted([ready, late])
    (told,) = why(office.core, office.run(late), "")
    assert (told.kind, told.queue) == ("maintenance", "default")
    assert "all is in maintenance, says ann (new disk)" in told.sentence

    assert maintenance.end(office.core, "")
    assert [claim.run for claim in office.claim(room=1)] == [ready]


def test_of_several_namespaces_only_the_named_one_and_those_below_it_wait(office: Office) -> None:
    plan = office.push(TWO)
    namespace = plan.flow.namespace

    maintenance.begin(office.core, f"{namespace}x", "ann")
    maintenance.begin(office.core, f"{namespace}.below", "ann")
    goes = office.start(plan)
    office.work()
    maintenance.begin(office.core, namespace, "ann")
    waits = office.start(plan)
    office.work()

    assert (status(office, goes), status(office, waits)) == (RunStatus.SUCCESS, RunStatus.RUNNING)
    assert not maintenance.end(office.core, "nowhere")
    assert maintenance.end(office.core, namespace)
    office.work()
    assert status(office, waits) is RunStatus.SUCCESS
    assert [each.namespace for each in maintenance.every(office.core)[0]] == [f"{namespace}.below", f"{namespace}x"]


def test_while_one_of_two_holds_it_still_waits(office: Office) -> None:
    plan = office.push(TWO)
    maintenance.begin(office.core, "", "ann")
    maintenance.begin(office.core, plan.flow.namespace, "bob")
    waits = office.start(plan)

    maintenance.end(office.core, "")
    office.sweep()

    assert aside(office) == [waits]
    maintenance.end(office.core, plan.flow.namespace)
    assert aside(office) == []


def test_the_kill_switch_ends_what_has_begun_and_keeps_what_has_not(office: Office) -> None:
    plan = office.push(TWO)
    begun = office.start(plan)
    (held,) = office.claim()
    waits = office.start(plan)

    killed = maintenance.begin(office.core, "", "ann", kill=True, force=True)
    (flagged,) = office.store.read(lambda tx: queue.flagged(tx, "w"))
    office.end(held, Outcome.KILLED)

    assert killed == [begun]
    assert flagged.killing == "force"
    assert (status(office, begun), status(office, waits)) == (RunStatus.KILLED, RunStatus.RUNNING)
    maintenance.end(office.core, "")
    office.work()
    assert status(office, waits) is RunStatus.SUCCESS


def test_who_crossed_the_word_is_found_by_a_sweep(office: Office) -> None:
    plan = office.push(TWO)
    missed = office.start(plan)
    now = office.clock.now()

    office.store.write(lambda tx: table.put(tx, Held("", now, "ann", "")))
    office.sweep()
    put_aside = aside(office)
    office.store.write(lambda tx: table.drop(tx, ""))
    office.sweep()

    assert put_aside == [missed]
    assert aside(office) == []


def test_a_child_of_a_run_that_has_begun_goes_on(office: Office) -> None:
    child = office.push([{"c": {}}], "child")
    begun = office.start(office.push([{"a": {}}, {"subflow s": {"flow": child.flow.id}}]))
    (held,) = office.claim()

    maintenance.begin(office.core, "", "ann")
    office.end(held)
    office.work()

    assert status(office, begun) is RunStatus.SUCCESS
    assert len(office.children(begun)) == 1
