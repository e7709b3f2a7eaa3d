"""What do a flow's listeners do once its run is over? Tasks after its end, where their conditions hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.conditions import OWN, conditions, expression
from penstock.dialects.kestra.page import Page, tell
from penstock.dialects.kestra.tree import Map
from penstock.errors import Severity
from penstock.errors.flow import Deprecated, NothingToDo, NotSupported
from penstock.model.node import If, Node, Sequence
from penstock.model.trigger import Condition

ID: Final = "listener-{}"


def listeners(page: Page, tree: Map, nodes: Callable[[Page, Map, str], tuple[Node, ...]]) -> tuple[Node, ...]:
    """One group for each listener, to run after the end."""
    if fields.given(tree, "listeners") is not None:
        sentence = "`listeners` are the older way to act on the end of a run."
        hint = "`afterExecution` and `errors` do it, or a flow with a trigger of type Flow."
        tell(page, Deprecated, tree.keys["listeners"], sentence, hint, Severity.NOTE)
    return tuple(
        _one(page, item, ID.format(number), nodes)
        for number, item in enumerate(fields.maps(page, tree, "listeners", "A listener"), start=1)
    )


def _one(page: Page, tree: Map, name: str, nodes: Callable[[Page, Map, str], tuple[Node, ...]]) -> Node:
    fields.known(page, tree, ("description", "conditions", "tasks"), "A listener")
    inside = nodes(page, tree, "tasks")
    if not inside:
        tell(page, NothingToDo, tree, "A listener needs at least one task.")
    wanted = conditions(page, tree, OWN)
    about = fields.text(page, tree, "description")
    if not wanted:
        return Sequence(id=name, description=about, nodes=inside)
    test = expression(Condition(all_of=wanted))
    if not test:
        sentence = "These conditions of a listener cannot be made into one expression."
        tell(page, NotSupported, tree.keys["conditions"], sentence, "Write each as one `{{ … }}`.")
    return If(id=name, description=about, condition=f"{{{{ {test} }}}}", then=inside)
