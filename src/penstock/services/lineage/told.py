"""What have tasks told of data, of one run, or of the newest run of each flow that told anything?"""

from __future__ import annotations

from typing import Final

from penstock.model import ids
from penstock.model.access import EVERYWHERE, Scope
from penstock.model.event import Ended
from penstock.model.lineage import DataGraph, JobNode
from penstock.model.run import Run
from penstock.services.core import Core
from penstock.services.lineage.graph import Gathering
from penstock.store import events, runs
from penstock.store.runs import Filter

# So many runs are looked at, the newest first, and of a flow so many that tell nothing.
MOST: Final = 500
PATIENCE: Final = 10


def of_run(core: Core, run: Run) -> DataGraph:
    """What a run read and wrote."""
    gathered = Gathering()
    _gather(core, run, gathered)
    return gathered.graph()


def of_flows(core: Core, wanted: Filter, scope: Scope = EVERYWHERE) -> DataGraph:
    """What flows read and write, each as the newest of its runs has told it that told anything."""
    gathered = Gathering()
    found = core.store.read(lambda tx: runs.page(tx, scope, wanted, MOST))
    silent: dict[tuple[str, str], int] = {}
    for run in found:
        name = (run.namespace, run.flow)
        if silent.get(name, 0) < PATIENCE:
            silent[name] = PATIENCE if _gather(core, run, gathered) else silent.get(name, 0) + 1
    return gathered.graph()


def _gather(core: Core, run: Run, into: Gathering) -> bool:
    """Add what a run told; whether it told anything."""
    told = core.store.read(lambda tx: events.touching(tx, run.id))
    for event in (each.event for each in told):
        if isinstance(event, Ended):
            task = f"{run.namespace}.{run.flow}.{ids.node_of(event.step)}"
            for data in event.touched:
                into.add(JobNode(name=f"{task}.{data.part}", part=task) if data.part else JobNode(name=task), data)
    return bool(told)
