"""What did this process last commit of a run? Good only while nobody else has committed, which the version tells."""

from __future__ import annotations

import threading
from collections import OrderedDict

from penstock.engine import Loaded

MOST_RUNS = 256
MOST_STEPS = 2_000
MOST_OUTPUTS = 200


class RunCache:
    """Loaded runs by id; a commit checks the version, so a stale one costs a second look and never a wrong write."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Loaded] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, run_id: str) -> Loaded | None:
        """Give what is known of a run, and forget it: one user at a time."""
        with self._lock:
            return self._runs.pop(run_id, None)

    def keep(self, loaded: Loaded) -> None:
        """Remember a run as it was just committed, unless it has ended; of a large one only the groups around."""
        if loaded.run.status.ended:
            return
        if len(loaded.steps) > MOST_STEPS:
            _slim(loaded)
        if len(loaded.outputs) > MOST_OUTPUTS:
            loaded.outputs.clear()
        with self._lock:
            self._runs[loaded.run.id] = loaded
            while len(self._runs) > MOST_RUNS:
                self._runs.popitem(last=False)

    def holds(self, run_id: str) -> bool:
        """Whether a run is remembered, which one that ended here never is."""
        return run_id in self._runs

    def knows(self, run_id: str, step: str) -> bool:
        """Whether a run is remembered with this step."""
        with self._lock:
            loaded = self._runs.get(run_id)
            return loaded is not None and step in loaded.steps

    def forget(self) -> None:
        """Forget everything (a connection was lost, say)."""
        with self._lock:
            self._runs.clear()


def _slim(loaded: Loaded) -> None:
    """Keep the groups that many events touch, and let go of the tasks and iterations, which few do."""
    groups = {key: step for key, step in loaded.steps.items() if step and step.group and not key.endswith("]")}
    loaded.steps.clear()
    if len(groups) <= MOST_STEPS // 2:
        loaded.steps.update(groups)
    loaded.nodes.clear()
    loaded.values.clear()
    loaded.every = loaded.open_steps = False
