"""Which plan belongs to a revision? Read once per process: a revision never changes."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from penstock.errors import nearest
from penstock.errors.run import UnknownFlow
from penstock.model.flow import Flow
from penstock.model.plan import Plan, plan
from penstock.store import flows
from penstock.store.port import Store
from penstock.store.triggers import State

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

    def read_ahead(self, store: Store, states: Sequence[State]) -> None:
        """Remember what is not known yet of the plans of these triggers, at most 256, with one question."""
        with self._lock:
            unknown = [each.key for each in states if (each.namespace, each.flow, each.revision) not in self._plans]
        if unknown:
            for model, revision in store.read(lambda tx: flows.of_triggers(tx, unknown)):
                # One that cannot be read is told when it is asked for.
                with contextlib.suppress(msgspec.MsgspecError):
                    self.add(FLOW.decode(model), revision)

    def add(self, flow: Flow, revision: int) -> Plan:
        """Remember the plan of a flow just read."""
        made = plan(msgspec.structs.replace(flow, revision=revision))
        with self._lock:
            self._plans[flow.namespace, flow.id, revision] = made
            while len(self._plans) > KEPT:
                self._plans.popitem(last=False)
        return made
