"""Do the verbs of runs, flows and pools look at the rights of who asks, and are they told of?"""

from __future__ import annotations

import pytest

from penstock.errors.api import MayNot
from penstock.model.access import EVERYWHERE, SYSTEM, Actor, Grant
from penstock.model.status import StepStatus
from penstock.services import audit, flows, operate, pools, runs
from penstock.services.retention import Keep, prune
from penstock.store.audit import Filter
from penstock.store.blobs.port import Found
from tests.services.office import Office

NAMESPACE = "test"
ROLES = ("viewer", "operator", "editor", "admin", "owner")


def as_(role: str, namespace: str = NAMESPACE) -> Actor:
    """Somebody with one role."""
    return Actor(name=role, grants=(Grant(role, namespace),), via="session")


def told(office: Office) -> list[tuple[str, str, str, str]]:
    """What the audit tells, oldest first: who, verb, object, namespace."""
    found = audit.page(office.core, EVERYWHERE, Filter())
    return [(one.who, one.verb, one.object, one.namespace) for one in reversed(found)]


class NoFiles:
    """A place where no files are kept."""

    def forget(self, prefixes: object) -> int:
        """Forget nothing."""
        return 0

    def below(self, prefix: str) -> list[Found]:
        """Find nothing."""
        return []

    def delete(self, uri: str) -> bool:
        """Forget nothing."""
        return False


def test_what_is_done_to_runs_is_told_of_where_they_belong(office: Office) -> None:
    plan = office.push(["one", "two"])
    asking = office.core.asked_by(as_("operator", plan.flow.namespace))

    run = runs.start(asking, plan, runs.Start())
    operate.pause(asking, run, "operator")
    operate.resume(asking, run, "operator")
    runs.kill(asking, run, "operator", force=True)
    again = runs.replay(asking, run, "operator")
    operate.mark(asking, run, "operator", StepStatus.FAILED)

    about, where = f"run {run}", plan.flow.namespace
    assert told(office) == [
        ("operator", "runs.start", plan.flow.name, where),
        ("operator", "runs.pause", about, where),
        ("operator", "runs.resume", about, where),
        ("operator", "runs.kill", about, where),
        ("operator", "runs.replay", about, where),
        ("operator", "runs.mark", about, where),
    ]
    assert again != run
    kept = {one.verb: one.detail for one in audit.page(office.core, EVERYWHERE, Filter())}
    assert kept["runs.kill"] == {"force": True}
    assert kept["runs.mark"] == {"status": "failed", "step": "", "reason": ""}


@pytest.mark.parametrize("grant", [Grant("viewer"), Grant("owner", "elsewhere"), Grant("nothing")])
def test_who_has_no_right_there_does_nothing_there(office: Office, grant: Grant) -> None:
    plan = office.push(["one"])
    run = office.start(plan)
    before = office.run(run)
    asking = office.core.asked_by(Actor(name="eve", grants=(grant,)))

    for act in (
        lambda: runs.start(asking, plan, runs.Start()),
        lambda: runs.kill(asking, run, "eve"),
        lambda: runs.restart(asking, run, "eve"),
        lambda: runs.replay(asking, run, "eve"),
        lambda: operate.pause(asking, run, "eve"),
        lambda: operate.skip(asking, run, "eve", "one"),
        lambda: flows.push(asking, plan.flow, "other", "other"),
        lambda: flows.remove(asking, plan.flow.namespace, plan.flow.id),
        lambda: pools.set_slots(asking, "db", 3),
        lambda: pools.delete(asking, "db"),
        lambda: prune(asking, NoFiles(), Keep(runs=0)),
    ):
        with pytest.raises(MayNot):
            act()

    assert office.run(run) == before
    assert told(office) == []


def test_a_pool_belongs_to_no_namespace_and_wants_the_right_everywhere(office: Office) -> None:
    with pytest.raises(MayNot, match="everywhere"):
        pools.set_slots(office.core.asked_by(as_("owner")), "db", 3)

    pools.set_slots(office.core.asked_by(as_("admin", "")), "db", 3)
    gone = [pools.delete(office.core.asked_by(as_("admin", "")), "db") for _ in range(2)]

    assert gone == [True, False]
    assert told(office) == [("admin", "pools.set", "db", ""), ("admin", "pools.delete", "db", "")]


def test_a_flow_that_says_what_it_said_is_not_told_of_again(office: Office) -> None:
    plan = office.push(["one"])
    asking = office.core.asked_by(as_("editor", plan.flow.namespace))

    same = flows.push(asking, plan.flow, repr(["one"]), repr(["one"]))
    other = flows.push(asking, plan.flow, "other", "other")

    assert (same.flow.revision, other.flow.revision) == (1, 2)
    assert told(office) == [("editor", "flows.push", plan.flow.name, plan.flow.namespace)]


def test_a_start_that_was_asked_for_before_is_told_once(office: Office) -> None:
    plan = office.push(["one"])
    asking = office.core.asked_by(as_("operator", plan.flow.namespace))

    same = {runs.start(asking, plan, runs.Start(key="today")) for _ in range(3)}
    runs.start(asking, plan, runs.Start(key="tomorrow"))

    assert len(same) == 1
    assert [verb for _, verb, _, _ in told(office)] == ["runs.start"] * 2


def test_what_penstock_does_by_itself_is_not_told_of(office: Office) -> None:
    plan = office.push(["one"])

    runs.kill(office.core, runs.start(office.core.asked_by(SYSTEM), plan, runs.Start()), "penstock")

    assert told(office) == []
