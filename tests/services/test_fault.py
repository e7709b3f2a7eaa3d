"""Does a decision that breaks down fail its run, say so, and stop nothing else?"""

from __future__ import annotations

from msgspec.structs import replace

from penstock.model.event import Fault
from penstock.model.node import Parallel, Sequence, Task
from penstock.model.status import RunStatus
from penstock.services.explain import explain
from penstock.store import queue
from penstock.telemetry import Notice
from tests.services.office import Office


def test_a_broken_decision_fails_its_run_and_says_so(office: Office) -> None:
    heard: list[Notice] = []
    office.core.notices.subscribe(heard.append)
    plan = office.push(["a", "b"])
    run_id = office.start(plan)
    (held,) = office.claim()
    # This process remembers a plan that does not fit the rows of the run: the group around `a` has none.
    body = Sequence(id="", nodes=(Parallel(id="par", nodes=(Task(id="a", type="log"),)),))
    office.core.plans.add(replace(plan.flow, body=body), plan.flow.revision)
    office.core.cache.forget()

    accepted = office.end(held)

    run = office.run(run_id)
    assert accepted
    assert run.status is RunStatus.FAILED
    assert run.failure is not None
    assert run.failure.code == "PS-313"
    assert run.open == 0
    assert [notice.fields["run"] for notice in heard if notice.name == "run.fault"] == [run_id]
    assert not office.store.read(lambda tx: queue.claims_of(tx, run_id))
    (told,) = [one.event for one in office.story(run_id) if isinstance(one.event, Fault)]
    assert told.failure == run.failure
    office.core.plans.add(plan.flow, plan.flow.revision)
    last = explain(office.core, run_id).chapters[-1]
    assert [one.because for one in last.decided] == [
        ("the group around it is ended at once",),
        ("a decision broke down; the run is given up",),
    ]
