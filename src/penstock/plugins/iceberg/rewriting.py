"""How do the rows of several files come into one, without all of them being held at once?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from penstock.plugins.iceberg.packing import Bin, Piece
from penstock.plugins.iceberg.reaching import Opened
from penstock.sdk.task import TaskFailed

# What is held at once before it is written, in bytes and in rows: one group of rows of the file.
HELD: Final = 64 * 1024 * 1024
ROWS: Final = 1_000_000


class Same(NamedTuple):
    """A partition as a file of it has it: where its other files are."""

    spec: Any
    partition: Any
    schema: Any

    def to_path(self) -> str:
        """Its folder."""
        path: str = self.spec.partition_to_path(self.partition, self.schema)
        return path


def rewritten(opened: Opened, bin_: Bin, name: str) -> Any:
    """Write one file with the rows of several, and tell of it as manifests do; None where all its rows are deleted."""
    from pyiceberg.io.fileformat import FileFormatFactory
    from pyiceberg.io.pyarrow import schema_to_pyarrow
    from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
    from pyiceberg.table.locations import load_location_provider

    metadata = opened.metadata
    schema, spec = metadata.schema(), metadata.specs()[bin_.spec]
    same: Any = None if spec.is_unpartitioned() else Same(spec, bin_.partition, schema)
    path = load_location_provider(metadata.location, metadata.properties).new_data_location(f"{name}.parquet", same)
    output = opened.io.new_output(path)
    writer = FileFormatFactory.get(FileFormat.PARQUET).create_writer(output, schema, metadata.properties)
    rows = 0
    for table in _tables(opened, bin_, schema_to_pyarrow(schema)):
        writer.write(table)
        rows += len(table)
    _counted(bin_, rows)
    if not rows:
        return None
    told = writer.close()
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=bin_.partition,
        file_size_in_bytes=len(output),
        sort_order_id=None,
        spec_id=bin_.spec,
        equality_ids=None,
        key_metadata=None,
        **told.to_serialized_dict(),
    )


def _tables(opened: Opened, bin_: Bin, wanted: Any) -> Iterator[Any]:
    """The rows, in pieces that become groups of rows."""
    import pyarrow

    held: list[Any] = []
    for piece in bin_.pieces:
        for batch in _batches(opened, piece):
            if not len(batch):
                continue
            held.append(pyarrow.Table.from_batches([batch]).cast(wanted))
            if sum(each.nbytes for each in held) >= HELD or sum(map(len, held)) >= ROWS:
                yield pyarrow.concat_tables(held)
                held = []
    if held:
        yield pyarrow.concat_tables(held)


def _batches(opened: Opened, piece: Piece) -> Iterator[Any]:
    from pyiceberg.expressions import AlwaysTrue
    from pyiceberg.io.pyarrow import ArrowScan
    from pyiceberg.table import FileScanTask

    scan = ArrowScan(opened.metadata, opened.io, opened.metadata.schema(), AlwaysTrue())
    batches: Iterator[Any] = scan.to_record_batches([FileScanTask(piece.entry.data_file, set(piece.deletes))])
    return batches


def _counted(bin_: Bin, rows: int) -> None:
    """See that no row was lost, and none came: more than were deleted may not be missing."""
    there = sum(each.entry.data_file.record_count for each in bin_.pieces)
    deletes = {each.file_path: each.record_count for piece in bin_.pieces for each in piece.deletes}
    if not there - sum(deletes.values()) <= rows <= there:
        raise TaskFailed(
            f"{len(bin_.pieces)} files say that they hold {there} rows, and {rows} were read: nothing was changed."
        )
