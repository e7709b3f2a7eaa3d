"""How does a step run another flow? Its attempt starts a child run and, when it waits, ends as the child ends."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from penstock.engine import evaluate as evaluation
from penstock.engine.draft import UNSUCCESSFUL, Draft
from penstock.engine.evaluate import evaluate, failure_of, typed
from penstock.engine.rule import Rule
from penstock.engine.values import instant_micros
from penstock.errors import PenstockError
from penstock.model import ids
from penstock.model.effect import StartChild
from penstock.model.node import Subflow
from penstock.model.run import ErrorKind, Failure, Parent, Run, Step
from penstock.model.status import Outcome, RunStatus, StepStatus


def is_pure(node: Subflow, run: Run) -> bool:
    """May the decision itself evaluate the subflow's properties?"""
    return evaluation.is_pure(outline(node), run)


def outline(node: Subflow) -> dict[str, object]:
    """The properties to evaluate, by name."""
    called: dict[str, object] = {"namespace": node.namespace, "flow": node.flow}
    return called | {"inputs": node.inputs, "labels": node.labels} | ({"at": node.at} if node.at else {})


def given(node: Subflow, inputs: dict[str, object], value: Callable[[str], object]) -> dict[str, object]:
    """The inputs that were rendered, without those whose template gives null: so the other flow presumes its own."""

    def is_null(tree: object) -> bool:
        return isinstance(tree, str) and "{" in tree and value(tree) is None

    return {name: each for name, each in inputs.items() if each != "" or not is_null(node.inputs.get(name))}


def begin(draft: Draft, node: Subflow, step: Step, values: dict[str, object] | None) -> None:
    """Ask for the child run; a step that does not wait for its end still learns whether it could be started."""
    run = draft.run
    draft.put(step)
    try:
        if run.depth + 1 > ids.DEEPEST_SUBFLOW:
            draft.rule(step.key, Rule.TOO_DEEP)
            message = f'"{node.id}" would be subflow {run.depth + 1} deep; at most {ids.DEEPEST_SUBFLOW} are allowed.'
            draft.end(step, StepStatus.FAILED, Failure(ErrorKind.SUBFLOW, message, code="PS-307"))
            return
        found = values if values is not None else evaluate(draft, step.key, outline(node))
        assert isinstance(found, dict)
        inputs = dict(found["inputs"])
        if values is None:
            inputs = given(node, inputs, lambda tree: typed(draft, step.key, tree))
        at = instant_micros(found.get("at") or "")
    except PenstockError as error:
        draft.rule(step.key, Rule.CANNOT_RENDER)
        draft.end(step, StepStatus.FAILED, failure_of(error))
        return
    child = step.failed_child or ids.child_run_id(run.id, step.key, step.attempt)
    inherited = {k: v for k, v in run.labels.items() if node.inherit_labels or k.startswith("system.")}
    draft.emit(
        StartChild(
            id=child,
            parent=Parent(run.id, step.key, step.attempt, node.wait),
            namespace=str(found["namespace"]),
            flow=str(found["flow"]),
            revision=node.revision,
            inputs=inputs,
            labels=inherited | {str(k): str(v) for k, v in dict(found["labels"]).items()},
            depth=run.depth + 1,
            at=at,
            again=bool(step.failed_child),
        )
    )
    draft.rule(step.key, Rule.CHILD_GOES_ON if step.failed_child else Rule.CHILD_STARTED, child)
    draft.put(replace(step, status=StepStatus.RUNNING, child=child, failed_child="", started_at=draft.now))


def to_go_on_with(draft: Draft, node: Subflow, earlier: Step) -> str:
    """The child run of an earlier attempt that a restart goes on with: one of this run's own that did not succeed."""
    child = earlier.child if earlier.status in UNSUCCESSFUL else earlier.failed_child
    own = (ids.child_run_id(draft.run.id, earlier.key, number) for number in range(earlier.attempt, 0, -1))
    return child if child and node.go_on and node.wait and child in own else ""


def outcome_of(node: Subflow, status: RunStatus) -> Outcome:
    """How the child's end counts for the step."""
    match status:
        case RunStatus.SUCCESS:
            return Outcome.DONE
        case RunStatus.FAILED | RunStatus.KILLED | RunStatus.WARNING if not node.transmit_failed:
            return Outcome.DONE
        case RunStatus.CANCELLED | RunStatus.RETRIED if not (node.transmit_failed and node.transmit_cancelled):
            return Outcome.DONE
        case RunStatus.WARNING:
            return Outcome.WARNING
        case RunStatus.KILLED:
            return Outcome.KILLED
        case _:
            return Outcome.FAILED
