"""How are tasks and groups written? Each as a map that is read as the same node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from penstock.dialects.kestra.groups import OF_VALUES
from penstock.dialects.kestra.rewriting.order import ENTRY_OF_DAG, TASK, arranged
from penstock.dialects.kestra.ways import aside, batches
from penstock.dialects.kestra.writing.parts import (
    Written,
    cached,
    declared,
    handed,
    kept,
    limited,
    retried,
    span,
    texts,
    watching,
)
from penstock.errors.flow import CannotWrite
from penstock.model.node import (
    Dag,
    Folder,
    ForEach,
    Group,
    If,
    Need,
    Node,
    Parallel,
    Pause,
    Sequence,
    Subflow,
    Switch,
    Task,
    TriggerRule,
    Until,
)
from penstock.model.policy import OnChildFailure

SECOND: Final = 1_000_000
PRESUMED: Final = (TriggerRule.ALL_DONE, TriggerRule.NONE_FAILED)


def listed(nodes: Iterable[Node], version: str) -> list[Written]:
    """The tasks of a list."""
    return [written(node, version) for node in nodes]


def written(node: Node, version: str) -> Written:
    """One task or group. Raises CannotWrite for what the language has no words for."""
    if not isinstance(node, Task) and (node.timeout != "" or (node.run_if and version == "0.20")):
        raise CannotWrite(f'The language has no such condition or timeout of a group: "{node.id}".')
    kind, own = _own(node, version)
    head: Written = {"id": node.id, "type": kind, **kept(description=node.description, disabled=node.disabled)}
    head |= kept(runIf=node.run_if)
    policies: Written = {
        **retried(node.retry, version),
        **kept(deadline=span(node.deadline)),
        **kept(allowFailure=node.allow_failure, allowWarning=node.allow_warning),
    }
    if isinstance(node, ForEach) and node.gathers and node.on_child_failure is OnChildFailure.FINISH:
        policies = {name: each for name, each in policies.items() if not name.startswith("allow")}
    inside: Written = {name: own.pop(name) for name in ("then", "else", "cases", "defaults", "tasks") if name in own}
    ends: Written = {}
    if isinstance(node, Group):
        around = kept(errors=listed(node.errors, version), **{"finally": listed(node.finally_, version)})
        ends = {**around, **{name: own.pop(name) for name in ("errors", "finally") if name in own}}
    return arranged({**head, **own, **policies, **inside, **ends}, TASK)


def _own(node: Node, version: str) -> tuple[str, Written]:
    """The type of a node, and what only nodes of its kind have."""
    match node:
        case Task():
            return node.type, _task(node)
        case Subflow():
            return "subflow", _subflow(node, version)
        case Pause():
            asked = [declared(each, version) for each in node.inputs]
            delay = span(node.delay) if isinstance(node.delay, int) else node.delay
            more = kept(pauseDuration=delay, onResume=asked, resumers=list(node.resumers))
            return "pause", {**more, "behavior": node.at_end.value.upper()}
        case Sequence():
            batch = _batches(node, version)
            return ("foreach_item", batch) if batch else ("sequence", {"tasks": _some(node.nodes, node, version)})
        case Parallel():
            said: Written = {"onChildFailure": _word(node.on_child_failure, node)}
            return "parallel", {**kept(concurrent=node.limit), **said, "tasks": _some(node.nodes, node, version)}
        case ForEach():
            return _loop(node, version)
        case If():
            more = kept(**{"else": listed(node.else_, version)})
            return "if", {"condition": node.condition, "then": _some(node.then, node, version), **more}
        case Switch():
            return "switch", _switch(node, version)
        case Dag():
            return "dag", _dag(node, version)
        case Until():
            return "loop_until", _until(node, version)
        case Folder():
            return "working_directory", {**_files(node), "tasks": _some(node.nodes, node, version)}


def _task(node: Task) -> Written:
    timeout = span(node.timeout) if isinstance(node.timeout, int) else node.timeout
    return {
        **node.properties,
        **watching(node.sensor),
        **cached(node.cache),
        **limited(node.limits),
        **kept(queue="" if node.queue == "default" else node.queue, timeout=timeout, logLevel=node.log_level),
    }


def _subflow(node: Subflow, version: str) -> Written:
    if node.transmit_cancelled == (version == "0.20"):
        raise CannotWrite(f'In version {version} the ends of "{node.id}" mean something else.')
    said: Written = {"namespace": node.namespace, "flowId": node.flow}
    said |= kept(revision=node.revision, inputs=node.inputs, labels=texts(node.labels, f'"{node.id}"'))
    said |= {} if node.wait else {"wait": False}
    said |= {} if node.transmit_failed else {"transmitFailed": False}
    said |= kept(inheritLabels=node.inherit_labels, scheduleDate=node.at)
    return said if node.go_on else {**said, "restartBehavior": "NEW_EXECUTION"}


def _loop(node: ForEach, version: str) -> tuple[str, Written]:
    if node.gathers and (node.errors or node.finally_):
        raise CannotWrite(f'What "{node.id}" does behind a failure or at its end it does in each iteration.')
    inside = _inside_loop(node, version)
    said: Written = {"values": node.values, "concurrencyLimit": node.limit}
    if not node.gathers:
        if not node.distinct or node.outputs or node.on_child_failure is not OnChildFailure.CONTINUE:
            raise CannotWrite(
                f'The language has no loop such as "{node.id}": one value twice, or going on behind failures.'
            )
        return "foreach", {**said, **inside}
    transmits = node.on_child_failure is OnChildFailure.CONTINUE
    silent = node.on_child_failure is OnChildFailure.FINISH and node.allow_failure and node.allow_warning
    if node.distinct or not (transmits or silent):
        raise CannotWrite(f'The language has no loop that tells of its iterations as "{node.id}" does.')
    said |= {} if transmits else {"transmitFailed": False}
    return "loop", {**said, **kept(outputs=[handed(each) for each in node.outputs]), **inside}


def _inside_loop(node: ForEach, version: str) -> Written:
    """The tasks of a loop, and the errors and finally of each of its iterations."""
    match node.nodes:
        case (Sequence(nodes=nodes, errors=errors, finally_=last) as each,) if node.gathers and (errors or last):
            if each == Sequence(id=f"{node.id[:93]}{OF_VALUES}", nodes=nodes, errors=errors, finally_=last):
                ends = {"errors": listed(errors, version), "finally": listed(last, version)}
                return {"tasks": _some(nodes, node, version), **kept(**ends)}
    return {"tasks": _some(node.nodes, node, version)}


def _switch(node: Switch, version: str) -> Written:
    cases = {name: listed(nodes, version) for name, nodes in node.cases.items()}
    if not node.default and not any(cases.values()):
        raise CannotWrite(f'The group "{node.id}" has no tasks.')
    return {"value": node.value, **kept(cases=cases, defaults=listed(node.default, version))}


def _dag(node: Dag, version: str) -> Written:
    ruled = any(need.setups or need.rule is not TriggerRule.ALL_DONE for need in node.needs.values())
    tears = {name for name, need in node.needs.items() if need.setups}
    judges = tuple(each.id for each in node.nodes if each.id not in tears) if tears else ()
    if judges != node.judges:
        raise CannotWrite(f'What ends the dag "{node.id}" cannot be said: all but what takes down decides.')
    entries = [
        arranged({**_need(node.needs.get(each.id), ruled=ruled), "task": written(each, version)}, ENTRY_OF_DAG)
        for each in node.nodes
    ]
    if not entries:
        raise CannotWrite(f'The group "{node.id}" has no tasks.')
    return {
        **kept(concurrent=node.limit),
        "onChildFailure": node.on_child_failure.value.upper(),
        "tasks": entries,
    }


def _need(need: Need | None, *, ruled: bool) -> Written:
    if need is None:
        return {}
    if bool(need.setups) != (need.rule is TriggerRule.ALL_DONE_SETUP_SUCCESS) or set(need.setups) - set(need.on):
        raise CannotWrite("What a task takes down it needs, and its rule is the one of what takes down.")
    if not need.on and need.rule in PRESUMED:
        raise CannotWrite("A task of a dag that needs nothing is not among those that need something.")
    said = kept(dependsOn=list(need.on), teardownOf=list(need.setups))
    return {**said, "rule": need.rule.value.upper()} if ruled and not need.setups else said


def _until(node: Until, version: str) -> Written:
    most, old = node.most, version == "0.20"
    if old and (most is None or most < 2 or node.longest is None):
        raise CannotWrite(f'In version 0.20 a loop has limits, and does one iteration more: "{node.id}".')
    often = kept(maxIterations=most - 1 if old and most else most, maxDuration=span(node.longest))
    return {
        "condition": node.condition,
        "checkFrequency": {**often, "interval": span(node.interval)},
        "keep": node.keep.value.upper(),
        **kept(failOnMaxReached=node.fail_at_most),
        "tasks": _some(node.nodes, node, version),
    }


def _files(node: Folder) -> Written:
    if any(aside(node.nodes)):
        raise CannotWrite(f'In the working directory "{node.id}" can stand tasks that do work in it, and no others.')
    cache = node.properties.get("cache")
    if not isinstance(cache, dict):
        return dict(node.properties)
    ttl = cache.get("ttl")
    micros = round(ttl * SECOND) if isinstance(ttl, int | float) else None
    return {**node.properties, "cache": {"patterns": cache.get("patterns"), **kept(ttl=span(micros))}}


def _batches(node: Sequence, version: str) -> Written:
    """A loop over a file in batches, where a group is what such a loop is written out as."""
    match node.nodes:
        case (Task(type="files.split") as split, ForEach(nodes=(Subflow() as child,)), Task()):
            asked = {name: each for name, each in split.properties.items() if name != "listed"}
            plain = batches(node.id, asked, child)
            same = replace(node, nodes=plain.nodes) == node and isinstance(split.properties.get("from"), str)
            common = replace(child, description="", disabled=False, retry=None, deadline=None)
            if same and replace(common, allow_failure=False, allow_warning=False) == child:
                batch = {name: each for name, each in asked.items() if name != "from"}
                return {"items": split.properties["from"], "batch": batch, **_subflow(child, version)}
            return {}
        case _:
            return {}


def _some(nodes: tuple[Node, ...], group: Node, version: str) -> list[Written]:
    if not nodes:
        raise CannotWrite(f'The group "{group.id}" has no tasks.')
    return listed(nodes, version)


def _word(failure: OnChildFailure, group: Node) -> str:
    if failure is OnChildFailure.FINISH:
        raise CannotWrite(f'The language has no parallel group that fails only when all is done: "{group.id}".')
    return failure.value.upper()
