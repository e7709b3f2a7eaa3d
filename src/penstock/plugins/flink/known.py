"""What does a namespace remember of the jobs of a name? Under `flink.NAME`, so that who comes again finds them.

The SQL of a version that has worked is among it, sealed, as it may hold secrets: it is what goes on where a newer
version cannot.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from penstock.errors import PenstockError
from penstock.plugins.flink import checkpoints
from penstock.plugins.flink.jobs import JobManager, digest
from penstock.sdk.context import Ask, Context, Level
from penstock.sdk.task import TaskFailed


class Version(msgspec.Struct, frozen=True):
    """SQL that becomes a job, and the settings that it is given."""

    sql: str
    session: dict[str, str]

    @property
    def mark(self) -> str:
        """What tells it from others."""
        return digest(self.sql, *(f"{name}={value}" for name, value in sorted(self.session.items())))


class Known(msgspec.Struct, kw_only=True):
    """The newest job of a name: its number and id, whether it was submitted, by which step (its idempotency key) and of
    which version; the savepoint that it begins from; where checkpoints and savepoints are written; which step has
    stopped the job before it, and the version that has worked, sealed.
    """

    number: int = 0
    job: str = ""
    submitted: bool = False
    by: str = ""
    mark: str = ""
    savepoint: str = ""
    directory: str = ""
    savepoints: str = ""
    stopped_by: str = ""
    good: str = ""


class Keeper:
    """Remembers what is known of the jobs of one name."""

    def __init__(self, context: Context, name: str) -> None:
        self._context, self._key, self._name = context, f"flink.{name}", name

    def recall(self) -> Known:
        """What is remembered."""
        found = cast("dict[str, Any]", self._context.ask(Ask.KV_GET, key=self._key, namespace=""))
        return msgspec.convert(found["value"], Known) if found["found"] else Known()

    def keep(self, known: Known) -> None:
        """Have the namespace remember it."""
        value = msgspec.to_builtins(known)
        self._context.ask(Ask.KV_SET, key=self._key, value=value, namespace="", overwrite=True, ttl=None, type="")

    def worked(self, version: Version) -> None:
        """Remember a version that works; where nothing can be sealed, none is. A job that was there already may be of
        another version, which is left as it is remembered.
        """
        known = self.recall()
        if known.mark != version.mark or (self.good(known) == version and not known.stopped_by):
            return
        known.stopped_by = ""
        try:
            known.good = str(self._context.ask(Ask.TEXT_SEAL, text=msgspec.json.encode(version).decode()))
        except PenstockError as error:
            known.good = ""
            self._context.log(f"The SQL of {self._name} is not remembered: {error.sentence}", Level.DEBUG)
        self.keep(known)

    def good(self, known: Known) -> Version | None:
        """The version that has worked; None where none is remembered, or it cannot be opened."""
        if not known.good:
            return None
        try:
            text = str(self._context.ask(Ask.TEXT_OPEN, sealed=known.good))
            return msgspec.json.decode(text, type=Version)
        except (PenstockError, msgspec.DecodeError) as error:
            self._context.log(f"The SQL of {self._name} that has worked cannot be read: {error}", Level.DEBUG)
            return None

    def latest(self, jobs: JobManager, known: Known, *, alone: bool = False) -> str:
        """Where the newest job of the name had come to: its last savepoint or complete checkpoint; empty where it has
        none. `alone`: of the job that is remembered, and of none before it.

        Flink knows it, unless its JobManager has begun anew; then the files of its checkpoints do. Raises TaskFailed
        where those cannot be seen from here.
        """
        there = jobs.named(self._name)
        for job in there:
            if (not alone or job.id == known.job) and (found := jobs.checkpoints(job.id).path):
                return found
        if known.submitted and all(job.id != known.job for job in there):
            self._see(known)
        on_disk = checkpoints.newest(known.directory, known.savepoints, known.job) if known.job else ""
        return on_disk or known.savepoint

    def _see(self, known: Known) -> None:
        """Fail where the checkpoints of a job that Flink has forgotten are out of sight: to begin without them would do
        again what it has done. Where it was stopped is known without them.
        """
        if checkpoints.is_of(known.savepoint, known.job):
            return
        if folder := checkpoints.unseen(known.directory, known.job):
            raise TaskFailed(
                f'The job "{self._name}" has been begun before (as {known.job}), Flink does not know it any more, and '
                f"this worker cannot look for its checkpoints in {folder}. Mount that folder here under the same path, "
                "or say in `from` which savepoint or checkpoint to begin from; a new run with `from: ''` and without "
                "`ifRunning: REPLACE` begins anew."
            )
