"""What are the first rows of a parquet file? Read in a process of its own, since a library reads what strangers made.

It is started with the file and how many rows are wanted; it prints them as JSON, with its memory and time bounded.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any, Final

MEMORY: Final = 4 * 1024**3
SECONDS: Final = 10
WIDEST: Final = 1_000
LONGEST: Final = 10_000


def main() -> None:
    """Print the columns, the first rows, and how many rows there are."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    path, most = Path(sys.argv[1]), int(sys.argv[2])
    sys.stdout.write(json.dumps(look(path, most), default=str))


def look(path: Path, most: int) -> dict[str, Any]:
    """Read a file's first rows."""
    from pyarrow import parquet

    file = parquet.ParquetFile(path)
    names = file.schema_arrow.names[:WIDEST]
    rows: list[list[object]] = []
    for batch in file.iter_batches(batch_size=most, columns=names):
        rows += [[_told(record.get(name)) for name in names] for record in batch.to_pylist()]
        if len(rows) >= most:
            break
    return {"columns": names, "rows": rows[:most], "total": file.metadata.num_rows}


def _told(value: object) -> object:
    """A value as JSON has it; what is long is cut off."""
    if isinstance(value, bytes):
        return value[:256].hex(" ")
    if isinstance(value, str):
        return value[:LONGEST]
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return str(value)
    return value


if __name__ == "__main__":
    main()
