"""How is a new state of a table made that holds the same rows in other files, while others write into it?

Manifests are written once; what is committed again and again, until nobody else was first, is their list alone. A state
says in its summary which step made it (`penstock.step`), so that an attempt that comes again finds what was done.
"""

from __future__ import annotations

import itertools
import random
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from penstock.errors.task import AnswerRefused, NoAnswer, Overtaken
from penstock.plugins.iceberg.catalog import LIMITS, Catalog, Snapshot
from penstock.plugins.iceberg.reaching import FilesTask, Opened
from penstock.plugins.iceberg.refs import still
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.task import TaskFailed

STEP: Final = "penstock.step"
# By these Flink finds out what it has committed: it looks from the newest state back, as far as states are kept.
CARRIED: Final = "flink."
# Between two tries, in seconds: longer each time, by chance, so that two who try do not meet again.
PAUSE: Final = 0.05
# What totals of a summary are made of: its word, with what is added to it and what is taken from it.
TOTALS: Final = {
    "total-records": ("added-records", "deleted-records"),
    "total-data-files": ("added-data-files", "deleted-data-files"),
    "total-files-size": ("added-files-size", "removed-files-size"),
    "total-delete-files": ("", ""),
    "total-position-deletes": ("", ""),
    "total-equality-deletes": ("", ""),
}


class Change(NamedTuple):
    """The manifests that the new state has, and what its summary says besides totals."""

    manifests: list[Any]
    summary: dict[str, int]


# Told a state and its manifests; nothing where there is nothing to change in it.
Asked = Callable[[Opened, list[Any]], Change | None]


class Writing:
    """What is written for one new state of a table, and taken away again if it does not come to be.

    `doubted` once it was asked for without an answer: that may come to be later, so that none of its files is removed.
    """

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.snapshot = secrets.randbits(63)
        self.doubted = False
        self._name = uuid.uuid4()
        self._numbers = itertools.count()
        self._kept: list[str] = []

    def manifest(self, spec: int, entries: Iterable[Any]) -> Any:
        """Write a manifest of files of rows."""
        from pyiceberg.manifest import write_manifest

        metadata = self.opened.metadata
        with write_manifest(
            format_version=metadata.format_version,
            spec=metadata.specs()[spec],
            schema=metadata.schema(),
            output_file=self.opened.io.new_output(self._place(f"{self._name}-m{next(self._numbers)}.avro")),
            snapshot_id=self.snapshot,
            avro_compression=self._compression,
        ) as writer:
            for entry in entries:
                writer.add_entry(entry)
        return writer.to_manifest_file()

    def listed(self, head: Opened, parent: int, manifests: list[Any]) -> str:
        """Write the list of the manifests of the state that is to follow a state."""
        from pyiceberg.manifest import write_manifest_list

        place = self._place(f"snap-{self.snapshot}-{next(self._numbers)}-{self._name}.avro")
        with write_manifest_list(
            format_version=head.metadata.format_version,
            output_file=self.opened.io.new_output(place),
            snapshot_id=self.snapshot,
            parent_snapshot_id=parent,
            sequence_number=head.metadata.last_sequence_number + 1,
            avro_compression=self._compression,
        ) as writer:
            writer.add_manifests(manifests)
        return place

    def settle(self, *, refused: bool) -> None:
        """Hear what became of the list that was written last: it goes where the answer was a no."""
        if refused:
            self.opened.io.delete(self._kept.pop())
        else:
            self.doubted = True

    def keep_not(self) -> None:
        """Remove what was written in vain, if that is certain."""
        while self._kept and not self.doubted:
            self.opened.io.delete(self._kept.pop())

    def added(self, data: Any, sequence: int) -> Any:
        """A new file, as old as a state: what was deleted of its rows in later ones stays deleted."""
        from pyiceberg.manifest import ManifestEntry, ManifestEntryStatus

        return ManifestEntry.from_args(
            status=ManifestEntryStatus.ADDED, snapshot_id=self.snapshot, sequence_number=sequence, data_file=data
        )

    def named(self, entry: Any, *, there: bool) -> Any:
        """A file as another manifest named it: still there, or taken away by this state."""
        from pyiceberg.manifest import ManifestEntry, ManifestEntryStatus

        return ManifestEntry.from_args(
            status=ManifestEntryStatus.EXISTING if there else ManifestEntryStatus.DELETED,
            snapshot_id=entry.snapshot_id if there else self.snapshot,
            sequence_number=entry.sequence_number,
            file_sequence_number=entry.file_sequence_number,
            data_file=entry.data_file,
        )

    @property
    def _compression(self) -> Any:
        from pyiceberg.table import TableProperties

        asked = self.opened.metadata.properties.get(TableProperties.WRITE_AVRO_COMPRESSION)
        return asked or TableProperties.WRITE_AVRO_COMPRESSION_DEFAULT

    def _place(self, name: str) -> str:
        from pyiceberg.table.locations import load_location_provider

        metadata = self.opened.metadata
        path: str = load_location_provider(metadata.location, metadata.properties).new_metadata_location(name)
        self._kept.append(path)
        return path


class Replacing(msgspec.Struct, frozen=True):
    """By whom the rows of a branch are put into other files: the step, and how often it tries."""

    task: FilesTask
    catalog: Catalog
    branch: str
    step: str
    tries: int
    waiting: Waiting

    def done(self, opened: Opened) -> list[Snapshot]:
        """The states that this step has made, in this attempt or in one before."""
        return [each for each in opened.table.snapshots.values() if each.summary.get(STEP) == self.step]

    def replaced(self, writing: Writing, change: Asked) -> Snapshot | None:
        """Make the new state, and give it; `change` is asked for each state that it might follow. None where it says
        that nothing is left to do. No manifest that was written is left where it is certain that the state does not
        come to be.
        """
        failed: TaskFailed | None = None
        number = 0
        while True:
            self.waiting.pause(PAUSE * number * random.random())
            head = self.task.opened(self.catalog)
            # Looked for before anything is removed: who is refused may have been overtaken by a try of its own.
            if writing.snapshot in head.table.snapshots:
                return head.table.snapshots[writing.snapshot]
            if number:
                writing.settle(refused=_refused(failed))
            if number == self.tries or (_refused(failed) and not isinstance(failed, Overtaken)):
                writing.keep_not()
                raise failed or Overtaken(f'"{self.task.table}" was changed by others {self.tries} times meanwhile.')
            asked = self._asked(writing, head, change)
            if asked is None:
                writing.keep_not()
                return None
            failed = self._failed(*asked)
            number += 1

    def _asked(self, writing: Writing, head: Opened, change: Asked) -> tuple[list[object], list[object]] | None:
        """What must be so for the change, and what it is; None where there is nothing to change."""
        parent = head.table.refs[self.branch].snapshot
        made = change(head, manifests_of(head, parent))
        if made is None:
            return None
        snapshot = {
            "snapshot-id": writing.snapshot,
            "parent-snapshot-id": parent,
            "sequence-number": head.metadata.last_sequence_number + 1,
            "timestamp-ms": max(time.time_ns() // 1_000_000, head.metadata.last_updated_ms),
            "manifest-list": writing.listed(head, parent, made.manifests),
            "schema-id": head.metadata.current_schema_id,
            "summary": {**_summary(head.table.snapshots[parent], made.summary), STEP: self.step},
        }
        limits = head.table.refs[self.branch].limits
        ref = {"ref-name": self.branch, "type": "branch", "snapshot-id": writing.snapshot}
        updates = [
            {"action": "add-snapshot", "snapshot": snapshot},
            {"action": "set-snapshot-ref", **ref, **{name: limits[name] for name in LIMITS if name in limits}},
        ]
        return [{"type": "assert-table-uuid", "uuid": head.table.uuid}, still(head.table, self.branch)], updates

    def _failed(self, requirements: list[object], updates: list[object]) -> TaskFailed | None:
        """Ask for the change; gives why it was not said to be made, but for a catalog that is away for long."""
        try:
            self.catalog.commit(self.task.table, requirements, updates)
        except NoAnswer:
            raise
        except TaskFailed as failed:
            return failed
        except msgspec.DecodeError as error:
            return TaskFailed(f"What the catalog answered cannot be read: {error}.")
        return None


def manifests_of(head: Opened, snapshot: int) -> list[Any]:
    """The manifests of a state."""
    found = head.metadata.snapshot_by_id(snapshot)
    return list(found.manifests(head.io))


def _refused(failed: TaskFailed | None) -> bool:
    """Whether it is certain that a change was not made: of any other failure it may be, even later."""
    return isinstance(failed, Overtaken) or (isinstance(failed, AnswerRefused) and failed.status < 500)


def _summary(parent: Snapshot, made: Mapping[str, int]) -> dict[str, str]:
    told = {"operation": "replace", **{name: str(count) for name, count in made.items()}}
    for total, (added, taken) in TOTALS.items():
        if total in parent.summary:
            told[total] = str(int(parent.summary[total]) + made.get(added, 0) - made.get(taken, 0))
    return told | {name: value for name, value in parent.summary.items() if name.startswith(CARRIED)}
