"""How does a task, a subflow or a pause begin, begin again, and end? The first two are done by attempts."""

from __future__ import annotations

from msgspec.structs import replace

from penstock import expr
from penstock.engine import wants
from penstock.engine.draft import Draft
from penstock.engine.evaluate import evaluate, failure_of, is_pure
from penstock.engine.groups import pause, subflow
from penstock.engine.retry import MOST_LOST_IN_A_ROW, applies, next_run_at, next_try_at, policy_for
from penstock.engine.rule import Rule
from penstock.errors import PenstockError
from penstock.model.effect import Ready, SetTimer, Work
from penstock.model.event import Timer
from penstock.model.node import Leaf, Node, Pause, Subflow, Task
from penstock.model.run import ErrorKind, Failure, Step
from penstock.model.status import Outcome, StepStatus


def begin(draft: Draft, key: str, node: Leaf, only: tuple[str, ...] = ()) -> None:
    """Start a leaf of the flow: skip it, fail it when its condition cannot be rendered, or make its first attempt
    ready; `only` names the reported steps that it is to do again.
    """
    earlier = draft.earlier(key)
    step = Step(
        key=key,
        node=node.id,
        status=StepStatus.QUEUED,
        attempt=(earlier.attempt if earlier else 0) + 1,
        tries=1,
        queued_at=draft.now,
        first_at=draft.now,
        only=earlier.only if earlier and earlier.status is StepStatus.WAITING else only,
        failed_child=subflow.to_go_on_with(draft, node, earlier) if isinstance(node, Subflow) and earlier else "",
    )
    if node.run_if and not is_pure(node.run_if, draft.run):
        _set_deadline(draft, node, step)
        ask_worker(draft, step)
    elif is_wanted(draft, node, step):
        _set_deadline(draft, node, step)
        attempt(draft, node, step)


def is_wanted(draft: Draft, node: Node, step: Step) -> bool:
    """Does the condition of a step that is to begin hold? If not, the step ends here: skipped, or failed with it."""
    if not node.run_if:
        return True
    draft.put(step)
    try:
        wanted = expr.truthy(evaluate(draft, step.key, node.run_if))
    except PenstockError as error:
        draft.rule(step.key, Rule.CANNOT_RENDER)
        draft.end(step, StepStatus.FAILED, failure_of(error))
        return False
    if not wanted:
        draft.rule(step.key, Rule.CONDITION_FALSE)
        draft.end(replace(step, attempt=step.attempt - 1, tries=0), StepStatus.SKIPPED)
    return wanted


def _set_deadline(draft: Draft, node: Node, step: Step) -> None:
    if node.deadline is not None:
        draft.emit(SetTimer(step.key, step.attempt, Timer.STEP_TIMEOUT, draft.now + node.deadline))


def attempt(draft: Draft, node: Node, step: Step, values: dict[str, object] | None = None) -> None:
    """Make one attempt of a leaf ready; `values` are properties that a worker has evaluated already."""
    step = replace(step, status=StepStatus.QUEUED, due_at=None, evaluating=False)
    match node:
        case Subflow():
            if values is None and not subflow.is_pure(node, draft.run):
                ask_worker(draft, step)
            elif draft.run.held_by:
                draft.rule(step.key, Rule.HELD)
                draft.put(replace(step, held=True))
            else:
                subflow.begin(draft, node, step, values)
        case Pause():
            if values is None and not is_pure(pause.outline(node), draft.run):
                ask_worker(draft, step)
            else:
                pause.begin(draft, node, step, values)
        case Task() if node.limits and not draft.run.held_by:
            try:
                wants.ask(draft, node, step)
            except PenstockError as error:
                draft.put(step)
                draft.end(step, forgiven(node, StepStatus.FAILED), failure_of(error))
        case _:
            draft.put(step)
            draft.make_ready(Ready(step.key, step.attempt, worker=draft.worker_of(step.key)))


def ask_worker(draft: Draft, step: Step) -> None:
    """Have a worker evaluate what a step needs before it can begin."""
    draft.rule(step.key, Rule.ASKS_WORKER)
    draft.put(replace(step, evaluating=True))
    draft.make_ready(Ready(step.key, step.attempt, Work.EVALUATE))


def ended(draft: Draft, step: Step, outcome: Outcome, failure: Failure | None, until: int | None = None) -> None:
    """Decide what the end of an attempt makes of its step: an end, or another attempt now or later."""
    node = draft.node(step.key)
    stopping = draft.stopping(step.key)
    match outcome:
        case Outcome.DONE:
            policy = policy_for(draft.plan, node)
            warned = policy is not None and policy.warn and step.tries > policy.warn_after
            if warned:
                draft.rule(step.key, Rule.WARNED_BY_RETRY, policy.warn_after if policy else 0)
            else:
                draft.rule(step.key, Rule.DONE)
            draft.end(step, StepStatus.WARNING if warned and not node.allow_warning else StepStatus.SUCCESS)
        case Outcome.WARNING:
            draft.rule(step.key, Rule.WARNING_ALLOWED if node.allow_warning else Rule.WARNED)
            draft.end(step, StepStatus.SUCCESS if node.allow_warning else StepStatus.WARNING, failure)
        case Outcome.SKIPPED:
            draft.rule(step.key, Rule.NOTHING_TO_DO)
            draft.end(step, StepStatus.SKIPPED)
        case Outcome.KILLED:
            draft.rule(step.key, Rule.KILLED)
            draft.end(step, StepStatus.KILLED, failure)
        case Outcome.SNOOZED if not stopping:
            _snooze(draft, node, step, until)
        case Outcome.LOST if not stopping and step.lost + 1 < MOST_LOST_IN_A_ROW:
            lost = replace(step, attempt=step.attempt + 1, lost=step.lost + 1, queued_at=draft.now)
            draft.rule(step.key, Rule.LOST_AGAIN, lost.lost, MOST_LOST_IN_A_ROW)
            again(draft, node, lost)
        case Outcome.LOST | Outcome.SNOOZED if stopping:
            draft.rule(step.key, Rule.STOPPING)
            draft.end(step, draft.stopped_as(step.key), failure)
        case Outcome.FAILED | Outcome.LOST | Outcome.SNOOZED:
            _failed(draft, node, step, failure or unexplained(outcome), stopping=stopping)


def _snooze(draft: Draft, node: Node, step: Step, until: int | None) -> None:
    """Look again later; a sensor that has looked for its longest time fails, or is skipped when it is soft."""
    sensor = node.sensor if isinstance(node, Task) else None
    at = until if until is not None else draft.now + (sensor.interval if sensor else 0)
    if sensor is not None and sensor.longest is not None:
        last = (step.first_at if step.first_at is not None else draft.now) + sensor.longest
        if draft.now >= last:
            failure = Failure(ErrorKind.TIMEOUT, f'"{node.id}" has looked for {sensor.longest / 1e6:g} s in vain.')
            status = StepStatus.SKIPPED if sensor.soft else forgiven(node, StepStatus.FAILED)
            draft.rule(step.key, Rule.LOOKED_LONG_ENOUGH)
            draft.end(step, status, failure)
            return
        at = min(at, last)
    draft.rule(step.key, Rule.SNOOZED)
    draft.put(replace(step, status=StepStatus.SNOOZED, due_at=at))
    draft.emit(SetTimer(step.key, step.attempt, Timer.SNOOZE, at))


def again(draft: Draft, node: Node, step: Step) -> None:
    """Make the next attempt ready; one that was only evaluating expressions evaluates them anew."""
    if step.evaluating:
        ask_worker(draft, replace(step, status=StepStatus.QUEUED))
    else:
        attempt(draft, node, step)


def _failed(draft: Draft, node: Node, step: Step, failure: Failure, *, stopping: bool) -> None:
    if draft.killing(step.key):
        draft.rule(step.key, Rule.STOPPING)
        draft.end(step, StepStatus.KILLED, failure)
        return
    policy = None if stopping else policy_for(draft.plan, node)
    if policy is not None and policy.new_run:
        if not draft.plan.lies_aside(step.key):
            draft.retired_at = next_run_at(policy, draft.run, failure, draft.now)
        draft.rule(
            step.key, Rule.NO_MORE_TRIES if draft.retired_at is None else Rule.RETRY_AS_NEW_RUN, draft.run.number
        )
        draft.end(step, forgiven(node, StepStatus.FAILED), failure)
        return
    at = next_try_at(policy, step, failure, draft.now, draft.run.id)
    if stopping:
        draft.rule(step.key, Rule.STOPPING)
    elif at is not None and policy is not None:
        most = f" of {policy.max_attempts}" if policy.max_attempts is not None else ""
        draft.rule(step.key, Rule.RETRY, step.tries + 1, most)
    elif policy is None:
        draft.rule(step.key, Rule.NO_RETRY)
    elif not applies(policy, failure):
        draft.rule(step.key, Rule.NOT_RETRIED)
    else:
        draft.rule(step.key, Rule.NO_MORE_TRIES, step.tries)
    if at is None:
        if node.allow_failure:
            draft.rule(step.key, Rule.FAILURE_ALLOWED)
        draft.end(step, forgiven(node, StepStatus.FAILED), failure)
    elif at <= draft.now:
        again(draft, node, _next(step, draft.now, failure))
    else:
        draft.put(replace(step, status=StepStatus.RETRYING, due_at=at, failure=failure))
        draft.emit(SetTimer(step.key, step.attempt, Timer.RETRY, at))


def retry_now(draft: Draft, step: Step) -> None:
    """The wait for a retry is over: the next attempt begins."""
    again(draft, draft.node(step.key), _next(step, draft.now, step.failure))


def wake(draft: Draft, step: Step) -> None:
    """A snoozed step looks again; that is no further try."""
    draft_step = replace(step, attempt=step.attempt + 1, queued_at=draft.now)
    again(draft, draft.node(step.key), draft_step)


def forgiven(node: Node, status: StepStatus) -> StepStatus:
    """What a node's allowances make of its final status."""
    if status is StepStatus.FAILED and node.allow_failure:
        status = StepStatus.WARNING
    if status is StepStatus.WARNING and node.allow_warning:
        status = StepStatus.SUCCESS
    return status


def _next(step: Step, now: int, failure: Failure | None) -> Step:
    return replace(
        step, attempt=step.attempt + 1, tries=step.tries + 1, lost=0, queued_at=now, failure=failure,
        child="", failed_child="",
    )  # fmt: skip


def unexplained(outcome: Outcome) -> Failure:
    """Why a step failed whose worker gave no reason."""
    if outcome is Outcome.LOST:
        return Failure(ErrorKind.LOST, f"The worker was lost {MOST_LOST_IN_A_ROW} times in a row while this ran.")
    return Failure(ErrorKind.TASK, "The attempt failed without saying why.")
