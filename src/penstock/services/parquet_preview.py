"""What does a parquet file begin with? Asked of a process of its own, of files that are not too large."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from typing import Any, BinaryIO, Final

import msgspec

from penstock.services.file_preview import Preview, PreviewKind

ENDINGS: Final = (".parquet", ".pq")
LARGEST: Final = 128 * 1024 * 1024
PATIENCE: Final = 20
MISSING: Final = 'Rows of parquet are shown where pyarrow is installed: pip install "penstock[parquet]"'
READER: Final = "penstock.services.parquet_rows"


class Found(msgspec.Struct, frozen=True):
    """What the other process has read."""

    columns: list[str]
    rows: list[list[Any]]
    total: int


FOUND: Final = msgspec.json.Decoder(Found)


def preview(name: str, size: int, file: BinaryIO, rows: int) -> Preview:
    """The first rows of a file; where they cannot be read, why."""
    if importlib.util.find_spec("pyarrow") is None:
        return _unread(name, size, MISSING)
    if size > LARGEST:
        return _unread(name, size, f"Rows are shown of files of at most {LARGEST // 1024**2} MB; this one is larger.")
    with tempfile.NamedTemporaryFile(suffix=".parquet") as kept:
        shutil.copyfileobj(file, kept)
        kept.flush()
        found = _read(kept.name, rows)
    if found is None:
        return _unread(name, size, "It cannot be read as parquet.")
    return Preview(
        kind=PreviewKind.TABLE,
        name=name,
        size=size,
        whole=found.total <= len(found.rows),
        columns=found.columns,
        rows=found.rows,
    )


def _read(path: str, rows: int) -> Found | None:
    command = [sys.executable, "-m", READER, path, str(rows)]
    # nothing of what this process knows: not even where the store is
    around = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, env=around, capture_output=True, timeout=PATIENCE, check=True)
        return FOUND.decode(done.stdout)
    except (subprocess.SubprocessError, msgspec.MsgspecError):
        return None


def _unread(name: str, size: int, why: str) -> Preview:
    return Preview(kind=PreviewKind.BINARY, name=name, size=size, whole=False, note=why)
