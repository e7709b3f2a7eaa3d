"""How do the many small files of a table become few large ones, while others write into it?"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar, Final, NamedTuple

from msgspec import Meta

from penstock.errors.task import Overtaken
from penstock.plugins.iceberg.catalog import MAIN, Catalog
from penstock.plugins.iceberg.packing import Bin, Packed, Wanted, deletions_since, packed
from penstock.plugins.iceberg.reaching import FilesTask, Opened
from penstock.plugins.iceberg.replacing import Change, Replacing, Writing, manifests_of
from penstock.plugins.iceberg.rewriting import rewritten
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context, Level
from penstock.sdk.task import TaskFailed

MEGABYTE: Final = 1024 * 1024
TARGET: Final = "write.target-file-size-bytes"
LARGEST: Final = 512 * MEGABYTE


class BranchTask(FilesTask, frozen=True, kw_only=True):
    """What is declared by all that put the rows of a branch into other files."""

    branch: Annotated[str, Meta(description="The branch.", min_length=1)] = MAIN
    dry_run: Annotated[bool, Meta(description="Only tell what would be done.")] = False
    tries: Annotated[int, Meta(description="So often, where others change the branch meanwhile.", ge=1)] = 20

    def of_branch(self, catalog: Catalog) -> Opened | None:
        """The table, where its branch has a state; None for the main branch of a table without one."""
        opened = self.second(self.opened(catalog))
        ref = opened.table.refs.get(self.branch)
        if ref is None and self.branch == MAIN:
            return None
        if ref is None or ref.kind != "branch":
            raise TaskFailed(f'The table "{self.table}" has no branch "{self.branch}".')
        return opened


class Compact(BranchTask, frozen=True, kw_only=True):
    """Put the rows of small files together into large ones, partition by partition, and leave out those that are
    deleted. The table holds the same rows before and after; who writes meanwhile is not disturbed.
    """

    type_name: ClassVar[str] = "iceberg.compact"
    outputs: ClassVar[dict[str, str]] = {
        "filesBefore": "How many files were put together.",
        "filesAfter": "How many there are in their place.",
        "bytesBefore": "How many bytes they had.",
        "bytesAfter": "How many bytes these have.",
        "rows": "How many rows these hold.",
        "conflicts": "How many groups of files were changed by others meanwhile, and are left as they are.",
        "left": "How many small files cannot be put together here: other formats than Parquet, partitions as they were "
        "made formerly, rows that are deleted by equality.",
        "snapshots": "Ids of the states that were made; none where nothing was to be done.",
    }
    example: ClassVar[dict[str, object]] = {
        "uri": "http://localhost:8181",
        "table": "taxi.bronze",
        "targetSize": 134_217_728,
        "minFiles": 5,
    }

    target_size: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="How large files are to be, in bytes; what the table says (512 MB) unless given."),
    ] = None
    min_files: Annotated[int, Meta(description="So many small files of a partition are worth it.", ge=2)] = 5
    where: Annotated[
        str,
        Meta(
            description="Only files that may hold such rows.",
            examples=["pickup_at >= '2026-11-01T00:00:00' and pickup_zone = 132"],
        ),
    ] = ""
    commit_size: Annotated[
        int, Meta(description="A state is made whenever so many bytes are put together.", ge=1)
    ] = 1024 * MEGABYTE  # fmt: skip

    def run(self, context: Context) -> dict[str, object]:
        """Put them together."""
        waiting = Waiting(context)
        told: dict[str, object] = {}
        with waiting.ends_with(None), self.reached():
            catalog = self.catalog(waiting)
            opened = self.of_branch(catalog)
            if opened is None:
                told = _told([], 0, 0)
            else:
                size = self.target_size or int(opened.metadata.properties.get(TARGET, LARGEST))
                plan = packed(opened, self.branch, Wanted(size, self.min_files, self.where))
                if self.dry_run:
                    told = _planned(plan)
                else:
                    told = self._done(context, waiting, opened, plan)
        return told

    def _done(self, context: Context, waiting: Waiting, opened: Opened, plan: Packed) -> dict[str, object]:
        by = Replacing(
            task=self, catalog=self.catalog(waiting), branch=self.branch,
            step=context.idempotency_key, tries=self.tries, waiting=waiting,
        )  # fmt: skip
        total, done, conflicts = sum(each.size for each in plan.bins), 0, 0
        known = {each.manifest_path for each in manifests_of(opened, plan.snapshot)}
        for chunk in _chunks(plan.bins, self.commit_size):
            writing, swaps = Writing(opened), []
            for bin_ in chunk:
                waiting.pause(0)
                swaps.append(Swap(bin_, rewritten(opened, bin_, str(uuid.uuid4()))))
                done += bin_.size
                context.progress(done, total, "bytes")
            swapping = Swapping(writing, swaps, plan.sequence, known)
            try:
                made = by.replaced(writing, swapping.change)
            except Overtaken:
                _forget(writing, swaps)
                raise
            lost = swapping.lost() if made is not None else swaps
            _forget(writing, lost)
            conflicts += len(lost)
        if conflicts:
            context.log(f"{conflicts} groups of files were changed by others, and are left as they are.", Level.WARN)
        told = _told(
            [{**each.summary, "id": str(each.id)} for each in by.done(self.opened(by.catalog))], conflicts, plan.left
        )
        tags = {"table": self.table}
        for name in ("filesBefore", "filesAfter", "bytesBefore", "bytesAfter", "rows"):
            context.metric(name, int(str(told[name])), tags=tags)
        context.reads(*opened.table.dataset)
        context.writes(*opened.table.dataset, rows=int(str(told["rows"])), size=int(str(told["bytesAfter"])))
        return told


class Swap(NamedTuple):
    """Files, and the one in their place: None where nothing of them is left."""

    bin: Bin
    made: Any

    @property
    def paths(self) -> list[str]:
        """Where they are."""
        return [each.entry.data_file.file_path for each in self.bin.pieces]


class Swapping:
    """Puts files in place of others in whatever state a branch has come to."""

    def __init__(self, writing: Writing, swaps: list[Swap], sequence: int, known: set[str]) -> None:
        self._writing, self._swaps, self._sequence, self._known = writing, swaps, sequence, known
        self._entries: dict[str, list[Any]] = {}
        self._written: dict[frozenset[str], list[Any]] = {}
        self.included: list[Swap] = []

    def lost(self) -> list[Swap]:
        """Those that came to nothing."""
        there = {id(each) for each in self.included}
        return [each for each in self._swaps if id(each) not in there]

    def change(self, head: Opened, manifests: list[Any]) -> Change | None:
        """What a state becomes; None where none of the files is there as it was."""
        from pyiceberg.manifest import ManifestContent

        data = [each for each in manifests if each.content == ManifestContent.DATA]
        there = self._there(data)
        deleted = deletions_since(head, manifests, self._sequence, self._known)
        self.included = [
            swap for swap in self._swaps if there.keys() >= set(swap.paths) and not _deleted(swap, deleted)
        ]
        if not self.included:
            return None
        gone = {path for swap in self.included for path in swap.paths}
        holding = {there[path].manifest_path for path in gone}
        touched = [each for each in data if each.manifest_path in holding]
        new = self._manifests(touched, gone)
        return Change([*new, *(each for each in manifests if each.manifest_path not in holding)], self._summary())

    def _there(self, data: list[Any]) -> dict[str, Any]:
        """Which of the files are there, each with its manifest. A file has one: who was read before and holds all of
        them spares the reading of those that have come since.
        """
        wanted = {path for swap in self._swaps for path in swap.paths}
        found: dict[str, Any] = {}
        for manifest in sorted(data, key=lambda each: each.manifest_path not in self._entries):
            if len(found) == len(wanted):
                break
            found.update(dict.fromkeys(self._paths(manifest) & wanted, manifest))
        return found

    def _paths(self, manifest: Any) -> set[str]:
        return {entry.data_file.file_path for entry in self._of(manifest)}

    def _of(self, manifest: Any) -> list[Any]:
        path = manifest.manifest_path
        if path not in self._entries:
            self._entries[path] = manifest.fetch_manifest_entry(self._writing.opened.io)
        return self._entries[path]

    def _manifests(self, touched: list[Any], gone: set[str]) -> list[Any]:
        """The new file's manifest, and each other as it is without the files that are gone."""
        key = frozenset([*gone, *(each.manifest_path for each in touched)])
        if key not in self._written:
            writing = self._writing
            made = [
                writing.manifest(
                    each.partition_spec_id,
                    (writing.named(entry, there=entry.data_file.file_path not in gone) for entry in self._of(each)),
                )
                for each in touched
            ]
            new = [writing.added(swap.made, self._sequence) for swap in self.included if swap.made is not None]
            if new:
                made.insert(0, writing.manifest(self.included[0].bin.spec, new))
            self._written[key] = made
        return self._written[key]

    def _summary(self) -> dict[str, int]:
        before = [piece.entry.data_file for swap in self.included for piece in swap.bin.pieces]
        after = [swap.made for swap in self.included if swap.made is not None]
        return {
            "added-data-files": len(after),
            "deleted-data-files": len(before),
            "added-records": sum(each.record_count for each in after),
            "deleted-records": sum(each.record_count for each in before),
            "added-files-size": sum(each.file_size_in_bytes for each in after),
            "removed-files-size": sum(each.file_size_in_bytes for each in before),
            "changed-partition-count": len({(swap.bin.spec, swap.bin.partition) for swap in self.included}),
        }


def _forget(writing: Writing, swaps: Iterable[Swap]) -> None:
    """Remove files that came to nothing, if that is certain."""
    for each in swaps:
        if each.made is not None and not writing.doubted:
            writing.opened.io.delete(each.made.file_path)


def _deleted(swap: Swap, index: Any) -> bool:
    """Whether a row of these files was deleted since they were read."""
    for piece in swap.bin.pieces:
        data = piece.entry.data_file
        if index.for_data_file(piece.entry.sequence_number or 0, data, partition_key=data.partition):
            return True
    return False


def _chunks(bins: Iterable[Bin], size: int) -> Iterator[list[Bin]]:
    chunk: list[Bin] = []
    for each in bins:
        chunk.append(each)
        if sum(held.size for held in chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _planned(plan: Packed) -> dict[str, object]:
    """What would be done; how large new files become is not known before."""
    pieces = [piece for each in plan.bins for piece in each.pieces]
    size = sum(each.size for each in pieces)
    rows = sum(each.entry.data_file.record_count for each in pieces)
    summary = {"deleted-data-files": len(pieces), "added-data-files": len(plan.bins), "removed-files-size": size}
    return _told([{**summary, "added-files-size": size, "added-records": rows}], 0, plan.left)


def _told(summaries: list[Any], conflicts: int, left: int) -> dict[str, object]:
    def of(name: str) -> int:
        return sum(int(each.get(name, 0)) for each in summaries)

    return {
        "filesBefore": of("deleted-data-files"),
        "filesAfter": of("added-data-files"),
        "bytesBefore": of("removed-files-size"),
        "bytesAfter": of("added-files-size"),
        "rows": of("added-records"),
        "conflicts": conflicts,
        "left": left,
        "snapshots": [each["id"] for each in summaries if "id" in each],
    }
