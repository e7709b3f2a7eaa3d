"""How does a sequence go on? One child after the other; the first that does not succeed ends it."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.draft import Draft
from penstock.engine.groups import counts, guard
from penstock.engine.rule import Rule
from penstock.model.run import GroupState


def go_on(draft: Draft, key: str, state: GroupState) -> None:
    """Start the next child of the branch that was chosen, or let the tasks be over."""
    if counts.open_children(state):
        return
    if counts.has_bad(state):
        draft.rule(key, Rule.FIRST_FAILURE)
        guard.tasks_over(draft, key, counts.rollup(state))
        return
    nodes = draft.plan.children(draft.node(key).id, state.branch)
    while state.next < len(nodes) and draft.been_through(draft.plan.child_key(key, nodes[state.next], state.branch)):
        state = replace(state, next=state.next + 1)
    if state.next < len(nodes):
        guard.start_next(draft, key, state, nodes)
    else:
        guard.tasks_over(draft, key, counts.rollup(state))
