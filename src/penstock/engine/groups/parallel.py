"""How does a parallel group go on? As many children at once as its limit lets; a failure as the group says.

A wide one starts in windows, as a loop does, so that no decision grows with the group.
"""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.draft import Draft
from penstock.engine.groups import counts, guard
from penstock.engine.groups.room import limit_of
from penstock.engine.rule import Rule
from penstock.model.effect import Tell
from penstock.model.event import Expand
from penstock.model.node import Parallel
from penstock.model.plan import TASKS
from penstock.model.policy import OnChildFailure
from penstock.model.run import GroupState

WINDOW = 100


def go_on(draft: Draft, key: str, state: GroupState, node: Parallel) -> None:
    """Start what the limit leaves room for, a window at most; after a failure start nothing more."""
    if counts.has_bad(state) and node.on_child_failure is not OnChildFailure.FINISH:
        guard.child_failed(draft, key, state, node.on_child_failure)
        return
    nodes, started, limit = draft.plan.children(node.id, TASKS), 0, limit_of(node, state)
    while state.next < len(nodes) and (not limit or counts.open_children(state) < limit):
        if draft.been_through(draft.plan.child_key(key, nodes[state.next], TASKS)):
            state = replace(state, next=state.next + 1)
        elif started < WINDOW:
            state = guard.start_next(draft, key, state, nodes)
            started += 1
        else:
            draft.emit(Tell(Expand(key, state.next)))
            break
    draft.set_group(key, state)
    if state.next < len(nodes):
        draft.rule(key, Rule.FULL, limit)
    if not counts.open_children(state):
        guard.tasks_over(draft, key, counts.rollup(state))
