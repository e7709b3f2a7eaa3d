"""How is a namespace, or all of it, kept still? No run begins there until it may; what has begun ends, or is killed.

A run that begins while its namespace is in maintenance exists, and its first attempts stand aside: in queues that
nobody serves, so that claims cost what they always do. Children of a run that has begun belong to it and go on.
"""

from __future__ import annotations

from typing import Final

from penstock.model import ids
from penstock.model.access import EVERYWHERE, Action
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.services import runs as verbs
from penstock.services.access import audited
from penstock.services.core import Core
from penstock.services.unanswered import repeat_unknown
from penstock.store import maintenance, runs
from penstock.store.maintenance import Held
from penstock.store.port import Tx

BEGUN: Final = (RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.RETRYING)
PAGE: Final = 500


@audited(
    Action.MAINTENANCE_EDIT, "maintenance.on", "{namespace}", namespace="{namespace}", keeps=("reason", "kill", "force")
)
def begin(
    core: Core, namespace: str, by: str, *, reason: str = "", kill: bool = False, force: bool = False
) -> list[str]:
    """Let no run begin in a namespace and those below it, an empty one being everywhere; with `kill` what has begun
    is killed, and those runs are given. Raises BadId.
    """
    if namespace:
        ids.check_namespace(namespace)
    held = Held(namespace, core.clock.now(), by, reason)

    def work(tx: Tx) -> None:
        maintenance.put(tx, held)
        maintenance.put_aside(tx)

    repeat_unknown(core, lambda: core.store.write(work))
    return _kill_begun(core, namespace, by, force=force) if kill else []


@audited(Action.MAINTENANCE_EDIT, "maintenance.off", "{namespace}", namespace="{namespace}")
def end(core: Core, namespace: str) -> bool:
    """Let runs begin again, those first that stand aside; False when the namespace itself was not in maintenance."""

    def work(tx: Tx) -> bool:
        was = maintenance.drop(tx, namespace)
        maintenance.bring_back(tx)
        return was

    was = core.store.write(work)
    core.store.wake()
    return was


def every(core: Core) -> tuple[list[Held], int]:
    """The namespaces in maintenance, and how many runs stand aside."""
    return core.store.read(lambda tx: (maintenance.every(tx), len(maintenance.waiting(tx))))


def _kill_begun(core: Core, namespace: str, by: str, *, force: bool) -> list[str]:
    wanted = runs.Filter(namespace=namespace, statuses=BEGUN, every=True)
    killed: list[str] = []
    cursor = ""

    def page(tx: Tx) -> list[Run]:
        return runs.page(tx, EVERYWHERE, wanted, PAGE, cursor)

    while found := core.store.read(page):
        waiting = set(core.store.read(maintenance.waiting))
        for run in found:
            if run.id not in waiting:
                verbs.kill(core, run.id, by, force=force)
                killed.append(run.id)
        cursor = found[-1].id
    return killed
