"""Which branch of an if or a switch is gone? Decided once, recorded as outputs; then it goes on as a sequence."""

from __future__ import annotations

from msgspec.structs import replace

from penstock import expr
from penstock.engine.draft import Draft
from penstock.engine.evaluate import evaluate
from penstock.engine.groups import guard, sequence
from penstock.engine.rule import Rule
from penstock.expr.printing import to_text
from penstock.model.effect import Produce
from penstock.model.node import If, Switch
from penstock.model.run import ErrorKind, Failure


def begin(draft: Draft, key: str, node: If | Switch, values: dict[str, object] | None) -> None:
    """Choose the branch and start it; `values` are what a worker evaluated. Raises PenstockError of the expression."""
    step = draft.held(key)
    match node:
        case If():
            truth = expr.truthy(values["condition"] if values else evaluate(draft, key, node.condition))
            branch = "then" if truth else "else"
            outputs: dict[str, object] = {"evaluationResult": truth}
        case Switch():
            value = to_text(values["value"] if values else evaluate(draft, key, node.value))
            branch = f"case:{value}" if value in node.cases else "default"
            outputs = {"value": value, "defaults": branch == "default"}
            if branch == "default" and not node.default:
                draft.emit(Produce(key, step.attempt, outputs))
                message = f'No case of "{node.id}" is called "{value}", and it has no default.'
                guard.fail(draft, key, Failure(ErrorKind.TASK, message))
                return
    draft.rule(key, Rule.BRANCH_CHOSEN, branch)
    draft.emit(Produce(key, step.attempt, outputs))
    state = replace(draft.group(key), branch=branch)
    draft.set_group(key, state)
    sequence.go_on(draft, key, state)


def outline(node: If | Switch) -> dict[str, object]:
    """The properties to evaluate, by name."""
    return {"condition": node.condition} if isinstance(node, If) else {"value": node.value}


def chosen(branch: str) -> bool:
    """Has a branch been chosen yet?"""
    return branch != "tasks"
