"""Which flows start which? Subflows say it; of each trigger it is asked whether a run of a flow could fire it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from penstock import expr
from penstock.engine.scope import nested
from penstock.errors import PenstockError
from penstock.model.access import Scope
from penstock.model.flow import Flow
from penstock.model.node import Subflow
from penstock.model.plan import Plan, plan
from penstock.model.status import RunStatus
from penstock.model.trigger import Condition, OnRuns
from penstock.services.core import Core
from penstock.store import flows
from penstock.store.port import Tx
from penstock.store.reach import holds

MOST: Final = 1_000
Name = tuple[str, str]
# What is known of a run before there is one.
KNOWN: Final = ("namespace", "flowId", "state")
ENDS: Final = tuple(each for each in RunStatus if each.ended)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A flow starts another, by a subflow or a trigger named `by`; not `sure` where that hangs on more than names."""

    source: Name
    target: Name
    kind: str
    by: str
    sure: bool = True


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """Flows by how many steps they are away, and what links them; `more`: not all that are near are among them."""

    distances: dict[Name, int]
    missing: frozenset[Name]
    links: list[Link]
    more: bool


class _All:
    """What the flows in a scope say of each other."""

    def __init__(self, names: Iterable[Name], saying: Iterable[Flow]) -> None:
        self.names = frozenset(names)
        self.calls: dict[Name, list[Link]] = {}
        self.called: dict[Name, list[Link]] = {}
        self.watchers: list[tuple[Flow, OnRuns]] = []
        for flow in saying:
            self.watchers += [(flow, each) for each in flow.triggers if isinstance(each, OnRuns) and not each.disabled]
            for link in _calls(plan(flow)):
                self.calls.setdefault(link.source, []).append(link)
                self.called.setdefault(link.target, []).append(link)

    def down(self, name: Name) -> Iterator[Link]:
        """What a flow starts."""
        yield from self.calls.get(name, ())
        for flow, trigger in self.watchers:
            yield from _fired(flow, trigger, name)

    def up(self, name: Name) -> Iterator[Link]:
        """What starts a flow."""
        yield from self.called.get(name, ())
        own = [(flow, trigger) for flow, trigger in self.watchers if (flow.namespace, flow.id) == name]
        for flow, trigger in own:
            for other in sorted(self.names):
                yield from _fired(flow, trigger, other)


def of_flow(core: Core, scope: Scope, name: Name, depth: int, *, up: bool = True, down: bool = True) -> Around:
    """What starts a flow, and what it starts, so many steps away."""
    return _around(_read(core, scope), scope, [name], depth, up=up, down=down)


def of_namespace(core: Core, scope: Scope, namespace: str) -> Around:
    """What the flows of a namespace start, and what starts them."""
    known = _read(core, scope)
    inside = sorted(name for name in known.names if name[0] == namespace)
    found = _around(known, scope, inside[:MOST], 1, up=True, down=True)
    return msgspec.structs.replace(found, more=found.more or len(inside) > MOST)


def _read(core: Core, scope: Scope) -> _All:
    def look(tx: Tx) -> tuple[list[Name], list[Flow]]:
        every = [(each.namespace, each.id) for each in flows.page(tx, scope, 1_000_000)]
        return every, flows.linked(tx, scope)

    return _All(*core.store.read(look))


def _around(known: _All, scope: Scope, begin: list[Name], depth: int, *, up: bool, down: bool) -> Around:
    distances = dict.fromkeys(begin, 0)
    links: dict[Link, None] = {}
    more = False
    for way, wanted in ((known.up, up), (known.down, down)):
        edge = list(begin) if wanted else []
        for step in range(1, depth + 1):
            found = [link for name in edge for link in way(name) if _seen(scope, link)]
            edge = []
            for link in found:
                far = link.source if way == known.up else link.target
                if far not in distances:
                    if len(distances) >= MOST:
                        more = True
                        continue
                    distances[far] = step
                    edge.append(far)
                links[link] = None
    return Around(
        distances=distances,
        missing=frozenset(distances) - known.names,
        links=[link for link in links if link.source in distances and link.target in distances],
        more=more,
    )


def _seen(scope: Scope, link: Link) -> bool:
    return holds(scope, link.source[0]) and holds(scope, link.target[0])


def _calls(made: Plan) -> Iterator[Link]:
    flow = made.flow
    around = {
        "flow": {"id": flow.id, "namespace": flow.namespace, "revision": flow.revision},
        "labels": nested(flow.labels),
        "vars": flow.variables,
        "globals": flow.globals,
    }
    for node_id, seat in made.seats.items():
        if isinstance(seat.node, Subflow):
            try:
                target = tuple(expr.compile(each).render(around) for each in (seat.node.namespace, seat.node.flow))
            except PenstockError:
                continue  # only a run knows
            yield Link(source=(flow.namespace, flow.id), target=(target[0], target[1]), kind="subflow", by=node_id)


def _fired(flow: Flow, trigger: OnRuns, by: Name) -> Iterator[Link]:
    """The link by which a run of one flow starts another, if it could."""
    own = (flow.namespace, flow.id)
    if by == own:
        return
    fires = _every(_holds(each, flow, trigger, by) for each in trigger.when)
    if fires is not False and trigger.waits_for:
        met = [_every(_holds(each, flow, trigger, by) for each in one.when) for one in trigger.waits_for]
        fires = _every((fires, _any(met)))
    if fires is not False:
        yield Link(source=by, target=own, kind="trigger", by=trigger.id, sure=fires is True)


def _holds(condition: Condition, flow: Flow, trigger: OnRuns, by: Name) -> bool | None:
    """Whether a condition holds for runs of a flow; None: for some of them."""
    if condition.any_of:
        return _any(_holds(each, flow, trigger, by) for each in condition.any_of)
    if condition.all_of:
        return _every(_holds(each, flow, trigger, by) for each in condition.all_of)
    if condition.none_of:
        found = _any(_holds(each, flow, trigger, by) for each in condition.none_of)
        return None if found is None else not found
    states = tuple(str(each) for each in trigger.states) or tuple(map(str, ENDS))
    return _true(condition.test, by, (flow.namespace, flow.id), states)


@functools.lru_cache(maxsize=50_000)
def _true(test: str, by: Name, own: Name, states: tuple[str, ...]) -> bool | None:
    """Whether a test is true for a run of which only this is known; None where it hangs on something else, too."""
    try:
        template = expr.compile(test)
    except PenstockError:
        return None
    read = {path[1] for path in template.uses.paths if path[0] == "trigger" and len(path) > 1}
    wide = not template.pure or template.uses.open or any(path == ("trigger",) for path in template.uses.paths)
    found = {_rendered(template, by, own, state) for state in (states if "state" in read else states[:1])}
    if read <= set(KNOWN) and not wide:
        return True if True in found else False if found == {False} else None
    # what it says of names alone is enough to rule a flow out
    return False if found == {False} and read & {"namespace", "flowId"} else None


def _rendered(template: expr.Template, by: Name, own: Name, state: str) -> bool | None:
    trigger = {"namespace": by[0], "flowId": by[1], "state": state.upper()}
    try:
        return expr.truthy(template.render({"trigger": trigger, "flow": {"namespace": own[0], "id": own[1]}}))
    except PenstockError:
        return None


def _every(found: Iterable[bool | None]) -> bool | None:
    several = list(found)
    return False if False in several else None if None in several else True


def _any(found: Iterable[bool | None]) -> bool | None:
    several = list(found)
    return True if True in several else None if None in several else False
