"""How do ends and starts travel through the groups? Two queues, worked off until both are empty."""

from __future__ import annotations

from msgspec.structs import replace

from penstock import expr
from penstock.engine import leaf
from penstock.engine.draft import Draft, is_half_done
from penstock.engine.evaluate import failure_of, is_pure
from penstock.engine.finish import finish, leave, retire
from penstock.engine.groups import branch, counts, dag, folder, foreach, guard, parallel, room, sequence, until
from penstock.engine.rule import Rule
from penstock.engine.scope import homes
from penstock.errors import PenstockError
from penstock.model import ids
from penstock.model.effect import Ready, SetTimer, Work
from penstock.model.event import Timer
from penstock.model.node import (
    Arrangement,
    Dag,
    Folder,
    ForEach,
    If,
    Node,
    Parallel,
    Pause,
    Sequence,
    Subflow,
    Switch,
    Task,
    Until,
)
from penstock.model.plan import LOOPS, ROOT
from penstock.model.run import GroupState, Phase, Run, Step
from penstock.model.status import RunStatus, StepStatus


def settle(draft: Draft) -> None:
    """Work off what was decided to start and what has ended, until the run is at rest."""
    while True:
        if draft.retired_at is not None:
            _give_way(draft, draft.retired_at)
        elif draft.leaving:
            _leave(draft, draft.leaving)
        elif draft.starting:
            key, node = draft.starting.popleft()
            start(draft, key, node)
        elif draft.ended:
            hear(draft, draft.ended.popleft())
        elif _is_killed(draft):
            finish(draft, StepStatus.KILLED)  # which may begin the tasks after the end
        else:
            return


def _give_way(draft: Draft, at: int) -> None:
    """Another run takes this one's place: what has just ended is counted, and nothing else follows from it."""
    while draft.ended:
        _count(draft, draft.ended.popleft())
    guard.halt(draft, ROOT, StepStatus.CANCELLED)
    retire(draft, at)


def _leave(draft: Draft, key: str) -> None:
    """A task ends the run, or the iteration that keeps to itself: the groups around it end as it did, and nothing
    follows but that end.
    """
    draft.leaving = ""
    last, home = draft.held(key), next(iter(homes(draft.plan, key)), ROOT)
    _count(draft, draft.ended.pop())
    for around in draft.plan.ancestors(key):
        if around == ROOT:
            leave(draft, last.status, last.failure)
            return
        if draft.is_over(around):
            continue  # killed with the iteration
        draft.rule(around, Rule.ALL_OVER, last.status)
        draft.end(draft.held(around), last.status, last.failure)
        if around == home:
            return
        _count(draft, draft.ended.pop())


def _is_killed(draft: Draft) -> bool:
    run = draft.run
    return run.status is RunStatus.KILLING and not run.open and run.root.phase is not Phase.AFTER


def start(draft: Draft, key: str, node: Node) -> None:
    """Begin a node: its step is born now."""
    if draft.run.skips and (key in draft.run.skips or node.id in draft.run.skips):
        skip(draft, key, node)
        return
    match node:
        case Task() | Subflow() | Pause():
            leaf.begin(draft, key, node)
        case _ if is_half_done(earlier := draft.earlier(key)):
            draft.reopening.append(key)
        case _:
            number = (earlier.attempt if earlier else 0) + 1
            born = Step(key=key, node=node.id, status=StepStatus.QUEUED, attempt=number, tries=1, queued_at=draft.now)
            born = replace(born, first_at=draft.now)
            if node.run_if and not is_pure(node.run_if, draft.run):
                leaf.ask_worker(draft, born)
            elif leaf.is_wanted(draft, node, born):
                open_group(draft, born, node)


def open_group(draft: Draft, born: Step, node: Arrangement) -> None:
    """Begin a group that is wanted."""
    draft.put(replace(born, status=StepStatus.RUNNING, group=GroupState(), started_at=draft.now))
    set_deadline(draft, born.key, node, born.attempt)
    begin_group(draft, born.key, node)


def skip(draft: Draft, key: str, node: Node) -> None:
    """End a step whose turn has come as skipped, since an operator said so before."""
    earlier = draft.earlier(key)
    number = earlier.attempt if earlier else 0
    step = Step(key=key, node=node.id, status=StepStatus.QUEUED, attempt=number, queued_at=draft.now)
    draft.put(step)
    draft.rule(key, Rule.TO_BE_SKIPPED)
    draft.end(step, StepStatus.SKIPPED)


def set_deadline(draft: Draft, key: str, node: Node, number: int) -> None:
    """Have a timer ring when a group has taken too long; an iteration has no time of its own."""
    if node.deadline is not None and ids.iteration_of(key) is None:
        draft.emit(SetTimer(key, number, Timer.STEP_TIMEOUT, draft.now + node.deadline))


def begin_group(draft: Draft, key: str, node: Arrangement, values: dict[str, object] | None = None) -> None:
    """Begin a group; what it must evaluate first is asked of a worker when it reaches out, given back as `values`."""
    try:
        match node:
            case Sequence():
                sequence.go_on(draft, key, draft.group(key))
            case Parallel() | ForEach() | Dag() if values is None and not _is_at_hand(node, draft.run):
                ask_worker(draft, key)
            case Parallel():
                room.find(draft, key, node, values)
                parallel.go_on(draft, key, draft.group(key), node)
            case ForEach():
                room.find(draft, key, node, values)
                foreach.begin(draft, key, node, values)
            case Dag():
                room.find(draft, key, node, values)
                dag.begin(draft, key, node)
            case If() | Switch():
                if values is not None or is_pure(branch.outline(node), draft.run):
                    branch.begin(draft, key, node, values)
                else:
                    ask_worker(draft, key)
            case Folder():
                folder.begin(draft, key)
            case Until() if values is None:
                until.begin(draft, key, node)
            case Until():
                until.judge(draft, key, node, expr.truthy(values["condition"]))
    except PenstockError as error:
        guard.fail(draft, key, failure_of(error))


def _is_at_hand(node: room.Limited, run: Run) -> bool:
    """Can a decision find what the group needs itself?"""
    return foreach.is_at_hand(node, run) if isinstance(node, ForEach) else is_pure(room.outline(node), run)


def ask_worker(draft: Draft, key: str) -> None:
    """Have a worker evaluate what a group needs and what reaches out."""
    step = replace(draft.held(key), evaluating=True)
    draft.rule(key, Rule.ASKS_WORKER)
    draft.put(step)
    draft.make_ready(Ready(key, step.attempt, Work.EVALUATE))


def hear(draft: Draft, key: str) -> None:
    """Tell the group around a step that the step has ended."""
    around = draft.plan.parent_key(key)
    if draft.plan.is_aside(key):
        if not draft.is_over(around):
            guard.aside_go_on(draft, around, draft.group(around))
        return
    state = _count(draft, key)
    if draft.is_over(around) or state.phase is not Phase.TASKS or state.result is not None:
        return  # a late end: counted, and nothing else follows from it
    if not draft.stopping(around):
        child_ended(draft, around, state, key)
    elif not counts.open_children(state):
        cut_short = not counts.has_bad(state) and _has_more(draft, around, state)
        guard.tasks_over(draft, around, StepStatus.CANCELLED if cut_short else counts.rollup(state))


def _count(draft: Draft, key: str) -> GroupState:
    """Count a step that has ended in the group around it; what stands aside is not counted."""
    step, around = draft.held(key), draft.plan.parent_key(key)
    state = draft.group(around)
    if not draft.plan.is_aside(key):
        state = counts.ended(state, step.status, step.failure)
        draft.set_group(around, state)
    return state


def _has_more(draft: Draft, key: str, state: GroupState) -> bool:
    """Would a group whose children have all ended have started another one?"""
    node = draft.node(key)
    if isinstance(node, LOOPS) and ids.iteration_of(key) is None:
        return isinstance(node, Until) or state.next < (state.total or 0)
    if isinstance(node, Folder) and not state.closing:
        return True
    if isinstance(node, Dag):
        return "." in state.marks or "r" in state.marks
    return state.next < len(draft.plan.children(node.id, state.branch))


def child_ended(draft: Draft, key: str, state: GroupState, child: str) -> None:
    """Let a group go on after one of its children has ended."""
    node = draft.node(key)
    if isinstance(node, Dag):
        dag.ended(draft, key, node, child)
    else:
        go_on(draft, key, state)


def go_on(draft: Draft, key: str, state: GroupState) -> None:
    """Let a group start what may start now, or be over."""
    if ids.iteration_of(key) is not None:
        sequence.go_on(draft, key, state)
        return
    node = draft.node(key)
    match node:
        case Sequence() | If() | Switch():
            sequence.go_on(draft, key, state)
        case Parallel():
            parallel.go_on(draft, key, state, node)
        case ForEach():
            foreach.go_on(draft, key, state, node)
        case Dag():
            dag.go_on(draft, key, state, node)
        case Folder():
            folder.go_on(draft, key, state, node)
        case Until():
            try:
                until.go_on(draft, key, state, node)
            except PenstockError as error:
                guard.fail(draft, key, failure_of(error))
        case Task() | Subflow() | Pause():
            raise AssertionError(f"{key} is not a group")
