"""What surrounds the tasks of every group? Its errors after a failure, its finally whatever happened, its allowances.

The outcome of a group is that of its tasks alone: an errors branch never heals a failure, and in errors and finally a
failed task does not stop the list.
"""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.draft import AT_REST, Draft
from penstock.engine.finish import close, finish
from penstock.engine.groups import counts
from penstock.engine.groups.gather import gather
from penstock.engine.leaf import forgiven
from penstock.engine.rule import Rule
from penstock.model import ids
from penstock.model.effect import KillChild, Withdraw
from penstock.model.node import Node
from penstock.model.plan import AFTER, ERRORS, FINALLY, ROOT
from penstock.model.policy import OnChildFailure
from penstock.model.run import Failure, GroupState, Phase
from penstock.model.status import StepStatus


def start_next(draft: Draft, key: str, state: GroupState, nodes: tuple[Node, ...]) -> GroupState:
    """Start the next child of a list of tasks and answer the group's new memory."""
    node = nodes[state.next]
    state = counts.begun(replace(state, next=state.next + 1))
    draft.set_group(key, state)
    child = draft.plan.child_key(key, node, state.branch)
    draft.rule(child, Rule.TURN)
    draft.starting.append((child, node))
    return state


def tasks_over(draft: Draft, key: str, result: StepStatus) -> None:
    """The tasks of a group have come to a result: run its errors, then its finally, then close it."""
    stopped = draft.killing(key) or (key != ROOT and draft.orphaned(key))
    iteration = ids.iteration_of(key) is not None
    if iteration and not stopped:
        result = gather(draft, key, draft.node(key), result)
    state = replace(draft.group(key), result=result)
    draft.set_group(key, state)
    if stopped or iteration:
        _close(draft, key)
    elif result is StepStatus.FAILED and draft.plan.children(draft.node(key).id, ERRORS):
        draft.rule(key, Rule.ERRORS_ENTERED)
        _enter(draft, key, replace(state, phase=Phase.ERRORS, next=0))
    else:
        _finally(draft, key, state)


def aside_go_on(draft: Draft, key: str, state: GroupState) -> None:
    """Go on in the errors, finally or after list of a group, whatever became of the task before."""
    if state.phase is Phase.AFTER:
        if state.next < len(draft.plan.children(ROOT, AFTER)) and not state.closing:
            _enter(draft, key, state)
        else:
            close(draft)
    elif draft.stopping(key):
        _close(draft, key)
    elif state.next < len(draft.plan.children(draft.node(key).id, str(state.phase))):
        _enter(draft, key, state)
    elif state.phase is Phase.ERRORS:
        _finally(draft, key, state)
    else:
        _close(draft, key)


def child_failed(draft: Draft, key: str, state: GroupState, mode: OnChildFailure) -> None:
    """A child did not succeed: let its siblings run on apart, or end them now; the group is over either way."""
    match mode:
        case OnChildFailure.CONTINUE:
            draft.rule(key, Rule.SIBLINGS_GO_ON)
        case OnChildFailure.FINISH:
            draft.rule(key, Rule.FAILED_AFTER_ALL)
        case OnChildFailure.CANCEL:
            draft.rule(key, Rule.SIBLINGS_CANCELLED)
            halt(draft, key, StepStatus.CANCELLED)
        case OnChildFailure.FAIL:
            draft.rule(key, Rule.SIBLINGS_FAILED)
            halt(draft, key, StepStatus.FAILED)
    tasks_over(draft, key, counts.rollup(state))


def fail(draft: Draft, key: str, failure: Failure, status: StepStatus = StepStatus.FAILED) -> None:
    """A group itself failed (a condition that cannot be evaluated, a deadline), or is cancelled as a whole."""
    if key != ROOT:
        step = draft.held(key)
        if step.evaluating:
            draft.emit(Withdraw((key,)))
        draft.put(replace(step, status=StepStatus.RUNNING, due_at=None, evaluating=False, held=False))
    draft.rule(key, Rule.GROUP_FAILED, failure.message)
    state = replace(draft.group(key), failure=failure)
    if key == ROOT and state.result is not None and state.evaluation:
        # Its outputs are being evaluated; what a worker still says of them is no answer to what follows now.
        draft.emit(Withdraw((ROOT,)))
        state = replace(state, evaluation=state.evaluation + 1)
    draft.set_group(key, state)
    if state.phase is Phase.TASKS:
        tasks_over(draft, key, status)
        return
    state = replace(state, result=status)
    draft.set_group(key, state)
    if state.phase is Phase.ERRORS and not draft.stopping(key):
        _finally(draft, key, state)
    else:
        _close(draft, key)


def halt(draft: Draft, key: str, status: StepStatus) -> None:
    """End every open step inside a group with `status` at once; their processes are ended after the commit."""
    leaves = []
    for found in sorted(draft.open_under(key), key=lambda step: -sum(1 for _ in draft.plan.ancestors(step.key))):
        if found.child:
            draft.emit(KillChild(found.child, "penstock"))
        elif found.evaluating or (found.group is None and found.status not in AT_REST):
            leaves.append(found.key)
        step = draft.held(found.key)
        draft.rule(step.key, Rule.HALTED)
        draft.put(replace(step, status=status, ended_at=draft.now, due_at=None, evaluating=False, held=False))
        parent = draft.plan.parent_key(step.key)
        if not draft.plan.is_aside(step.key):
            draft.set_group(parent, counts.ended(draft.group(parent), status, None))
    if leaves:
        draft.emit(Withdraw(tuple(leaves)))


def _enter(draft: Draft, key: str, state: GroupState) -> None:
    branch = str(state.phase)
    node = draft.plan.children(draft.node(key).id, branch)[state.next]
    draft.set_group(key, replace(state, next=state.next + 1))
    child = draft.plan.child_key(key, node, branch)
    draft.rule(child, Rule.TURN)
    draft.starting.append((child, node))


def _finally(draft: Draft, key: str, state: GroupState) -> None:
    if draft.plan.children(draft.node(key).id, FINALLY):
        draft.rule(key, Rule.FINALLY_ENTERED)
        _enter(draft, key, replace(state, phase=Phase.FINALLY, next=0))
    else:
        _close(draft, key)


def _close(draft: Draft, key: str) -> None:
    state = draft.group(key)
    result = StepStatus.KILLED if draft.killing(key) else state.result or StepStatus.SUCCESS
    failure = state.failure if result in counts.BAD else None
    draft.rule(key, Rule.ALL_OVER, result.value)
    if ids.iteration_of(key) is None and (allowed := forgiven(draft.node(key), result)) is not result:
        draft.rule(key, Rule.FAILURE_ALLOWED)
        result = allowed
    if key == ROOT:
        finish(draft, result, failure)
    else:
        draft.end(draft.held(key), result, failure)
