"""How do the many manifests of a table become few, each with files of the same partitions?"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from penstock.plugins.iceberg.compact import MEGABYTE, BranchTask
from penstock.plugins.iceberg.reaching import Opened
from penstock.plugins.iceberg.replacing import Change, Replacing, Writing, manifests_of
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context

TARGET: Final = "commit.manifest.target-size-bytes"
USUAL: Final = 8 * MEGABYTE
# Of the wanted size: what is larger than this share of it is large enough.
ENOUGH: Final = 0.75


class RewriteManifests(BranchTask, frozen=True, kw_only=True):
    """Put the many small manifests of a table together, so that a query has fewer of them to read. No file of rows is
    touched; who writes meanwhile is not disturbed.
    """

    type_name: ClassVar[str] = "iceberg.rewrite_manifests"
    outputs: ClassVar[dict[str, str]] = {
        "manifestsBefore": "How many manifests were put together.",
        "manifestsAfter": "How many there are in their place.",
        "files": "How many files of rows these name.",
        "snapshots": "Ids of the states that were made; none where nothing was to be done.",
    }
    example: ClassVar[dict[str, object]] = {"uri": "http://localhost:8181", "table": "taxi.bronze"}

    target_size: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="How large manifests are to be, in bytes; what the table says (8 MB) unless given."),
    ] = None
    min_manifests: Annotated[int, Meta(description="So many small manifests are worth it.", ge=2)] = 2

    def run(self, context: Context) -> dict[str, object]:
        """Put them together."""
        waiting = Waiting(context)
        told: dict[str, object] = {}
        with waiting.ends_with(None), self.reached():
            by = Replacing(
                task=self,
                catalog=self.catalog(waiting),
                branch=self.branch,
                step=context.idempotency_key,
                tries=self.tries,
                waiting=waiting,
            )
            opened = self.of_branch(by.catalog)
            told = _told([]) if opened is None else self._done(context, by, opened)
        return told

    def _done(self, context: Context, by: Replacing, opened: Opened) -> dict[str, object]:
        for _ in range(self.tries):
            merging = Merging(Writing(opened), self._small(opened), self._size(opened))
            if self.dry_run:
                return merging.told
            if not merging.worth or by.replaced(merging.writing, merging.change) is not None:
                break
            # Somebody has put them together otherwise.
            opened = self.second(self.opened(by.catalog))
        told = _told([{**each.summary, "id": str(each.id)} for each in by.done(self.opened(by.catalog))])
        for name in ("manifestsBefore", "manifestsAfter"):
            context.metric(name, int(str(told[name])), tags={"table": self.table})
        context.reads(*opened.table.dataset)
        context.writes(*opened.table.dataset)
        return told

    def _size(self, opened: Opened) -> int:
        return self.target_size or int(opened.metadata.properties.get(TARGET, USUAL))

    def _small(self, opened: Opened) -> dict[int, list[Any]]:
        """The manifests that are small, by the kind of partitions whose files they name."""
        from pyiceberg.manifest import ManifestContent

        found: dict[int, list[Any]] = defaultdict(list)
        for each in manifests_of(opened, opened.table.refs[self.branch].snapshot):
            if each.content == ManifestContent.DATA and each.manifest_length < ENOUGH * self._size(opened):
                found[each.partition_spec_id].append(each)
        return {spec: each for spec, each in found.items() if len(each) >= self.min_manifests}


class Merging:
    """Puts manifests in place of others in whatever state a branch has come to."""

    def __init__(self, writing: Writing, small: dict[int, list[Any]], size: int) -> None:
        self.writing = writing
        self._gone = {each.manifest_path for found in small.values() for each in found}
        self._entries: dict[int, list[list[Any]]] = {}
        for spec, found in small.items():
            entries = [entry for each in found for entry in each.fetch_manifest_entry(writing.opened.io)]
            entries.sort(key=lambda entry: _rank(entry.data_file.partition))
            parts = -(-sum(each.manifest_length for each in found) // size)
            self._entries[spec] = list(_parts(entries, parts))
        self._made: list[Any] = []

    @property
    def worth(self) -> bool:
        """Whether there are fewer afterwards."""
        return sum(map(len, self._entries.values())) < len(self._gone)

    @property
    def told(self) -> dict[str, object]:
        """What would be done."""
        return _told([self._summary(0)]) if self.worth else _told([])

    def change(self, _head: Opened, manifests: list[Any]) -> Change | None:
        """What a state becomes; None where one of the manifests is there no more."""
        if not self._gone <= {each.manifest_path for each in manifests}:
            return None
        if not self._made:
            self._made = [
                self.writing.manifest(spec, (self.writing.named(entry, there=True) for entry in part))
                for spec, parts in self._entries.items()
                for part in parts
            ]
        kept = [each for each in manifests if each.manifest_path not in self._gone]
        return Change([*self._made, *kept], self._summary(len(kept)))

    def _summary(self, kept: int) -> dict[str, int]:
        parts = list(itertools.chain(*self._entries.values()))
        return {
            "manifests-created": len(parts),
            "manifests-replaced": len(self._gone),
            "manifests-kept": kept,
            "entries-processed": sum(map(len, parts)),
        }


def _rank(partition: Any) -> list[tuple[bool, Any]]:
    """By what files are put in order: their partition, those without a value last."""
    values = [partition[number] for number in range(len(partition))]
    return [(value is None, "" if value is None else value) for value in values]


def _parts(entries: list[Any], count: int) -> Iterator[list[Any]]:
    """As many parts as are wanted, about as long as each other; none of them empty."""
    size = -(-len(entries) // max(count, 1)) or 1
    for first in range(0, len(entries), size):
        yield entries[first : first + size]


def _told(summaries: list[Any]) -> dict[str, object]:
    def of(name: str) -> int:
        return sum(int(each.get(name, 0)) for each in summaries)

    return {
        "manifestsBefore": of("manifests-replaced"),
        "manifestsAfter": of("manifests-created"),
        "files": of("entries-processed"),
        "snapshots": [each["id"] for each in summaries if "id" in each],
    }
