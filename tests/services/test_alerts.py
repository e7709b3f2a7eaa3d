"""Is somebody told once when something goes wrong, and once when it is over, on each database?"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from penstock.errors.api import MayNot
from penstock.errors.run import UnknownFlow
from penstock.model.access import EVERYWHERE, Actor, Grant
from penstock.model.flow import Flow
from penstock.model.node import Sequence, Task
from penstock.model.policy import SECOND
from penstock.model.status import Outcome
from penstock.model.trigger import Missed, Schedule
from penstock.services import alerts, flows, sweep
from penstock.services.scheduler import alerting, ticks
from penstock.services.scheduler.lead import Lead
from penstock.store import runs
from penstock.store.alerts import Alert, Watches
from penstock.store.postgres.store import open_postgres
from penstock.store.sqlite.store import open_sqlite
from tests.servers import database, postgres, server_folder
from tests.services.office import Office

__all__ = ["database", "postgres", "server_folder"]


@pytest.fixture(params=["sqlite", "postgres"])
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An empty store with its services, on each database."""
    store = open_postgres(request.getfixturevalue("database")) if request.param == "postgres" else None
    made = Office(store=store)
    yield made
    made.close()


def rule(office: Office, watches: Watches, *, namespace: str = "", patience: int = 0) -> Alert:
    """A rule that is kept, with the flow that tells."""
    office.push(["tell"], "tell")
    made = Alert(
        id="mine", namespace=namespace, watches=watches, patience=patience, tells_namespace="tests", tells="tell",
        made_at=office.clock.now(), made_by="ann",
    )  # fmt: skip
    alerts.add(office.core, made)
    return made


def look(office: Office) -> None:
    """Let the leader look, a while later."""
    office.clock.advance(3 * SECOND)
    lead = Lead(office.core, "one")
    assert lead.seek()
    alerting.fire(office.core, lead)
    lead.close()
    office.core.marks.clear()


def told(office: Office) -> list[tuple[object, object]]:
    """What was told, in its order."""
    found = office.store.read(lambda tx: runs.page(tx, EVERYWHERE, runs.Filter(flow="tell"), 50))
    return [((run.trigger or {}).get("state"), (run.trigger or {}).get("object")) for run in reversed(found)]


def test_a_flow_that_fails_is_told_of_once_until_it_succeeds(office: Office) -> None:
    rule(office, Watches.FAILED)
    look(office)
    plan = office.push(["a"], "story")
    for outcome in (Outcome.FAILED, Outcome.FAILED):
        office.start(plan)
        office.work({"a": outcome})
        look(office)
        look(office)
    first = told(office)
    office.start(plan)
    office.work()
    look(office)
    look(office)

    assert first == [("firing", "tests.story")]
    assert told(office) == [*first, ("resolved", "tests.story")]
    assert alerts.every(office.core)[1] == []


def test_what_tells_never_tells_of_itself_and_other_namespaces_are_no_matter(office: Office) -> None:
    rule(office, Watches.FAILED)
    look(office)
    office.start(office.push(["tell"], "tell"))
    office.work({"tell": Outcome.FAILED})
    look(office)
    rule(office, Watches.FAILED, namespace="elsewhere")
    office.start(office.push(["a"], "story"))
    office.work({"a": Outcome.FAILED})
    look(office)

    assert {state for state, _ in told(office)} == {None}


def test_a_run_that_takes_too_long_is_told_of_and_that_it_has_ended(office: Office) -> None:
    rule(office, Watches.LATE, patience=60 * SECOND)
    run_id = office.start(office.push(["a"], "story"))
    look(office)
    early = told(office)
    office.clock.advance(60 * SECOND)
    look(office)
    look(office)
    late = told(office)
    office.work()
    look(office)

    assert (early, late) == ([], [("firing", run_id)])
    assert told(office) == [("firing", run_id), ("resolved", run_id)]


def test_nobody_takes_over_a_rule_of_others_or_has_it_start_what_is_not_theirs(office: Office) -> None:
    made = rule(office, Watches.FAILED)
    editor = office.core.asked_by(Actor(name="eve", grants=(Grant("editor", "shop"),)))
    own = replace(made, id="own", namespace="shop")

    with pytest.raises(MayNot):
        alerts.add(editor, own)
    with pytest.raises(MayNot):
        alerts.add(editor, replace(made, namespace="shop"))
    both = Actor(name="eve", grants=(Grant("editor", "shop"), Grant("operator", "tests")))
    with pytest.raises(MayNot):
        alerts.add(office.core.asked_by(both), replace(made, namespace="shop"))
    alerts.add(office.core.asked_by(both), own)

    assert [(each.id, each.namespace) for each in alerts.every(office.core)[0]] == [("mine", ""), ("own", "shop")]


def test_a_rule_wants_a_flow_and_can_be_tried_and_forgotten(office: Office) -> None:
    made = rule(office, Watches.BEHIND)

    tried = alerts.test(office.core, made)
    wrong = Alert(
        id="x", namespace="", watches=Watches.LATE, patience=0, tells_namespace="tests", tells="none", made_at=0,
        made_by="ann",
    )  # fmt: skip
    with pytest.raises(UnknownFlow):
        alerts.add(office.core, wrong)

    assert office.run(tried).flow == "tell"
    assert not alerts.remove(office.core, "mine", "elsewhere")
    assert alerts.remove(office.core, "mine", "")
    assert alerts.every(office.core) == ([], [])


def test_a_flow_that_misses_a_service_level_is_told_of_until_a_run_keeps_it(office: Office) -> None:
    rule(office, Watches.BREACHED)
    look(office)
    plan = office.push({"tasks": ["a"], "sla": [{"id": "soon", "duration": 60 * SECOND}]}, "story")
    office.start(plan)
    look(office)
    early = told(office)
    office.clock.advance(61 * SECOND)
    sweep.sweep(office.core)
    look(office)
    look(office)
    office.work()
    look(office)
    late = told(office)
    office.start(plan)
    office.work()
    look(office)

    assert (early, late) == ([], [("firing", "tests.story")])
    assert told(office) == [*late, ("resolved", "tests.story")]


def test_a_worker_that_is_found_gone_is_told_of_until_another_has_come(office: Office) -> None:
    rule(office, Watches.LOST)
    look(office)
    office.worker("gone")
    office.clock.advance(office.core.knobs.lease + SECOND)
    office.store.write(lambda tx: tx.run("workers.beat", id="gone", at=0, status="running"))
    sweep.sweep(office.core)
    look(office)
    look(office)
    gone = told(office)
    office.clock.advance(SECOND)
    office.worker("new")
    look(office)

    assert gone == [("firing", "gone")]
    assert told(office) == [*gone, ("resolved", "gone")]


def test_a_date_that_is_missed_for_good_is_told_of_until_the_trigger_fires(office: Office) -> None:
    rule(office, Watches.MISSED)
    look(office)
    every = Schedule(id="every", type="schedule", cron="* * * * *", missed=Missed.NONE, side_by_side=True)
    task = Task(id="say", type="log", properties={"message": "hello"})
    load = Flow(id="load", namespace="shop", body=Sequence(id="", nodes=(task,)), triggers=(every,))
    flows.push(office.core, load, "load", "load")
    fire(office)
    office.clock.advance(600 * SECOND)
    fire(office)
    look(office)
    look(office)
    missed = told(office)
    office.clock.advance(30 * SECOND)
    fire(office)
    office.clock.advance(30 * SECOND)
    fire(office)
    look(office)

    assert missed == [("firing", "shop.load/every")]
    assert told(office) == [*missed, ("resolved", "shop.load/every")]


def fire(office: Office) -> None:
    """Let a server that has just begun to lead fire what is due."""
    lead = Lead(office.core, "one")
    assert lead.seek()
    lead.since = office.clock.now() - 90 * SECOND
    while ticks.fire(office.core, lead):
        pass
    lead.close()


def test_rules_of_the_version_before_are_looked_at_until_they_change(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    office = Office(store=open_sqlite(str(path)))
    office.push(["tell"], "tell")
    with contextlib.closing(sqlite3.connect(path)) as session:
        session.execute("INSERT INTO alerts VALUES ('old', '', 'failed', 5, 'tests', 'tell', 1, 'ann')")
        session.commit()
    (old,) = alerts.every(office.core)[0]
    alerts.add(office.core, replace(old, patience=7))
    (new,) = alerts.every(office.core)[0]
    gone = alerts.remove(office.core, "old", "")
    left = alerts.every(office.core)[0]
    office.close()

    assert (old.watches, old.patience, old.url) == (Watches.FAILED, 5, "")
    assert new == replace(old, patience=7)
    assert (gone, left) == (True, [])
