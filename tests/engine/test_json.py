"""Does every value of the model come back from JSON as it went in?"""

from __future__ import annotations

import json
import typing

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.asset import Check, Touched
from penstock.model.effect import Effect
from penstock.model.event import Event, about, kind
from penstock.model.flow import Flow
from penstock.model.plan import every_node, plan
from penstock.model.policy import Limit, Retry
from penstock.model.run import Attempt, Change, Failure, GroupState, Parent, Run, Step
from tests.engine import trees

# Numbers beyond 64 bits have no place in JSON as it is stored; NaN and infinities neither.
numbers = st.integers(-(2**63), 2**63 - 1)
plain = st.recursive(
    st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
st.register_type_strategy(int, numbers)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(object, plain)
st.register_type_strategy(str, st.text(max_size=6))


def values_of(type_: type[msgspec.Struct]) -> st.SearchStrategy[msgspec.Struct]:
    """Values of one type of the model, each of its fields given."""
    hints = typing.get_type_hints(type_)
    return st.builds(type_, **{name: st.from_type(hints[name]) for name in type_.__struct_fields__})


def register(type_: type[msgspec.Struct]) -> None:
    """Let values that hold one of this type be made, too."""
    st.register_type_strategy(type_, st.deferred(lambda: values_of(type_)))


EVENTS: tuple[type[msgspec.Struct], ...] = typing.get_args(Event)
EFFECTS: tuple[type[msgspec.Struct], ...] = typing.get_args(Effect)
NOUNS: tuple[type[msgspec.Struct], ...] = (
    Failure, GroupState, Parent, Change, Step, Attempt, Run, Limit, Retry, Check, Touched,
)  # fmt: skip
for noun in (*NOUNS, *EVENTS, *EFFECTS):
    register(noun)


def there_and_back(value: object, type_: object) -> object:
    """A value through its JSON, which must be JSON for others, too."""
    text = msgspec.json.encode(value)
    json.loads(text)
    return msgspec.json.decode(text, type=type_)


@given(st.from_type(Run))
def test_a_run_comes_back_as_it_was(run: Run) -> None:
    assert there_and_back(run, Run) == run


@given(st.from_type(Step))
def test_a_step_comes_back_as_it_was(step: Step) -> None:
    assert there_and_back(step, Step) == step


@given(st.from_type(Attempt))
def test_an_attempt_comes_back_as_it_was(attempt: Attempt) -> None:
    assert there_and_back(attempt, Attempt) == attempt


@given(st.sampled_from(EVENTS).flatmap(values_of))
def test_an_event_comes_back_as_it_was_and_says_what_it_is_about(event: typing.Any) -> None:
    assert there_and_back(event, Event) == event
    assert kind(event) == json.loads(msgspec.json.encode(event))["type"]
    step, attempt = about(event)
    assert (step, attempt) == (getattr(event, "step", ""), getattr(event, "attempt", 0))


@given(st.sampled_from(EFFECTS).flatmap(values_of))
def test_an_effect_can_be_written_as_json(effect: msgspec.Struct) -> None:
    assert there_and_back(effect, type(effect)) == effect


@given(trees.flows())
def test_a_flow_comes_back_as_it_was_with_the_same_plan(flow: Flow) -> None:
    back = there_and_back(flow, Flow)

    assert back == flow
    assert isinstance(back, Flow)
    assert plan(back) == plan(flow)
    assert [node.id for node in every_node(back)] == [node.id for node in every_node(flow)]
