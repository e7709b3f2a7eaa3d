"""How is a container found whose worker died? By a file that says that it may exist, written before it is made."""

from __future__ import annotations

from pathlib import Path

import msgspec

from penstock.runners.container.wanted import Wanted


class Record(msgspec.Struct, frozen=True):
    """A container that may exist: on the engine at an address, for which claim of which worker."""

    engine: str
    run: str
    step: str
    fence: int
    worker: str


def write(wanted: Wanted, engine: str) -> None:
    """Say that a container may exist from now on."""
    path = Path(wanted.record)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = Record(engine, wanted.run, wanted.step, wanted.fence, wanted.worker)
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_bytes(msgspec.json.encode(record))
    unfinished.replace(path)


def read(path: Path) -> Record | None:
    """What a record says; nothing when it is gone."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except (OSError, msgspec.MsgspecError):
        return None
