"""How does a parallel group go on? As many children at once as its limit lets; a failure as the group says."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.draft import Draft
from penstock.engine.groups import counts, guard
from penstock.model.node import Parallel
from penstock.model.plan import TASKS
from penstock.model.policy import OnChildFailure
from penstock.model.run import GroupState


def go_on(draft: Draft, key: str, state: GroupState, node: Parallel) -> None:
    """Start what the limit leaves room for; after a failure start nothing more."""
    if counts.has_bad(state) and node.on_child_failure is not OnChildFailure.FINISH:
        guard.child_failed(draft, key, state, node.on_child_failure)
        return
    nodes = draft.plan.children(node.id, TASKS)
    while state.next < len(nodes) and (not node.limit or counts.open_children(state) < node.limit):
        if draft.been_through(draft.plan.child_key(key, nodes[state.next], TASKS)):
            state = replace(state, next=state.next + 1)
        else:
            state = guard.start_next(draft, key, state, nodes)
    draft.set_group(key, state)
    if not counts.open_children(state):
        guard.tasks_over(draft, key, counts.rollup(state))
