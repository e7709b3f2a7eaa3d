"""How does a loop until go on? An iteration, its condition, perhaps a wait, the next: until it is true or enough."""

from __future__ import annotations

from msgspec.structs import replace

from penstock import expr
from penstock.engine.draft import Draft, is_half_done
from penstock.engine.evaluate import evaluate, is_pure
from penstock.engine.groups import counts, guard, sequence
from penstock.engine.rule import Rule
from penstock.model import ids
from penstock.model.effect import Forget, Produce, Ready, SetTimer, Tell, Work
from penstock.model.event import Expand, Timer
from penstock.model.node import Keep, Until
from penstock.model.run import ErrorKind, Failure, GroupState, Step
from penstock.model.status import StepStatus


def begin(draft: Draft, key: str, node: Until) -> None:
    """Begin the first iteration; where an earlier going-through kept but its last one, that one again, because the
    attempts of those before it are not known any more, and attempts only grow.
    """
    if node.keep is Keep.LAST and draft.begun_anew():
        inside = [step.key for step in draft.steps_of(node.id) if step.key.startswith(f"{key}[")]
        first = max((ids.iteration_of(each) or 0 for each in inside), default=0)
        draft.set_group(key, replace(draft.group(key), next=first, total=first))
    iterate(draft, key, node)


def iterate(draft: Draft, key: str, node: Until) -> None:
    """Begin the next iteration; of those before it, `keep` LAST keeps none."""
    state = draft.group(key)
    index = state.next
    while draft.been_through(ids.in_loop(key, index)):
        index += 1
    before = ids.in_loop(key, index - 1)
    if node.keep is Keep.LAST and index and (last := draft.step(before)) is not None:
        state = counts.forgotten(state, last.status)
        draft.forget(before)
        draft.emit(Forget(before))
    draft.rule(key, Rule.TURN)
    draft.put(replace(draft.held(key), status=StepStatus.RUNNING, due_at=None))
    draft.set_group(key, counts.begun(replace(state, next=index + 1)))
    inner = ids.in_loop(key, index)
    earlier = draft.earlier(inner)
    if is_half_done(earlier):
        draft.reopening.append(inner)
        return
    draft.put(
        Step(
            key=inner,
            node=node.id,
            status=StepStatus.RUNNING,
            attempt=earlier.attempt if earlier else 0,
            group=GroupState(),
            queued_at=draft.now,
            first_at=draft.now,
            started_at=draft.now,
        )
    )
    sequence.go_on(draft, inner, GroupState())


def go_on(draft: Draft, key: str, state: GroupState, node: Until) -> None:
    """After an iteration, ask the condition; a worker is asked when it reaches out. Raises PenstockError."""
    if counts.open_children(state):
        return
    if counts.has_bad(state):
        _over(draft, key, counts.rollup(state))
    elif not state.next:
        iterate(draft, key, node)
    elif is_pure(node.condition, draft.run):
        judge(draft, key, node, expr.truthy(evaluate(draft, key, node.condition)))
    else:
        # Every look has a number of its own, so that a late answer is never taken for a later one.
        step = draft.held(key)
        step = replace(step, attempt=step.attempt + 1, evaluating=True)
        draft.rule(key, Rule.ASKS_WORKER)
        draft.put(step)
        draft.make_ready(Ready(key, step.attempt, Work.EVALUATE))


def judge(draft: Draft, key: str, node: Until, met: bool) -> None:
    """Be over when the condition is met or enough has been tried; else go on, now or after the interval."""
    state, step = draft.group(key), draft.held(key)
    if met:
        draft.rule(key, Rule.CONDITION_MET, state.next)
        _over(draft, key, counts.rollup(state))
    elif reached := _reached(draft, node, state, step):
        draft.rule(key, Rule.ENOUGH)
        if node.fail_at_most:
            draft.set_group(key, replace(state, failure=Failure(ErrorKind.TASK, reached)))
        _over(draft, key, StepStatus.FAILED if node.fail_at_most else counts.rollup(state))
    elif node.interval:
        at = draft.now + node.interval
        draft.rule(key, Rule.ONCE_MORE, state.next)
        draft.put(replace(step, status=StepStatus.SNOOZED, due_at=at))
        draft.emit(SetTimer(key, state.next, Timer.NEXT, at))
    else:
        # Not at once: iterations in which nothing has to be done would never let the decision end.
        draft.rule(key, Rule.ONCE_MORE, state.next)
        draft.emit(Tell(Expand(key, state.next)))


def outline(node: Until) -> dict[str, object]:
    """The properties to evaluate, by name."""
    return {"condition": node.condition}


def _reached(draft: Draft, node: Until, state: GroupState, step: Step) -> str:
    gone = state.next - (state.total or 0)
    if node.most is not None and gone >= node.most:
        return f'The condition of "{node.id}" was not met after {gone} iterations.'
    began = step.first_at if step.first_at is not None else draft.now
    if node.longest is not None and draft.now + node.interval > began + node.longest:
        return f'The condition of "{node.id}" was not met within {node.longest / 1e6:g} s.'
    return ""


def _over(draft: Draft, key: str, result: StepStatus) -> None:
    draft.emit(Produce(key, draft.held(key).attempt, {"iterationCount": draft.group(key).next}))
    guard.tasks_over(draft, key, result)
