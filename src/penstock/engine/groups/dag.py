"""How does a dag go on? What ended is marked, its dependents are judged by their rules, and who may begin begins.

A skip or a cancellation is itself an end, so it travels on at once, worked off as a list. One letter per node is all
that is remembered: a map of ten thousand names would be written at every event.
"""

from __future__ import annotations

from collections import deque

from msgspec.structs import replace

from penstock.engine.draft import Draft
from penstock.engine.groups import counts, guard
from penstock.engine.groups.room import limit_of
from penstock.engine.groups.rules import EARLY, MARKS, OPEN, READY, UNDONE, WAITING, Verdict, verdict
from penstock.engine.rule import Rule
from penstock.model import ids
from penstock.model.effect import Tell
from penstock.model.event import Expand
from penstock.model.node import Dag, Need, Node
from penstock.model.plan import TASKS, Graph
from penstock.model.policy import OnChildFailure
from penstock.model.run import ErrorKind, Failure, GroupState, Step
from penstock.model.status import StepStatus

WINDOW = 100
FREE = Need()


def begin(draft: Draft, key: str, node: Dag) -> None:
    """Judge every node once, then start those that may begin."""
    nodes = draft.plan.children(node.id, TASKS)
    marks = [WAITING] * len(nodes)
    _travel(draft, key, node, marks, range(len(nodes)))
    go_on(draft, key, _marked(draft, key, marks), node)


def ended(draft: Draft, key: str, node: Dag, child: str) -> None:
    """A node has ended: let its dependents know, and go on."""
    state = draft.group(key)
    marks = list(state.marks)
    place = draft.plan.seats[ids.node_of(child)].position
    marks[place] = MARKS[draft.held(child).status]
    _travel(draft, key, node, marks, draft.plan.graphs[node.id].dependents[place])
    go_on(draft, key, _marked(draft, key, marks), node)


def go_on(draft: Draft, key: str, state: GroupState, node: Dag) -> None:
    """Start whoever is ready and the limit leaves room for, a window at most; or let the dag be over."""
    if node.on_child_failure is not OnChildFailure.FINISH and counts.has_bad(state):
        guard.child_failed(draft, key, state, node.on_child_failure)
        return
    nodes = draft.plan.children(node.id, TASKS)
    marks, place, started = list(state.marks), state.marks.find(READY), 0
    limit = limit_of(node, state)
    room = limit - counts.open_children(state) if limit else len(nodes)
    while place >= 0 and started < min(room, WINDOW):
        marks[place] = OPEN
        draft.starting.append((draft.plan.child_key(key, nodes[place], TASKS), nodes[place]))
        started += 1
        place = state.marks.find(READY, place + 1)
    if started:
        begun = state.counts | {"open": counts.open_children(state) + started}
        state = replace(state, marks="".join(marks), next=state.next + started, counts=begun)
        draft.set_group(key, state)
    if place >= 0 and started == WINDOW < room:
        draft.emit(Tell(Expand(key, state.next)))
    if not counts.open_children(state):
        guard.tasks_over(draft, key, _result(draft, node, state))


def remarked(draft: Draft, node: Dag, children: list[Step], redone: set[str]) -> str:
    """The marks of a dag that is set going again: what ended and stays, what is `redone`, and all others waiting."""
    marks = [WAITING] * len(draft.plan.children(node.id, TASKS))
    for step in children:
        place = draft.plan.seats[step.node].position
        if step.key in redone or step.status.open:
            marks[place] = OPEN
        elif step.status.ended:
            marks[place] = MARKS[step.status]
    return "".join(marks)


def was_passed_over(step: Step) -> bool:
    """Did this node end without having begun, by what became of those it needs?"""
    return step.status.ended and step.first_at is None


def again(draft: Draft, key: str, node: Dag, *, judge_only: bool) -> None:
    """Judge anew whoever waits, after some of its nodes were put back; with `judge_only` nothing begins by it yet."""
    marks = list(draft.group(key).marks)
    _travel(draft, key, node, marks, range(len(marks)))
    state = _marked(draft, key, marks)
    if not judge_only:
        go_on(draft, key, state, node)


def behind(graph: Graph, places: list[int]) -> set[int]:
    """Every node that needs one of these, or needs one that does."""
    found: set[int] = set()
    waiting = list(places)
    while waiting:
        for one in graph.dependents[waiting.pop()]:
            if one not in found:
                found.add(one)
                waiting.append(one)
    return found


def _travel(draft: Draft, key: str, node: Dag, marks: list[str], first: range | tuple[int, ...]) -> None:
    """Judge these nodes and, where one is skipped or cancelled, those that need it in turn."""
    nodes, graph = draft.plan.children(node.id, TASKS), draft.plan.graphs[node.id]
    waiting = deque(first)
    while waiting:
        place = waiting.popleft()
        if marks[place] != WAITING:
            continue
        match _judge(draft, node, nodes[place], graph.needs[place], marks):
            case Verdict.WAIT:
                pass
            case Verdict.BEGIN:
                draft.rule(draft.plan.child_key(key, nodes[place], TASKS), Rule.NEEDS_MET, _rule(node, nodes[place]))
                marks[place] = READY
            case Verdict.SKIP:
                _pass_over(draft, key, nodes[place], StepStatus.SKIPPED, marks, place)
                waiting.extend(graph.dependents[place])
            case Verdict.CANCEL:
                _pass_over(draft, key, nodes[place], StepStatus.CANCELLED, marks, place)
                waiting.extend(graph.dependents[place])


def _judge(draft: Draft, dag: Dag, node: Node, needs: tuple[int, ...], marks: list[str]) -> Verdict:
    need = dag.needs.get(node.id, FREE)
    # Nodes mostly end in their order, so of many that are needed the last one tells soonest that it is too early.
    if needs and marks[needs[-1]] in UNDONE and need.rule not in EARLY:
        return Verdict.WAIT
    seats = draft.plan.seats
    setups = "".join(marks[seats[one].position] for one in need.setups if one in seats)
    return verdict(need.rule, "".join([marks[one] for one in needs]), setups)


def _pass_over(draft: Draft, key: str, node: Node, status: StepStatus, marks: list[str], place: int) -> None:
    """A node ends without having begun: its row says so, and it is counted."""
    marks[place] = MARKS[status]
    inner = draft.plan.child_key(key, node, TASKS)
    dag = draft.node(key)
    assert isinstance(dag, Dag)
    draft.rule(inner, Rule.NEEDS_SKIPPED if status is StepStatus.SKIPPED else Rule.NEEDS_FAILED, _rule(dag, node))
    earlier = draft.earlier(inner)
    failure = None
    if status is StepStatus.CANCELLED:
        failure = Failure(ErrorKind.CHILD, "Something that it needs did not succeed.")
    draft.put(
        Step(
            key=inner,
            node=node.id,
            status=status,
            attempt=earlier.attempt if earlier else 0,
            queued_at=draft.now,
            ended_at=draft.now,
            failure=failure,
        )
    )
    state = draft.group(key)
    draft.set_group(key, counts.ended(counts.begun(state), status, None))


def _rule(dag: Dag, node: Node) -> str:
    return dag.needs.get(node.id, FREE).rule.value


def _marked(draft: Draft, key: str, marks: list[str]) -> GroupState:
    state = replace(draft.group(key), marks="".join(marks))
    draft.set_group(key, state)
    return state


def _result(draft: Draft, node: Dag, state: GroupState) -> StepStatus:
    """What the nodes that judge came to; where none is named, all do."""
    if not node.judges:
        return counts.rollup(state)
    seats = draft.plan.seats
    letters = {state.marks[seats[one].position] for one in node.judges if one in seats}
    for status in (*counts.BAD, StepStatus.WARNING):
        if MARKS[status] in letters:
            # A node that was cancelled because of one before it makes the dag fail, not cancelled.
            return StepStatus.FAILED if status is StepStatus.CANCELLED else status
    return StepStatus.SUCCESS
