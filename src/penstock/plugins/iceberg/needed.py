"""Which files does a state of a table need, and which does nothing need any more?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

AT_ONCE: Final = 8
Tell = Callable[[int], None]


class Files(NamedTuple):
    """Files by their addresses, each with its size (bytes; nothing where that is not told)."""

    data: dict[str, int]
    deletes: dict[str, int]
    manifests: dict[str, int]
    lists: dict[str, int]

    @property
    def every(self) -> list[str]:
        """All of them: who leads to others comes last, so that what was begun can be gone on with."""
        return [*self.data, *self.deletes, *self.manifests, *self.lists]

    @property
    def size(self) -> int:
        """How many bytes they are, as far as it is told."""
        return sum(sum(each.values()) for each in self)

    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        return {
            "dataFiles": len(self.data),
            "deleteFiles": len(self.deletes),
            "manifests": len(self.manifests),
            "manifestLists": len(self.lists),
        }


def files_of(metadata: Any, io: Any, snapshots: Iterable[int]) -> Files:
    """All files of these states."""
    held = _manifests(metadata, io, snapshots)
    data, deletes = _rows(io, held.values())
    return Files(
        data, deletes, {path: each.manifest_length for path, each in held.items()}, _lists(metadata, snapshots)
    )


def files_of_none(metadata: Any, io: Any, gone: Iterable[int]) -> Files:
    """The files that these states need and no other does."""
    gone = set(gone)
    staying = [each.snapshot_id for each in metadata.snapshots if each.snapshot_id not in gone]
    needed = _manifests(metadata, io, staying)
    alone = {path: each for path, each in _manifests(metadata, io, gone).items() if path not in needed}
    data, deletes = _rows(io, alone.values())
    for kept in _entries(io, needed.values() if alone else ()):
        data.pop(kept.data_file.file_path, None)
        deletes.pop(kept.data_file.file_path, None)
    manifests = {path: each.manifest_length for path, each in alone.items()}
    return Files(data, deletes, manifests, _lists(metadata, gone))


def removed(io: Any, paths: Iterable[str], tell: Tell) -> int:
    """Remove files, those that are gone already too; gives how many there were to remove."""

    def remove(path: str) -> None:
        try:
            io.delete(path)
        except FileNotFoundError:
            return

    count = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for count, _ in enumerate(pool.map(remove, paths), 1):
            tell(count)
    return count


def _lists(metadata: Any, snapshots: Iterable[int]) -> dict[str, int]:
    wanted = set(snapshots)
    return {each.manifest_list: 0 for each in metadata.snapshots if each.snapshot_id in wanted}


def _manifests(metadata: Any, io: Any, snapshots: Iterable[int]) -> dict[str, Any]:
    wanted = set(snapshots)
    chosen = [each for each in metadata.snapshots if each.snapshot_id in wanted]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda snapshot: snapshot.manifests(io), chosen)
        return {each.manifest_path: each for manifests in found for each in manifests}


def _rows(io: Any, manifests: Iterable[Any]) -> tuple[dict[str, int], dict[str, int]]:
    """The files of rows and of deletions that manifests name as there."""
    from pyiceberg.manifest import DataFileContent

    data: dict[str, int] = {}
    deletes: dict[str, int] = {}
    for entry in _entries(io, manifests):
        kind = data if entry.data_file.content == DataFileContent.DATA else deletes
        kind[entry.data_file.file_path] = entry.data_file.file_size_in_bytes
    return data, deletes


def _entries(io: Any, manifests: Iterable[Any]) -> Iterator[Any]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for found in pool.map(lambda each: each.fetch_manifest_entry(io, discard_deleted=True), manifests):
            yield from found
