"""How does an ended run go on? From what did not succeed: those steps are tried again, what succeeded stays."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from penstock.engine import leaf
from penstock.engine.begin import wait_for_limit
from penstock.engine.draft import OPEN, UNSUCCESSFUL, Draft
from penstock.engine.finish import tell_parent
from penstock.engine.groups import branch, counts, dag
from penstock.engine.groups.room import is_found, limit_of
from penstock.engine.rule import Rule
from penstock.engine.settle import begin_group, go_on, set_deadline, start
from penstock.model import ids
from penstock.model.effect import SetTimer
from penstock.model.event import Restart, Timer
from penstock.model.node import Dag, Folder, ForEach, If, Node, Parallel, Pause, Subflow, Switch, Task, Until
from penstock.model.plan import AFTER, ERRORS, FINALLY, LOOPS, ROOT, TASKS
from penstock.model.run import GroupState, Parent, Phase, Step
from penstock.model.status import RunStatus, StepStatus

RESTART = "restart"
REPLAY = "replay "
REOPEN = "reopen "


class Scope(msgspec.Struct, frozen=True):
    """What of an ended run is set going again.

    `asides` names the step that is gone on from in the errors or finally of a group, by group. With `chosen` only
    these steps are tried again and only the groups around them opened (nothing chosen: all that did not succeed);
    `only` names the reported steps of a chosen step that are wanted, `settled` the step whose end an operator has said.
    """

    asides: dict[str, str] = {}
    chosen: frozenset[str] | None = None
    only: dict[str, tuple[str, ...]] = {}
    settled: str = ""

    def wants(self, step: Step) -> bool:
        """Is this step, or this group, to be opened again?"""
        return step.status in UNSUCCESSFUL if self.chosen is None else step.key in self.chosen


# Made when nobody else runs: two threads that have msgspec look at a type for the first time crash Python.
SCOPES = msgspec.json.Decoder(Scope)


def restart(draft: Draft, event: Restart) -> None:
    """Set an ended run going again; behind its flow's limit it waits for its turn like any other.

    Not while steps of the last going-through still run beside it: their second attempt would be a third one's rival.
    """
    if event.parts:
        restart_parts(draft, event)
        return
    if event.parent is not None and not _may_go_on_for(draft, event.parent):
        return
    run = draft.run
    if not run.status.ended or run.open or run.status in (RunStatus.SUCCESS, RunStatus.RETRIED):
        return
    draft.run = replace(run, rounds=run.rounds + 1, ended_at=None, outputs=None, failure=None, killed_by="")
    if draft.plan.flow.limit is not None:
        draft.move_run(RunStatus.QUEUED, event.by)
        wait_for_limit(draft, pending=RESTART)
    else:
        reopen_run(draft, by=event.by)


def _may_go_on_for(draft: Draft, parent: Parent) -> bool:
    """Let a child run be waited for by a later attempt of its parent's step; where there is nothing to go on with,
    that attempt hears at once how it stands.
    """
    run = draft.run
    begins = run.status.ended and run.status not in (RunStatus.SUCCESS, RunStatus.RETRIED) and not run.open
    begins = begins and not (run.status is RunStatus.KILLED and draft.plan.flow.language.version == "0.20")
    draft.run = replace(run, parent=replace(parent, round=run.rounds + begins))
    if run.status.ended and not begins:
        tell_parent(draft, run.outputs)
    return begins


def restart_parts(draft: Draft, event: Restart) -> None:
    """Set an ended run going again for some of the steps that its attempts reported, and for nothing else."""
    run = draft.run
    only: dict[str, tuple[str, ...]] = {}
    for key in event.parts:
        whole = ids.whole_of(key)
        only[whole] = (*only.get(whole, ()), ids.part_of(key))
    known = [key for key in only if (step := draft.step(key)) is not None and step.status.ended]
    if not run.status.ended or run.open or run.status is RunStatus.RETRIED or not known:
        return
    around = {above for key in known for above in (key, *draft.plan.ancestors(key))}
    reopen(draft, Scope(chosen=frozenset(around), only=only), event.by)


def reopen_run(draft: Draft, from_step: str = "", by: str = "") -> None:
    """Put back what is to be tried again and start it; a replay goes on `from_step`, in errors or finally too."""
    draft.operator = True
    if not from_step:
        draft.rule(ROOT, Rule.RESTARTED)
    began = from_step or draft.run.root.counts or draft.run.root.result
    draft.move_run(RunStatus.RUNNING, by)
    draft.run = replace(draft.run, started_at=draft.run.started_at or draft.now)
    _set_run_timeout(draft)
    if not began:
        begin_group(draft, ROOT, draft.plan.flow.body)
        return
    lineage = [from_step, *draft.plan.ancestors(from_step)] if from_step else []
    asides = {draft.plan.parent_key(each): each for each in lineage if each and draft.plan.is_aside(each)}
    draft.loaded.all_steps()  # in one read
    _reopen(draft, ROOT, Scope(asides))


def reopen(draft: Draft, scope: Scope, by: str) -> None:
    """Set what `scope` says of an ended run going again, and the groups around it; all else stays as it ended.

    Behind its flow's limit it waits for its turn like any other.
    """
    run = draft.run
    draft.run = replace(run, rounds=run.rounds + 1, ended_at=None, outputs=None, failure=None, killed_by="")
    if draft.plan.flow.limit is not None:
        draft.move_run(RunStatus.QUEUED, by)
        wait_for_limit(draft, pending=reopening(scope))
    else:
        reopen_scope(draft, scope, by)


def reopening(scope: Scope) -> str:
    """What a limit may hold up: the opening of a scope, as the run keeps it."""
    return REOPEN + msgspec.json.encode(scope).decode()


def go_on_pending(draft: Draft, pending: str) -> None:
    """Do what a limit has held up."""
    if pending.startswith(REOPEN):
        reopen_scope(draft, SCOPES.decode(pending.removeprefix(REOPEN)))
    else:
        reopen_run(draft, pending.removeprefix(REPLAY) if pending != RESTART else "")


def reopen_scope(draft: Draft, scope: Scope, by: str = "") -> None:
    """Open the groups that `scope` says, and try again what it says."""
    draft.operator = True
    draft.rule(ROOT, Rule.REOPENED)
    draft.move_run(RunStatus.RUNNING, by)
    _set_run_timeout(draft)
    draft.loaded.all_steps()
    _reopen(draft, ROOT, scope)


def _set_run_timeout(draft: Draft) -> None:
    timeout = draft.plan.flow.timeout
    if timeout is not None:
        draft.emit(SetTimer(ROOT, draft.run.rounds, Timer.RUN_TIMEOUT, draft.now + timeout))


def reopen_half_done(draft: Draft, key: str) -> None:
    """Go on in a group that had to wait for its turn behind the limit of the group around it."""
    operator, draft.operator = draft.operator, True
    _reopen(draft, key, Scope())
    draft.operator = operator


def _children(draft: Draft, key: str) -> list[Step]:
    """The rows of a group's children in their order, errors, finally and what comes after the end behind its tasks."""
    plan, node, state = draft.plan, draft.node(key), draft.group(key)
    if ids.iteration_of(key) is not None:
        lists = [TASKS]
    else:
        lists = [TASKS if isinstance(node, LOOPS) else state.branch, ERRORS, FINALLY, AFTER]
    keys = [plan.child_key(key, child, branch) for branch in lists for child in plan.children(node.id, branch)]
    if isinstance(node, LOOPS) and ids.iteration_of(key) is None:
        inner = {plan.child_key(key, child, TASKS) for child in plan.children(node.id, TASKS)}
        keys = [*_iterations(draft, key, node, state), *(each for each in keys if each not in inner)]
    return draft.rows(keys)


def _iterations(draft: Draft, key: str, node: Node, state: GroupState) -> list[str]:
    """The keys of a loop's iterations; of a loop until those that there are, since it may keep but the last."""
    if isinstance(node, ForEach):
        return [ids.in_loop(key, index) for index in range(state.total or 0)]
    inside = [step.key for step in draft.steps_of(node.id) if step.key.startswith(f"{key}[")]
    return sorted(inside, key=lambda each: ids.iteration_of(each) or 0)


def _reopen(draft: Draft, key: str, scope: Scope) -> None:
    """Set a group going again: its errors and finally are put back, its bad children tried again, its counts made
    anew. Of an aside the step is gone on from, and the tasks of its group stay as they ended.
    """
    if key in scope.asides:
        _reopen_aside(draft, key, scope)
        return
    node = draft.node(key)
    children = _children(draft, key)
    own = [step for step in children if not draft.plan.is_aside(step.key)]
    for step in children:
        if draft.plan.is_aside(step.key):
            _put_back(draft, step.key)
    whole = isinstance(node, Folder)
    for step in own if whole else []:
        _put_back(draft, step.key)
    again = [] if whole else _to_do_again(draft, node, own, scope)
    for step in _to_judge_anew(draft, node, own, again, scope):
        draft.put_back(step, half_done=True)
    again = _within_limit(draft, node, key, again, scope)
    own = [draft.held(step.key) for step in own]
    state = GroupState() if whole else draft.group(key)
    # What a worker may still say of the last going-through's outputs is no answer to this one's.
    evaluation = state.evaluation + bool(state.evaluation)
    redone = {step.key for step in again}
    failure = next((step.failure for step in own if step.status in UNSUCCESSFUL and step.key not in redone), None)
    state = replace(state, next=_cursor(draft, key, own), result=None, failure=failure, evaluation=evaluation, lost=0)
    if isinstance(node, Until) and ids.iteration_of(key) is None:
        state = replace(state, total=min([state.next, *(ids.iteration_of(step.key) or 0 for step in again)]))
    state = replace(state, phase=Phase.TASKS, counts=_recount(own, redone), verdict=None, closing=False)
    if isinstance(node, Dag):
        state = replace(state, marks=dag.remarked(draft, node, own, redone))
    _set_going(draft, key, state)
    if not _has_begun(node, key, state):
        assert not isinstance(node, Task | Subflow | Pause)
        begin_group(draft, key, node)
        return
    for step in again:
        _once_more(draft, step, scope)
    # What an operator has chosen is done first, whatever else did not succeed.
    alone = bool(again) and counts.has_bad(draft.group(key))
    if isinstance(node, Dag):
        dag.again(draft, key, node, judge_only=alone)
    elif not alone:
        go_on(draft, key, draft.group(key))


def _to_do_again(draft: Draft, node: Node, own: list[Step], scope: Scope) -> list[Step]:
    """The children that are tried again at once; in a dag, whose rules judge that, only those that were chosen."""
    wanted = [step for step in own if scope.wants(step)]
    if not isinstance(node, Dag):
        return wanted
    if scope.chosen is None and not scope.asides:
        return []
    seats, graph = draft.plan.seats, draft.plan.graphs[node.id]
    begun = [step for step in wanted if not dag.was_passed_over(step)]
    behind = dag.behind(graph, [seats[step.node].position for step in begun])
    return [step for step in begun if seats[step.node].position not in behind]


def _within_limit(draft: Draft, node: Node, key: str, again: list[Step], scope: Scope) -> list[Step]:
    """Those of the children to try again that there is room for; the others wait for their turn, half done as they
    are. Groups that an operator has chosen begin at once, for only now it is known what of them is wanted.
    """
    room = 1
    if isinstance(node, Parallel | ForEach | Dag) and ids.iteration_of(key) is None:
        room = limit_of(node, draft.group(key))
    chosen_groups = scope.chosen is not None and any(step.group is not None for step in again)
    if not room or scope.asides or chosen_groups:
        return again
    for step in again[room:]:
        draft.put_back(step, half_done=True, only=scope.only.get(step.key, ()))
    return again[:room]


def _to_judge_anew(draft: Draft, node: Node, own: list[Step], again: list[Step], scope: Scope) -> list[Step]:
    """The children of a dag whose rules decide anew: what did not succeed, and what was skipped behind that; where an
    operator has chosen, only what was passed over because of something that no longer stands in its way.
    """
    if not isinstance(node, Dag):
        return []
    moved = {scope.settled, *(step.key for step in again)}
    others = [step for step in own if step.key not in moved and (scope.chosen is None or dag.was_passed_over(step))]
    bad = [step for step in others if step.status in UNSUCCESSFUL]
    moved |= {step.key for step in bad}
    places = {step.key: draft.plan.seats[step.node].position for step in own}
    behind = dag.behind(draft.plan.graphs[node.id], [places[step.key] for step in own if step.key in moved])
    return bad + [step for step in others if step.status is StepStatus.SKIPPED and places[step.key] in behind]


def _reopen_aside(draft: Draft, key: str, scope: Scope) -> None:
    """Go on in the errors, finally or after of a group whose tasks are over, from the step that is replayed."""
    step = draft.held(scope.asides[key])
    seat = draft.plan.seats[step.node]
    state = replace(draft.group(key), phase=Phase(seat.branch), next=seat.position + 1)
    result = state.result or counts.rollup(state)
    if seat.branch == AFTER:
        draft.run = replace(draft.run, failure=state.failure)
    _set_going(draft, key, replace(state, result=result, verdict=result if seat.branch == AFTER else None))
    _once_more(draft, step, scope)


def _set_going(draft: Draft, key: str, state: GroupState) -> None:
    if key == ROOT:
        draft.run = replace(draft.run, root=state)
        return
    draft.rule(key, Rule.REOPENED)
    step = draft.held(key)
    fresh = replace(step, status=StepStatus.RUNNING, group=state, attempt=step.attempt + 1, lost=0, first_at=draft.now)
    draft.put(replace(fresh, ended_at=None, failure=None))
    set_deadline(draft, key, draft.node(key), fresh.attempt)


def _has_begun(node: Node, key: str, state: GroupState) -> bool:
    if ids.iteration_of(key) is not None:
        return True
    match node:
        case If() | Switch():
            return branch.chosen(state.branch)
        case ForEach():
            return state.total is not None
        case Parallel() | Dag():
            return is_found(node, state)
        case Folder():
            return False
        case _:
            return True


def _put_back(draft: Draft, key: str) -> None:
    step = draft.held(key)
    below = _children(draft, key) if step.group is not None else []
    if not step.status.open:
        draft.rule(key, Rule.PUT_BACK)
        draft.put_back(step)
    for child in below:
        _put_back(draft, child.key)


def _recount(own: list[Step], redone: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for step in own:
        if step.status is not StepStatus.WAITING:
            word = OPEN if step.key in redone or step.status.open else str(step.status)
            found[word] = found.get(word, 0) + 1
    return found


def _cursor(draft: Draft, key: str, own: list[Step]) -> int:
    """The next child to start: the first one that waits, else the one behind the last that has begun (a list of tasks
    is always begun in its order).
    """
    loop = isinstance(draft.node(key), LOOPS) and ids.iteration_of(key) is None
    places = {
        step.key: (ids.iteration_of(step.key) or 0) if loop else draft.plan.seats[step.node].position for step in own
    }
    waiting = [places[step.key] for step in own if step.status is StepStatus.WAITING]
    return min(waiting, default=1 + max(places.values(), default=-1))


def _once_more(draft: Draft, step: Step, scope: Scope) -> None:
    """Begin a step anew, its condition and deadline included; its attempts go on counting."""
    if step.group is not None:
        _reopen(draft, step.key, scope)
        return
    node = draft.node(step.key)
    match node:
        case Task() | Subflow() | Pause():
            draft.rule(step.key, Rule.RESTARTED)
            leaf.begin(draft, step.key, node, scope.only.get(step.key, ()))
        case _:
            start(draft, step.key, node)  # a group that ended before it began
