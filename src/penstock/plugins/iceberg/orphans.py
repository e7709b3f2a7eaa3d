"""Which files lie where a table keeps its own, and belong to none of its states? They are removed once they are old."""

from __future__ import annotations

import time
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from penstock.plugins.iceberg import needed
from penstock.plugins.iceberg.catalog import Catalog
from penstock.plugins.iceberg.reaching import FilesTask, Opened
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration

SHOWN: Final = 50
DAYS: Final = 86_400_000_000


class RemoveOrphans(FilesTask, frozen=True, kw_only=True):
    """Remove files below a table's location that none of its states needs: what was written by those who died before
    they could tell the catalog. What is young may be of somebody who is still writing, and stays.
    """

    type_name: ClassVar[str] = "iceberg.remove_orphans"
    outputs: ClassVar[dict[str, str]] = {
        "files": "How many files were removed.",
        "bytes": "How many bytes they had.",
        "looked": "How many files lie below the table's location.",
        "young": "How many belong to no state and are too young.",
        "paths": f"Which were removed; the first {SHOWN}.",
    }
    example: ClassVar[dict[str, object]] = {
        "uri": "http://localhost:8181",
        "table": "taxi.bronze",
        "olderThan": "P3D",
        "dryRun": True,
    }

    older_than: Annotated[
        Duration,
        Meta(description="How old a file must be to go: longer than anybody writes before it commits.", extra=SPAN),
    ] = Duration(3 * DAYS)
    dry_run: Annotated[bool, Meta(description="Only tell what would be removed.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Look, and remove."""
        waiting = Waiting(context)
        told: dict[str, object] = {}
        with waiting.ends_with(None), self.reached():
            catalog = self.catalog(waiting)
            # First what lies there, and then what is needed: what is committed in between is needed.
            lying = _lying(self.opened(catalog))
            opened = self.opened(catalog)
            self._alone(catalog, opened)
            known = _known(opened, catalog.told(self.table)["metadata-location"])
            strange = {path: found for path, found in lying.items() if path not in known}
            until = time.time() - self.older_than.seconds
            going = {path: size for path, (size, at) in strange.items() if at < until}
            if not self.dry_run:
                scheme = opened.metadata.location.partition("://")[0]
                paths = [f"{scheme}://{path}" if not path.startswith("/") else path for path in going]
                needed.removed(opened.io, paths, lambda count: context.progress(count, len(paths), "files"))
                context.metric("files", len(going), tags={"table": self.table})
                context.metric("bytes", sum(going.values()), tags={"table": self.table})
            told = {
                "files": len(going),
                "bytes": sum(going.values()),
                "looked": len(lying),
                "young": len(strange) - len(going),
                "paths": sorted(going)[:SHOWN],
            }
        return told

    def _alone(self, catalog: Catalog, opened: Opened) -> None:
        """See that no other table of the namespace, or of one in it, keeps its files below this one's: they would be
        strange here.
        """
        own = self.table.rpartition(".")[0]
        here = opened.table.location.rstrip("/") + "/"
        for namespace in (own, *catalog.below(own)):
            for name in (f"{namespace}.{each}" for each in catalog.tables(namespace)):
                if name != self.table:
                    other = catalog.table(name).location.rstrip("/") + "/"
                    if other.startswith(here) or here.startswith(other):
                        raise TaskFailed(f'The files of "{name}" lie among those of "{self.table}".')


def _lying(opened: Opened) -> dict[str, tuple[int, float]]:
    """What lies below the table's location: of each file its size and when it was written (seconds since 1970)."""
    from pyarrow.fs import FileSelector, FileType

    scheme, place, path = opened.io.parse_location(opened.metadata.location, opened.io.properties)
    found = opened.io.fs_by_scheme(scheme, place).get_file_info(FileSelector(path, recursive=True))
    return {each.path: (each.size, each.mtime.timestamp()) for each in found if each.type == FileType.File}


def _known(opened: Opened, current: str) -> set[str]:
    """All files that the table needs, as a listing names them."""
    metadata = opened.metadata
    files = needed.files_of(metadata, opened.io, [each.snapshot_id for each in metadata.snapshots])
    more: list[Any] = [each.metadata_file for each in metadata.metadata_log]
    more += [each.statistics_path for each in (*metadata.statistics, *metadata.partition_statistics)]
    more += [current, f"{metadata.location}/metadata/version-hint.text"]
    return {opened.io.parse_location(path, opened.io.properties)[2] for path in (*files.every, *more)}
