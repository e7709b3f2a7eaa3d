"""What holds for every flow, whatever happens in whichever order? Late, doubled, lost, killed, restarted, replayed."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.model.flow import Flow
from penstock.model.status import StepStatus
from tests.engine import rules, trees
from tests.engine.chance import Chance, begin

slow = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)


@slow
@given(trees.flows(), st.data())
def test_whatever_happens_the_rules_hold_and_the_run_ends(flow: Flow, data: st.DataObject) -> None:
    chance = Chance(flow, data)
    begin(chance)

    for _ in range(data.draw(st.integers(0, 40))):
        chance.happen()
    chance.drain()

    assert chance.tale.run.status.ended
    assert chance.tale.run.open == 0
    assert not any(step.status.open for step in chance.tale.steps.values())


@slow
@given(trees.flows(), st.data())
def test_a_replay_from_any_step_is_a_run_that_ends(flow: Flow, data: st.DataObject) -> None:
    chance = Chance(flow, data)
    begin(chance)
    for _ in range(data.draw(st.integers(0, 25))):
        chance.happen()
    begun = [step.key for step in rules.rows_of(chance.tale) if step.status is not StepStatus.WAITING]
    if not begun:
        return

    from_step = data.draw(st.sampled_from(sorted(begun)))
    tale, decision = chance.tale.replayed(from_step, {})

    rules.hold(tale)
    fresh = Chance(flow, data)
    fresh.tale = tale
    for effect in decision.effects:
        fresh.act(effect)
    fresh.drain()
    assert tale.run.status.ended
    assert tale.run.open == 0
