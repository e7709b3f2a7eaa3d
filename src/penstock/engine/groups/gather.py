"""What does one iteration of a loop hand on? The outputs that the loop declares, once its tasks have succeeded."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.draft import Draft
from penstock.engine.evaluate import outputs_of
from penstock.engine.rule import Rule
from penstock.model.effect import Produce
from penstock.model.node import ForEach, Node
from penstock.model.status import StepStatus


def gather(draft: Draft, key: str, node: Node, result: StepStatus) -> StepStatus:
    """Hand on the outputs of an iteration that came to `result`; outputs that cannot be told fail it."""
    if not isinstance(node, ForEach) or not node.outputs or result not in (StepStatus.SUCCESS, StepStatus.WARNING):
        return result
    values, failure = outputs_of(draft, key, node.outputs)
    if values is None:
        draft.rule(key, Rule.OUTPUTS_FAILED)
        draft.set_group(key, replace(draft.group(key), failure=failure))
        return StepStatus.FAILED
    draft.emit(Produce(key, draft.held(key).attempt, values))
    return result
