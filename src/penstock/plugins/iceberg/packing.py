"""Which files of a branch are put together into one? Small ones of the same partition, and those with deleted rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from penstock.plugins.iceberg.reaching import Opened
from penstock.plugins.iceberg.replacing import manifests_of
from penstock.sdk.task import TaskFailed

# Of the wanted size: what is larger than this share of it is large enough.
ENOUGH: Final = 0.75


class Piece(NamedTuple):
    """A file as its manifest names it, and the files that say which of its rows are deleted."""

    entry: Any
    deletes: frozenset[Any]

    @property
    def size(self) -> int:
        """In bytes."""
        return int(self.entry.data_file.file_size_in_bytes)


class Bin(NamedTuple):
    """Files that become one: all of one partition, the oldest first."""

    spec: int
    partition: Any
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """Of all of them together, in bytes."""
        return sum(each.size for each in self.pieces)


class Packed(NamedTuple):
    """What is to be done at a state: `left` counts files that are small and cannot be put together here."""

    snapshot: int
    sequence: int
    bins: list[Bin]
    left: int


class Wanted(NamedTuple):
    """How files are to be: about so large (bytes); so many small ones are worth it; only where rows like these are."""

    size: int
    least: int
    where: str


def packed(opened: Opened, branch: str, wanted: Wanted) -> Packed:
    """Look which files of a branch are to be put together."""
    head = opened.metadata.snapshot_by_id(opened.table.refs[branch].snapshot)
    manifests = manifests_of(opened, head.snapshot_id)
    index, equal = _deletions(opened, manifests)
    partitions: dict[Any, list[Piece]] = defaultdict(list)
    left = 0
    for entry in _entries(opened, manifests, wanted.where):
        data = entry.data_file
        deletes = frozenset(index.for_data_file(entry.sequence_number or 0, data, partition_key=data.partition))
        if data.file_size_in_bytes >= ENOUGH * wanted.size and not deletes:
            continue
        if not _readable(opened, data) or _blocked(opened, entry, equal):
            left += 1
            continue
        partitions[data.spec_id, data.partition].append(Piece(entry, deletes))
    bins = [
        Bin(spec, partition, tuple(pieces))
        for (spec, partition), found in partitions.items()
        for pieces in _binned(found, wanted)
    ]
    return Packed(head.snapshot_id, head.sequence_number, bins, left)


def deletions_since(opened: Opened, manifests: Iterable[Any], sequence: int, known: set[str]) -> Any:
    """Which rows have been deleted by their position since a state: an index that tells it of a file."""
    from pyiceberg.manifest import DataFileContent, ManifestContent
    from pyiceberg.table.delete_file_index import DeleteFileIndex

    index = DeleteFileIndex()
    for manifest in manifests:
        if manifest.content == ManifestContent.DELETES and manifest.manifest_path not in known:
            for entry in manifest.fetch_manifest_entry(opened.io):
                new = (entry.sequence_number or 0) > sequence
                if new and entry.data_file.content == DataFileContent.POSITION_DELETES:
                    index.add_delete_file(entry, partition_key=entry.data_file.partition)
    return index


def _entries(opened: Opened, manifests: Iterable[Any], where: str) -> list[Any]:
    """The files of rows, as manifests name them, that may hold rows like these."""
    from pyiceberg.expressions import AlwaysTrue
    from pyiceberg.manifest import ManifestContent
    from pyiceberg.table import ManifestGroupPlanner
    from pyparsing import ParseException

    try:
        planner = ManifestGroupPlanner(opened.metadata, opened.io, where or AlwaysTrue())
        found = planner.plan_manifest_entries([each for each in manifests if each.content == ManifestContent.DATA])
        return [entry for entries in found for entry in entries]
    except (ParseException, ValueError) as error:
        if not where:
            raise
        raise TaskFailed(f'`where` cannot be asked of the table: "{where}": {error}.') from None


def _deletions(opened: Opened, manifests: Iterable[Any]) -> tuple[Any, list[Any]]:
    """Deletions by position as an index, and those by equality as their manifests name them: all of them."""
    from pyiceberg.manifest import DataFileContent, ManifestContent
    from pyiceberg.table.delete_file_index import DeleteFileIndex

    index, equal = DeleteFileIndex(), []
    for manifest in manifests:
        if manifest.content == ManifestContent.DELETES:
            for entry in manifest.fetch_manifest_entry(opened.io):
                if entry.data_file.content == DataFileContent.POSITION_DELETES:
                    index.add_delete_file(entry, partition_key=entry.data_file.partition)
                else:
                    equal.append(entry)
    return index, equal


def _readable(opened: Opened, data: Any) -> bool:
    """Whether it is Parquet, in partitions as they are made today."""
    from pyiceberg.manifest import FileFormat

    return bool(data.file_format == FileFormat.PARQUET and data.spec_id == opened.metadata.default_spec_id)


def _blocked(opened: Opened, entry: Any, equal: Iterable[Any]) -> bool:
    """Whether rows of it may be deleted by equality, which the library cannot tell."""
    specs = opened.metadata.specs()
    for each in equal:
        data = each.data_file
        everywhere = specs[data.spec_id].is_unpartitioned()
        same = data.spec_id == entry.data_file.spec_id and data.partition == entry.data_file.partition
        if (each.sequence_number or 0) > (entry.sequence_number or 0) and (everywhere or same):
            return True
    return False


def _binned(pieces: list[Piece], wanted: Wanted) -> list[list[Piece]]:
    """Fill files up to their size, the oldest rows first; what is not worth it is left."""
    pieces.sort(key=lambda each: (each.entry.sequence_number or 0, each.entry.data_file.file_path))
    bins: list[list[Piece]] = []
    room = 0
    for piece in pieces:
        if not bins or piece.size > room:
            bins.append([])
            room = wanted.size
        bins[-1].append(piece)
        room -= piece.size
    return [each for each in bins if _worth(each, wanted)]


def _worth(pieces: list[Piece], wanted: Wanted) -> bool:
    if any(each.deletes for each in pieces) or len(pieces) >= wanted.least:
        return True
    return len(pieces) > 1 and sum(each.size for each in pieces) >= ENOUGH * wanted.size
