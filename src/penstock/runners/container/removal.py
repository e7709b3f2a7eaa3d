"""How does a container end for certain? It is killed and removed, until the engine knows nothing of it."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Final

from penstock.errors.work import EngineRefused
from penstock.runners.container import records
from penstock.runners.container.engine import NOT_FOUND, Engine

BUSY: Final = 409
TRIES: Final = 40
PAUSE: Final = 0.05


def end(path: Path) -> None:
    """End and remove the container that a record names, then the record. Raises EngineRefused, NoEngine."""
    record = records.read(path)
    if record is not None:
        remove(Engine(record.engine), path.name)
        path.unlink(missing_ok=True)


def remove(engine: Engine, name: str) -> None:
    """End a container at once and remove it; nothing is left of it when this returns."""
    for attempt in range(TRIES):
        # Killed first: a removal by force may ask it to end and wait, however little it listens.
        with contextlib.suppress(EngineRefused):
            engine.call("POST", f"/containers/{name}/kill", signal="SIGKILL")
        try:
            engine.call("DELETE", f"/containers/{name}", force="true", v="true")
        except EngineRefused as error:
            if error.status == NOT_FOUND:
                return
            if error.status != BUSY and attempt:
                raise
        else:
            return
        time.sleep(PAUSE)
    raise EngineRefused(f"The container {name} could not be removed.")
