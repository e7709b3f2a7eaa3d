"""What is not kept for ever? Runs and logs past their time, and files that nobody names any more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

import msgspec

from penstock.model.access import SYSTEM, Action
from penstock.model.run import Run
from penstock.services import audit, namespace_files
from penstock.services.access import audited, bearers
from penstock.services.core import Core
from penstock.store import namespace_files as namespace_table
from penstock.store import prune as table
from penstock.store import runs
from penstock.store.blobs.port import Found

BATCH: Final = 200
DAY: Final = 86_400 * 1_000_000


class Files(Protocol):
    """What is asked of the stored files."""

    def forget(self, prefixes: Iterable[str]) -> int:
        """Forget everything whose key begins with one of these, and tell how much it was."""

    def below(self, prefix: str) -> Iterable[Found]:
        """The files whose keys begin so."""

    def delete(self, uri: str) -> bool:
        """Forget what stands at an address; whether there was anything."""


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How long ended runs, their logs and acts are kept, in microseconds since then; None: for ever."""

    runs: int | None = None
    logs: int | None = None
    audit: int | None = None


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed."""

    runs: int = 0
    files: int = 0
    log_chunks: int = 0
    acts: int = 0


@audited(Action.MAINTENANCE_EDIT, "store.prune", keeps=("keep",))
def prune(core: Core, files: Files, keep: Keep) -> Pruned:
    """Remove what is past its time; work goes on beside it, and what is removed twice is removed once."""
    bearers.expire(core)
    now = core.clock.now()
    removed = table.Pruned()
    forgotten = 0
    if keep.runs is not None:
        removed = table.prune(core.store, now - keep.runs, now)
        forgotten = files.forget(f"runs/{run_id}/" for run_id in removed.runs)
        namespace_files.forget(core, now - keep.runs)
    forgotten += _forget_strays(core, files, now - DAY)
    chunks = removed.log_chunks
    if keep.logs is not None and (keep.runs is None or keep.logs < keep.runs):
        chunks += _forget_logs(core, now - keep.logs)
    acts = audit.forget(core, now - keep.audit) if keep.audit is not None else 0
    return Pruned(runs=len(removed.runs), files=forgotten, log_chunks=chunks, acts=acts)


def prune_daily(core: Core, files: Files, keep: Keep) -> Pruned | None:
    """Prune a store beside its project, unless that was done within a day: it may have no worker that stands."""
    if core.state_dir is None:
        return None
    stamp = core.state_dir / "pruned"
    if stamp.exists() and core.clock.now() - stamp.stat().st_mtime_ns // 1000 < DAY:
        return None
    stamp.touch()
    return prune(core.asked_by(SYSTEM), files, keep)


def _forget_strays(core: Core, files: Files, before: int) -> int:
    """Remove bytes that were kept for a file of a namespace whose transaction never came: somebody died in between."""
    old = [each.uri for each in files.below(namespace_files.PREFIX) if each.at < before]
    kept = core.store.read(namespace_table.addresses) if old else set()
    strays = [uri for uri in old if uri not in kept]
    for uri in strays:
        files.delete(uri)
    return len(strays)


def _forget_logs(core: Core, before: int) -> int:
    """Remove the logs of runs that ended before an instant and are kept themselves."""
    chunks, last = 0, ""
    while found := _older(core, before, last):
        chunks += core.store.logs.delete(
            [run.id for run in found if run.ended_at is not None and run.ended_at < before]
        )
        last = found[-1].id
    return chunks


def _older(core: Core, before: int, last: str) -> list[Run]:
    # what ended before an instant was created before it
    return core.store.read(lambda tx: runs.list_runs(tx, runs.Filter(until=before, every=True), BATCH, last))
