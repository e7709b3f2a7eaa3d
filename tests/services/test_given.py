"""Is what people give as an input of type SECRET sealed wherever it is kept, and still at hand for who needs it?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from penstock.errors.run import InvalidInput
from penstock.model.access import EVERYWHERE, Actor, Grant
from penstock.model.backfill import Spec
from penstock.model.inputs import is_sealed
from penstock.model.run import Run
from penstock.model.trigger import Webhook
from penstock.services import audit, backfills, firing, operate
from penstock.services.secrets import given, verbs
from penstock.services.starting import Start, begin, insert
from penstock.store import backfills as table
from penstock.store import events, outputs, runs, steps
from penstock.store.audit import Filter
from penstock.store.port import Tx
from penstock.testing import Harness, fails, gives

SECRET = "open sesame 42"
LOGS_IN = """
id: logs_in
namespace: shop
inputs:
  - {id: password, type: SECRET}
  - {id: pin, type: SECRET, required: false}
  - {id: user, type: STRING, defaults: ann}
tasks:
  - {id: use, type: log, message: "{{ inputs.user }}:{{ inputs.password }}"}
  - id: decides
    type: if
    condition: "{{ inputs.password == 'open sesame 42' }}"
    then: [{id: right, type: log, message: right}]
    else: [{id: wrong, type: log, message: wrong}]
  - {id: last, type: log, message: "{{ inputs['pass' ~ 'word'] | length }}"}
outputs:
  - {id: told, type: STRING, value: "it is {{ inputs.password }}"}
"""
CALLED = """
id: called
namespace: shop.below
inputs:
  - {id: token, type: SECRET}
  - {id: plain, type: STRING, defaults: none}
tasks:
  - {id: use, type: log, message: "{{ inputs.token }} {{ inputs.plain }}"}
"""
CALLS = """
id: calls
namespace: shop
inputs: [{id: password, type: SECRET}]
tasks:
  - id: call
    type: subflow
    namespace: shop.below
    flowId: called
    wait: true
    inputs:
      token: "{{ inputs.password }}"
      plain: "user:{{ inputs.password }}"
"""
ASKS = """
id: asks
namespace: shop
tasks:
  - id: ask
    type: pause
    onResume: [{id: password, type: SECRET}]
  - {id: use, type: log, message: "{{ outputs.ask.onResume.password }}"}
"""


@pytest.fixture
def harness() -> Iterator[Harness]:
    """A store in memory, with a key of its own."""
    with Harness() as opened:
        yield opened


def run_of(harness: Harness, run_id: str) -> Run:
    """A run as it is kept."""
    found = harness.core.store.read(lambda tx: runs.load(tx, run_id))
    assert found is not None
    return found


def kept(harness: Harness) -> str:
    """What is kept of all runs, as it is kept, but for what tasks handed on, which a worker hides."""

    def every(tx: Tx) -> list[object]:
        found = runs.list_runs(tx, runs.Filter(), limit=100)
        return [
            (runs.load(tx, each.id), events.every(tx, each.id), outputs.every(tx, each.id), steps.every(tx, each.id))
            for each in found
        ]

    return repr(harness.core.store.read(every))


def said(harness: Harness, run_id: str, task: str) -> list[object]:
    """What the calls of a task were given."""
    return [call.properties["message"] for call in harness.ran(run_id).calls if call.step.startswith(task)]


def test_a_secret_input_is_kept_sealed_and_tasks_and_conditions_see_it(harness: Harness) -> None:
    ran = harness.run(LOGS_IN, {"password": SECRET}, tasks={name: gives() for name in ("use", "right", "last")})

    assert ran.status == "success"
    assert said(harness, ran.id, "use") == [f"ann:{SECRET}"]
    assert said(harness, ran.id, "last") == [str(len(SECRET))]
    assert ran.statuses["decides/right" if "decides/right" in ran.statuses else "right"] == "success"
    assert ran.document.outputs == {"told": "it is ********"}
    assert ran.document.inputs == {"password": "********", "pin": None, "user": "ann"}
    assert is_sealed(run_of(harness, ran.id).inputs["password"])
    assert SECRET not in kept(harness)


def test_a_restart_and_a_replay_keep_it_and_another_text_takes_its_place(harness: Harness) -> None:
    tasks = {name: gives() for name in ("use", "right", "wrong")} | {"last": [fails(), gives(), gives(), gives()]}
    ran = harness.run(LOGS_IN, {"password": SECRET}, tasks=tasks)
    again = harness.restart(ran.id, tasks={"last": gives()})
    like = harness.replay(ran.id)
    other = harness.replay(ran.id, inputs={"password": "another one 7"})

    assert (ran.status, again.status) == ("failed", "success")
    assert said(harness, like.id, "use") == [f"ann:{SECRET}"]
    assert said(harness, other.id, "use") == ["ann:another one 7"]
    assert "wrong" in " ".join(other.statuses)
    assert SECRET not in kept(harness) and "another one 7" not in kept(harness)


def test_a_subflow_gets_it_and_keeps_it_sealed_whatever_its_input_is_called(harness: Harness) -> None:
    harness.push(CALLED)
    ran = harness.run(CALLS, {"password": SECRET}, tasks={"use": gives()})

    (child,) = ran.document.children
    assert ran.status == "success"
    assert said(harness, child.id, "use") == [f"{SECRET} user:{SECRET}"]
    assert harness.ran(child.id).document.inputs == {"token": "********", "plain": "********"}
    assert SECRET not in kept(harness)

    again = harness.replay(child.id)
    assert again.document.inputs == {"token": "********", "plain": "********"}
    assert SECRET not in kept(harness)


def test_a_secret_within_a_list_is_not_handed_to_another_flow(harness: Harness) -> None:
    harness.push(CALLED.replace("{id: plain, type: STRING, defaults: none}", "{id: plain, type: JSON}"))
    ran = harness.run(CALLS.replace('"user:{{ inputs.password }}"', "['{{ inputs.password }}']"), {"password": SECRET})

    assert ran.status == "failed"
    assert 'within the value of the input "plain"' in repr(ran.document)
    assert SECRET not in kept(harness)


def test_what_a_pause_is_resumed_with_is_sealed(harness: Harness) -> None:
    run_id = harness.start(ASKS, tasks={"use": gives()})
    harness.step()
    operate.resume(harness.core, run_id, "ann", inputs={"password": SECRET})
    ran = harness.finish(run_id)

    assert said(harness, ran.id, "use") == [SECRET]
    assert "********" in repr(ran.step("ask").outputs) and "penstock:sealed" not in repr(ran.document)
    assert SECRET not in kept(harness)


def test_keys_turn_and_runs_from_before_go_on(harness: Harness) -> None:
    run_id = harness.start(LOGS_IN, {"password": SECRET}, tasks={name: gives() for name in ("use", "right", "last")})
    before = run_of(harness, run_id).inputs["password"]
    verbs.rotate(harness.core)
    ran = harness.finish(run_id)
    later = harness.replay(run_id)

    assert said(harness, ran.id, "use") == said(harness, later.id, "use") == [f"ann:{SECRET}"]
    assert str(before).startswith("penstock:sealed:1:")
    assert str(run_of(harness, later.id).inputs["password"]).startswith("penstock:sealed:2:")
    assert not verbs.verify(harness.core).bad


def test_runs_of_before_that_were_not_sealed_are_read_as_they_are(harness: Harness) -> None:
    run_id = harness.start(LOGS_IN, {"password": SECRET}, tasks={name: gives() for name in ("use", "right", "last")})

    def as_before(tx: Tx) -> bool:
        run = runs.load(tx, run_id)
        assert run is not None
        return runs.save(
            tx, replace(run, inputs=run.inputs | {"password": SECRET}, version=run.version + 1), run.version
        )

    harness.core.store.write(as_before)
    ran = harness.finish(run_id)

    assert said(harness, ran.id, "use") == [f"ann:{SECRET}"]
    assert ran.document.inputs["password"] == "********"


def test_what_only_looks_sealed_is_a_text_like_any_other(harness: Harness) -> None:
    stolen = given.sealed(harness.core, harness.push(LOGS_IN).flow, {"password": SECRET})["password"]
    tasks = {name: gives() for name in ("use", "wrong", "last")}
    ran = harness.run(LOGS_IN, {"password": "x", "user": stolen, "pin": "penstock:sealed:9:AAAA"}, tasks=tasks)

    assert said(harness, ran.id, "use") == [f"{stolen}:x"]
    assert SECRET not in repr(ran)


def test_a_backfill_keeps_its_secrets_sealed_in_its_rows_and_in_the_audit(harness: Harness) -> None:
    plan = harness.push(LOGS_IN)
    spec = Spec(begin=0, end=2 * 86_400_000_000, every="P1D", inputs={"password": SECRET, "user": "{{ date }}"})
    told = backfills.preview(harness.core, plan, spec)
    core = harness.core.asked_by(Actor(name="ann", grants=(Grant("owner"),)))
    made = backfills.add(core, plan, spec, "ann")
    told_of = audit.page(core, EVERYWHERE, Filter())
    items = harness.core.store.read(lambda tx: table.items(tx, made.id, 10))

    assert {one.inputs["password"] for one in told} == {"********"}
    assert all(is_sealed(item.planned.inputs["password"]) for item in items)
    assert SECRET not in repr((made, items))
    assert told_of and SECRET not in repr(told_of)
    opened = given.opened_inputs(harness.core, plan.flow, items[0].planned.inputs, set())
    assert begin(harness.core, plan, Start(inputs=opened)).run


def test_a_secret_of_the_wrong_shape_is_refused(harness: Harness) -> None:
    with pytest.raises(InvalidInput, match="password"):
        harness.run(LOGS_IN, {})


FIRED = """
id: fired
namespace: shop
inputs: [{id: who, type: STRING}, {id: day, type: STRING}]
triggers:
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: k
    inputs: {who: "Bearer {{ secret('KEY') }}", day: "{{ trigger.body.day }}"}
    labels: {by: "{{ secret('KEY') }}"}
tasks: [{id: use, type: log, message: "{{ inputs.who }} {{ inputs.day }}"}]
"""


def test_a_secret_that_a_trigger_gives_stays_one() -> None:
    with Harness(secrets={"KEY": SECRET}, tasks={"use": gives()}) as harness:
        plan = harness.push(FIRED)
        (trigger,) = plan.flow.triggers
        assert isinstance(trigger, Webhook)
        beginning, problem = firing.begun(harness.core, plan, trigger, "k", {"body": {"day": "monday"}})
        assert beginning is not None and not problem
        insert(harness.core, [beginning])
        ran = harness.finish(beginning.run)

        assert said(harness, ran.id, "use") == [f"Bearer {SECRET} monday"]
        assert ran.document.inputs == {"who": "********", "day": "monday"}
        assert ran.document.labels["by"] == "********"
        assert SECRET not in kept(harness)
