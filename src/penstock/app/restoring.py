"""How does a store become what a backup or an export of it was? In a copy first; what was there before is kept."""

from __future__ import annotations

import contextlib
import datetime
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

import msgspec

from penstock.app.databases import alone_with, alone_with_file, open_store
from penstock.app.places import Where, locate
from penstock.clock import Clock
from penstock.errors.project import NoSuchFile, WrongCall
from penstock.errors.store import StoreMoved, StoreNotEmpty, Unlike
from penstock.settings.read import Project
from penstock.store.carrying import Told, carry, digest, every
from penstock.store.importing import read_in
from penstock.store.migrations.marks import RESTORING, Mark, refusal
from penstock.store.sqlite.copying import copy_database
from penstock.store.sqlite.logs import logs_path
from penstock.store.sqlite.side import SqliteSide

HEAD: Final = b"SQLite format 3\0"
FOLDER: Final = "restoring"


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What was restored: rows by table, where what was there before is kept, and the runs that an export left out."""

    store: str
    rows: dict[str, int]
    before: str = ""
    left_out: tuple[str, ...] = ()


def restore(project: Project, environ: Mapping[str, str], store: str, file: Path, clock: Clock, told: Told) -> Restored:
    """Make the project's store what a file holds: a backup (in the place of what is there) or an export (where nothing
    is there). Raises StoreInUse, StoreNotEmpty, StoreMoved, NotAStore, Unlike.
    """
    where = locate(project, environ, store)
    if not file.is_file():
        raise NoSuchFile(f"There is no file {file}.")
    if file.absolute() == Path(where.store):
        raise WrongCall("A store cannot be restored from itself.")
    with file.open("rb") as opened:
        whole = opened.read(len(HEAD)) == HEAD
    with _folder(where) as folder:
        fresh = folder / "fresh.db"
        left_out: tuple[str, ...] = ()
        if whole:
            _copied(file, fresh)
        open_store(str(fresh), clock, migrate=True).close()
        if not whole:
            with contextlib.closing(open_store(str(fresh), clock, migrate=True)) as made:
                left_out = read_in(made, file).left_out
        with alone_with_file(fresh, clock) as source:
            source.check()
            if where.on_postgres:
                with alone_with(where.store, clock) as target:
                    return Restored(store=where.shown, rows=carry(source, target, told).rows, left_out=left_out)
            before, rows = _replaced(where, source, file, clock, only_if_empty=not whole)
            return Restored(store=where.shown, rows=rows, before=before, left_out=left_out)


def _replaced(
    where: Where, source: SqliteSide, file: Path, clock: Clock, *, only_if_empty: bool
) -> tuple[str, dict[str, int]]:
    """Put all of a store into the place of another one, which is kept beside it unless it is empty."""
    path = Path(where.store)
    with contextlib.suppress(StoreMoved):
        open_store(where.store, clock, migrate=True).close()
    with alone_with_file(path, clock) as target:
        mark, before = target.mark(), ""
        if mark is not None and mark.name != RESTORING:
            raise refusal(mark.name, mark.text, target.where)
        full = next((table.name for table in target.tables() if target.batch(table, None, 1)), "")
        if full and only_if_empty:
            raise StoreNotEmpty(f'There are rows in "{full}" of {target.where}, and an export is not all there is.')
        if mark is not None:
            before = unquote(mark.move)  # what died kept it already
        elif full:
            at = datetime.datetime.fromtimestamp(clock.now() / 1e6, datetime.UTC)
            before = str(path.with_name(f"{path.stem}-before-{at:%Y%m%dT%H%M%S}.db"))
            target.keep(Path(before))
        target.set_mark(Mark(RESTORING, quote(before), str(file)))
        target.replace(source)
        return before, _compared(source, target)


def _compared(source: SqliteSide, target: SqliteSide) -> dict[str, int]:
    rows = {}
    for table in source.tables():
        sent, arrived = digest(every(source, table)), digest(every(target, table))
        if sent != arrived:
            raise Unlike(f'The table "{table.name}" has {sent[0]} rows in the copy, and {arrived[0]} or others here.')
        rows[table.name] = sent[0]
    return rows


def _copied(file: Path, fresh: Path) -> None:
    """Copy a backup with the logs beside it."""
    copy_database(file, fresh)
    if logs_path(file).exists():
        copy_database(logs_path(file), logs_path(fresh))


@contextlib.contextmanager
def _folder(where: Where) -> Iterator[Path]:
    """A folder beside the store for what is being made; of what died there, nothing is left."""
    folder = where.state / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
