"""How do people label a run that has begun or ended? Its labels change; what it did stays as it was."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from penstock.errors.run import InvalidInput, UnknownRun
from penstock.model.access import Action
from penstock.services.access import audited
from penstock.services.core import Core
from penstock.services.starting import SYSTEM
from penstock.services.unanswered import repeat_unknown
from penstock.store import feed, runs
from penstock.store.port import Tx


@audited(Action.RUNS_OPERATE, "runs.label", run="run_id", keeps=("labels",))
def label(core: Core, run_id: str, labels: Mapping[str, str]) -> None:
    """Give a run these labels besides those that it has. Raises UnknownRun, InvalidInput."""
    for name in labels:
        if not name or name.startswith(SYSTEM):
            raise InvalidInput(f'A label cannot be named "{name[:100]}": names with "{SYSTEM}" are the system\'s own.')
    now = core.clock.now()

    def work(tx: Tx) -> bool | None:
        run = runs.load(tx, run_id)
        if run is None:
            raise UnknownRun(f"There is no run {run_id[:100]}.")
        fresh = replace(run, labels=run.labels | dict(labels))
        if fresh.labels == run.labels:
            return True
        if not runs.save(tx, fresh, run.version):
            return None
        feed.append(tx, [("run", run_id, run.version + 1)], now)
        return True

    while repeat_unknown(core, lambda: core.store.write(work)) is None:
        pass  # it went on at the same moment: what it is now gets the labels
