"""Which migrations does this Penstock carry, and which of them does a database want?

A file is `<database>/NNNN_name.sql`, numbered without gaps, never edited once released: its checksum is kept with the
database. `<database>/snapshot.sql` is the whole schema for a fresh one. A line `-- Runs with: 3` says that a Penstock
whose newest is 3 goes on working once it is applied; without one, only who carries it does.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from penstock.errors.store import MigrationChanged, StoreTooNew
from penstock.store.migrations import marks

FOLDER: Final = Path(__file__).parent
RUNS_WITH: Final = re.compile(r"^-- Runs with: (\d+)$", re.MULTILINE)
# Migrations before this one were applied where there was no place yet to say what they run with.
TELLS_OLDEST: Final = 4


class Migration(msgspec.Struct, frozen=True):
    """One numbered change of the schema."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """What is kept with the database to see an edited file."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def oldest(self) -> int | None:
        """The oldest version whose Penstock goes on working after it; nothing where that is its own."""
        found = RUNS_WITH.search(self.text)
        return int(found[1]) if found else None


class Applied(msgspec.Struct, frozen=True):
    """A migration that a database has had."""

    version: int
    name: str
    checksum: str
    applied_at: int
    oldest: int | None = None


class Status(msgspec.Struct, frozen=True):
    """Where a database stands: what it has had, what it still wants."""

    applied: tuple[Applied, ...]
    pending: tuple[Migration, ...]

    @property
    def version(self) -> int:
        """The version of the schema that the database has; 0 before the first."""
        return self.applied[-1].version if self.applied else 0


@functools.cache
def carried(kind: str) -> tuple[Migration, ...]:
    """Give every migration for a database, in order."""
    return tuple(
        Migration(int(path.name[:4]), path.stem[5:], path.read_text(encoding="utf-8"))
        for path in sorted((FOLDER / kind).glob("[0-9][0-9][0-9][0-9]_*.sql"))
    )


@functools.cache
def snapshot(kind: str) -> str:
    """Give the whole schema as the migrations leave it."""
    return (FOLDER / kind / "snapshot.sql").read_text(encoding="utf-8")


def status(migrations: Sequence[Migration], applied: Sequence[Applied], where: str) -> Status:
    """Compare what is carried with what was applied. Raises StoreTooNew, MigrationChanged or StoreMoved where they do
    not fit; migrations of a newer Penstock fit that say that they run with this one.
    """
    known = {migration.version: migration for migration in migrations}
    for had in applied:
        mine = known.get(had.version)
        if mine is None:
            if had.version >= marks.FIRST:
                raise marks.refusal(had.name, had.checksum, where)
            if (had.oldest or had.version) > len(migrations):
                raise too_new(where, had.version, len(migrations))
        elif mine.checksum != had.checksum:
            raise MigrationChanged(
                f"Migration {had.version} ({had.name}) of {where} was applied with another text than this one.",
                hint="Install the Penstock that applied it, and tell us: a released migration never changes.",
            )
    done = {had.version for had in applied}
    pending = tuple(migration for migration in migrations if migration.version not in done)
    return Status(tuple(applied), pending)


def too_new(where: str, version: int, newest: int) -> StoreTooNew:
    """Say that a newer Penstock has been here."""
    return StoreTooNew(f"{where} has schema version {version}; this Penstock knows versions up to {newest}.")
