"""How does a loop over values go on? An iteration per value, a sequence each, as many at once as the limit lets.

Values are kept apart and read back by index; a wide loop starts in windows, so that no decision grows with the loop.
"""

from __future__ import annotations

import json

from msgspec.structs import replace

from penstock.engine.draft import Draft, is_half_done
from penstock.engine.evaluate import evaluate, is_pure, typed
from penstock.engine.groups import counts, guard, room, sequence
from penstock.engine.rule import Rule
from penstock.errors.run import InvalidInput
from penstock.model import ids
from penstock.model.effect import VALUES_CHUNK, KeepValues, Tell
from penstock.model.event import Expand
from penstock.model.node import ForEach
from penstock.model.policy import OnChildFailure
from penstock.model.run import GroupState, Run, Step
from penstock.model.status import StepStatus

WINDOW = 100


def begin(draft: Draft, key: str, node: ForEach, values: dict[str, object] | None) -> None:
    """Find the values and start the first ones. Raises PenstockError when they are no list, or hold a null."""
    found = values["values"] if values else _evaluated(draft, key, node)
    items = as_values(found, node)
    if items:
        draft.emit(KeepValues(key, tuple(items)))
        for chunk in range(0, len(items), VALUES_CHUNK):
            draft.loaded.values[key, chunk // VALUES_CHUNK] = items[chunk : chunk + VALUES_CHUNK]
    draft.rule(key, Rule.VALUES_FOUND, len(items))
    state = replace(draft.group(key), total=len(items))
    draft.set_group(key, state)
    go_on(draft, key, state, node)


def go_on(draft: Draft, key: str, state: GroupState, node: ForEach) -> None:
    """Start the values that the limit leaves room for, a window at most; then the rest is told to itself."""
    if counts.has_bad(state) and node.on_child_failure is not OnChildFailure.FINISH:
        one_by_one = room.limit_of(node, state) == 1 and node.on_child_failure is OnChildFailure.CONTINUE
        guard.child_failed(draft, key, state, OnChildFailure.CONTINUE if one_by_one else node.on_child_failure)
        return
    total, started, limit = state.total or 0, 0, room.limit_of(node, state)
    while state.next < total and (not limit or counts.open_children(state) < limit):
        if started == WINDOW:
            draft.rule(key, Rule.WINDOW)
            draft.emit(Tell(Expand(key, state.next)))
            return
        if draft.been_through(ids.in_loop(key, state.next)):
            state = replace(state, next=state.next + 1)
        else:
            state = _start_iteration(draft, key, state, node)
            started += 1
    draft.set_group(key, state)
    if state.next < total:
        draft.rule(key, Rule.FULL, limit)
    if not counts.open_children(state):
        result = counts.rollup(state)
        warned_inside = node.gathers and result is StepStatus.WARNING
        guard.tasks_over(draft, key, StepStatus.SUCCESS if warned_inside else result)


def _start_iteration(draft: Draft, key: str, state: GroupState, node: ForEach) -> GroupState:
    index = state.next
    state = counts.begun(replace(state, next=index + 1))
    draft.set_group(key, state)
    inner = ids.in_loop(key, index)
    draft.rule(inner, Rule.TURN)
    earlier = draft.earlier(inner)
    if is_half_done(earlier):
        draft.reopening.append(inner)
        return state
    draft.put(
        Step(
            key=inner,
            node=node.id,
            status=StepStatus.RUNNING,
            attempt=earlier.attempt if earlier else 0,
            value=draft.loaded.value(key, index),
            group=GroupState(),
            queued_at=draft.now,
            first_at=draft.now,
            started_at=draft.now,
        )
    )
    sequence.go_on(draft, inner, GroupState())
    return state


def _evaluated(draft: Draft, key: str, node: ForEach) -> object:
    return typed(draft, key, node.values) if isinstance(node.values, str) else evaluate(draft, key, node.values)


def as_values(found: object, node: ForEach) -> list[object]:
    """The values of a loop: a list, the text of a JSON list, or the entries of a map; never a null. Raises
    InvalidInput.
    """
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            raise InvalidInput(f'The values of "{node.id}" are neither a list nor the text of a JSON list.') from None
    if isinstance(found, dict):
        found = [{"key": name, "value": value} for name, value in found.items()]
    if not isinstance(found, list | tuple):
        raise InvalidInput(f'The values of "{node.id}" are {type(found).__name__}, not a list.')
    empty = sum(1 for value in found if value is None)
    if empty:
        raise InvalidInput(f"Found '{empty}' null values on \"{node.id}\".")
    if not node.distinct:
        return list(found)
    first: dict[str, object] = {}
    for value in found:
        first.setdefault(json.dumps(value, sort_keys=True, default=str), value)
    return list(first.values())


def is_at_hand(node: ForEach, run: Run) -> bool:
    """Can a decision find the values itself? What may be the address of a file is a worker's to read."""
    stored = node.gathers and isinstance(node.values, str) and "{" in node.values
    return not stored and is_pure(outline(node), run)


def outline(node: ForEach) -> dict[str, object]:
    """The properties to evaluate, by name."""
    return {"values": node.values, **room.outline(node)}
