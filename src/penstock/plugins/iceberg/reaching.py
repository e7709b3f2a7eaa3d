"""How are a table's files reached: those that say what it is, and those that hold its rows?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NamedTuple

from msgspec import Meta

from penstock.errors.task import MissingExtra, NoAnswer, NotOffered
from penstock.plugins.iceberg.catalog import Catalog, IcebergTask, Table, read
from penstock.sdk.task import TaskFailed

# What is said of files here is of tables of this version.
VERSION = 2


class Opened(NamedTuple):
    """A table as it is now: in our words, in the library's, and what reads and writes its files."""

    table: Table
    metadata: Any
    io: Any


class FilesTask(IcebergTask, frozen=True, kw_only=True):
    """What is declared by all that read or write files of a table."""

    table: Annotated[str, Meta(description="The table: NAMESPACE.TABLE.", min_length=3)]

    def libraries(self) -> tuple[str, ...]:
        """pyiceberg."""
        return ("pyiceberg.table", "pyiceberg.io.pyarrow")

    def opened(self, catalog: Catalog) -> Opened:
        """The table as it is now."""
        try:
            from pyiceberg.io import load_file_io
            from pyiceberg.table.metadata import TableMetadataUtil
        except ImportError as error:
            raise MissingExtra(
                "Looking after tables of Iceberg needs the package pyiceberg.",
                hint="Install it with `pip install 'penstock[iceberg]'`.",
            ) from error
        told = catalog.told(self.table)
        metadata = TableMetadataUtil.parse_obj(told["metadata"])
        known = {**catalog.defaults, **told.get("config", {}), **self.properties}
        if "s3.endpoint" in known:
            # Servers that speak S3 as well need not know the newest checksums of Amazon's; with them they refuse files.
            os.environ.setdefault("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
        return Opened(read(told["metadata"]), metadata, load_file_io(known, metadata.location))

    def second(self, opened: Opened) -> Opened:
        """The table, where it is of the version whose files can be written; raises NotOffered."""
        if opened.metadata.format_version != VERSION:
            raise NotOffered(
                f'"{self.table}" is of Iceberg\'s format {opened.metadata.format_version}; files of format {VERSION} '
                "alone are written here."
            )
        return opened

    @contextmanager
    def reached(self) -> Iterator[None]:
        """While this is open, what goes wrong with files is told as a failure that names their store."""
        try:
            yield
        except OSError as error:
            where = self.properties.get("s3.endpoint", "the table's location")
            if "NETWORK_CONNECTION" in str(error) or "curlCode" in str(error):
                raise NoAnswer(f"The store of files at {where} does not answer: {_short(error)}") from error
            raise TaskFailed(f'The files of "{self.table}" at {where} cannot be reached: {_short(error)}') from error


def _short(error: OSError) -> str:
    """The last sentence, which says what was wrong; before it stands what was tried."""
    return str(error).rpartition(" AWS Error ")[2] or str(error)
