"""Which flows start which?"""

from __future__ import annotations

from penstock.api.route import Call
from penstock.api.shapes.dependencies import Dependencies, DependenciesAsked, FlowLink, NearFlow
from penstock.errors.run import UnknownFlow
from penstock.services import dependencies
from penstock.services.dependencies import Around
from penstock.store import flows


def get_dependencies(call: Call[DependenciesAsked, None]) -> Dependencies:
    """What starts a flow, and what it starts."""
    namespace, flow_id, asked = call.path["namespace"], call.path["flow"], call.query
    if call.core.store.glance(lambda tx: flows.newest(tx, namespace, flow_id)) is None:
        raise UnknownFlow(f'There is no flow "{namespace}.{flow_id}" in the store.'[:400])
    found = dependencies.of_flow(call.core, call.scope, (namespace, flow_id), asked.depth, up=asked.up, down=asked.down)
    return _told(found)


def get_namespace_dependencies(call: Call[None, None]) -> Dependencies:
    """What the flows of a namespace start, and what starts them."""
    return _told(dependencies.of_namespace(call.core, call.scope, call.path["namespace"]))


def _told(found: Around) -> Dependencies:
    return Dependencies(
        flows=[
            NearFlow(namespace=name[0], flow=name[1], distance=distance, there=name not in found.missing)
            for name, distance in sorted(found.distances.items(), key=lambda each: (each[1], each[0]))
        ],
        links=[
            FlowLink(
                source=".".join(each.source), target=".".join(each.target), kind=each.kind, by=each.by, sure=each.sure
            )
            for each in found.links
        ],
        more=found.more,
    )
