"""Is somebody told once when something goes wrong, and once when it is over, on each database?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from penstock.errors.api import MayNot
from penstock.errors.run import UnknownFlow
from penstock.model.access import EVERYWHERE, Actor, Grant
from penstock.model.policy import SECOND
from penstock.model.status import Outcome
from penstock.services import alerts
from penstock.services.scheduler import alerting
from penstock.services.scheduler.lead import Lead
from penstock.store import runs
from penstock.store.alerts import Alert, Watches
from penstock.store.postgres.store import open_postgres
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
