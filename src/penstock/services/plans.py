"""Which plan belongs to a revision? Read once per process: a revision never changes."""

from __future__ import annotations

import threading
from collections import OrderedDict

import msgspec

from penstock.errors import nearest
from penstock.errors.run import UnknownFlow
from penstock.model.flow import Flow
from penstock.model.plan import Plan, plan
from penstock.store import flows
from penstock.store.port import Store

KEPT = 256
# Made when nobody else runs: two threads that have msgspec look at a type for the first time crash Python.
FLOW = msgspec.json.Decoder(Flow)


class Plans:
    """The plans that were used last, by namespace, flow and revision."""

    def __init__(self) -> None:
        self._plans: OrderedDict[tuple[str, str, int], Plan] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, store: Store, namespace: str, flow: str, revision: int) -> Plan:
        """The plan of one revision. Raises UnknownFlow."""
        key = (namespace, flow, revision)
        with self._lock:
            found = self._plans.get(key)
            if found is not None:
                self._plans.move_to_end(key)
                return found
        stored = store.read(lambda tx: flows.revision(tx, namespace, flow, revision))
        if stored is None:
            known = [f"{f.namespace}.{f.id}" for f in store.read(flows.list_flows)]
            name = f"{namespace}.{flow}"
            raise UnknownFlow(f'There is no revision {revision} of a flow "{name}".', hint=nearest(name, known))
        return self.add(FLOW.decode(stored.model), revision)

    def add(self, flow: Flow, revision: int) -> Plan:
        """Remember the plan of a flow just read."""
        made = plan(msgspec.structs.replace(flow, revision=revision))
        with self._lock:
            self._plans[flow.namespace, flow.id, revision] = made
            while len(self._plans) > KEPT:
                self._plans.popitem(last=False)
        return made
