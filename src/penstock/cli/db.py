"""How is the store looked after? Status, migrations, what is old, copies, and all of it as lines of JSON."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from penstock.app import locate, open_app
from penstock.app.databases import store_status
from penstock.cli.ending import Exit
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, json_too, keep_of, opened, places, project_of
from penstock.cli.said import as_json, data, note
from penstock.errors.project import BackupExists, NotForThisStore, WrongCall
from penstock.sdk.values import Duration
from penstock.services.document import instant
from penstock.services.retention import Keep, prune
from penstock.store import exporting, flows, queue, runs, workers

VERBS: Final = {
    "status": ("penstock.cli.db:status", "What the store is, holds, and wants."),
    "migrate": ("penstock.cli.db:migrate", "Bring the store's schema up to this Penstock."),
    "prune": ("penstock.cli.db:prune_store", "Remove runs and logs past their time."),
    "backup": ("penstock.cli.db:backup", "Copy an SQLite store while it is in use."),
    "restore": ("penstock.cli.restore:restore_store", "Make the store what a backup or an export holds."),
    "export": ("penstock.cli.db:export", "Write all history as lines of JSON."),
    "move": ("penstock.cli.move:move_store", "Carry the store to another database, and compare every row."),
    "recount": ("penstock.cli.recount:recount", "Count anew how runs ended, day by day."),
}

db = LazyGroup(
    name="db",
    lazy=VERBS,
    help="Look after the store: status, migrate, prune, backup, restore, export, move.",
    no_args_is_help=True,
    **examples("penstock db status", "penstock db prune --runs P30D", "penstock db backup ~/backups/monday.db"),
)


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What `db status` tells."""

    store: str
    kind: str
    schema: int
    pending: list[str]
    flows: int
    runs: dict[str, int]
    waiting: int
    oldest_waiting: str | None
    workers: int
    bytes: int | None


class PruneGiven(Given, frozen=True, kw_only=True):
    """What `db prune` was given."""

    runs: str = ""
    logs: str = ""
    compact: bool = False


@click.command("status", **examples("penstock db status", "penstock db status --json"))
@json_too
@places
def status(**given: Any) -> int:
    """What the store is, holds, and wants."""
    asked = msgspec.convert(given, Given)
    project = project_of(asked.project)
    where = locate(project, os.environ, asked.store)
    if not where.on_postgres and not Path(where.store).exists():
        raise WrongCall(f"There is no store at {where.store} yet.", hint="`penstock run FILE` makes one.")
    schema = store_status(where.store)
    pending = [f"{migration.version:04} {migration.name}" for migration in schema.pending]
    if pending:
        told = Status(
            store=where.shown, kind=_kind(where.on_postgres), schema=schema.version, pending=pending, flows=0, runs={},
            waiting=0, oldest_waiting=None, workers=0, bytes=None,
        )  # fmt: skip
    else:
        with open_app(project, os.environ, store=asked.store, make=False) as app:
            read = app.core.store.read
            waiting, since = read(queue.depth)
            told = Status(
                store=where.shown,
                kind=_kind(where.on_postgres),
                schema=schema.version,
                pending=[],
                flows=len(read(flows.list_flows)),
                runs={state.value: count for state, count in read(runs.counts).items()},
                waiting=waiting,
                oldest_waiting=instant(since),
                workers=len(read(workers.list_workers)),
                bytes=None if where.on_postgres else _size(Path(where.store)),
            )
    if asked.json:
        as_json(told)
    else:
        data("\n".join(_page(told)))
    return Exit.SUCCESS


@click.command(
    "migrate", **examples("penstock db migrate", "penstock db migrate --store postgresql://penstock@db/penstock")
)
@json_too
@places
def migrate(**given: Any) -> None:
    """Bring the store's schema up to this Penstock. One that is current stays as it is."""
    asked = msgspec.convert(given, Given)
    project = project_of(asked.project)
    where = locate(project, os.environ, asked.store)
    fresh = not where.on_postgres and not Path(where.store).exists()
    before = () if fresh else store_status(where.store).pending
    with open_app(project, os.environ, store=asked.store, migrate=True):
        pass
    applied = [f"{migration.version:04} {migration.name}" for migration in before]
    version = store_status(where.store).version
    if asked.json:
        as_json({"store": where.shown, "schema": version, "applied": applied})
        return
    if applied:
        data("\n".join(applied))
    note(f"{where.shown} has schema version {version}.")


@click.command(
    "prune",
    **examples(
        "penstock db prune                 by the retention of penstock.yaml",
        "penstock db prune --runs P30D --logs P7D",
    ),
)
@click.option("--runs", default="", metavar="DURATION", help="Remove runs that ended longer ago than this (P30D).")
@click.option("--logs", default="", metavar="DURATION", help="Remove logs of runs that ended longer ago than this.")
@click.option("--compact", is_flag=True, help="Give freed room back to the disk; nobody can write meanwhile.")
@json_too
@places
def prune_store(**given: Any) -> None:
    """Remove runs and logs past their time; by default 90 and 30 days after their end."""
    asked = msgspec.convert(given, PruneGiven)
    with opened(asked) as app:
        keep = keep_of(app)
        keep = Keep(
            runs=_duration(asked.runs, "--runs") if asked.runs else keep.runs,
            logs=_duration(asked.logs, "--logs") if asked.logs else keep.logs,
            audit=keep.audit,
        )
        removed = prune(app.core, app.files, keep)
        if asked.compact:
            app.core.store.compact()
        if asked.json:
            as_json(removed)
        else:
            data(f"{removed.runs} runs, {removed.files} files and {removed.log_chunks} chunks of logs removed.")


@click.command("backup", **examples("penstock db backup backup.db", "penstock db backup --force ~/backups/today.db"))
@click.argument("target", metavar="FILE")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_too
@places
def backup(**given: Any) -> None:
    """Copy an SQLite store while it is in use: state into FILE, logs beside it.

    `penstock db restore FILE` goes back to it; `--store FILE` looks into it.
    """
    target, force = Path(given.pop("target")), given.pop("force")
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        if app.where.on_postgres:
            raise NotForThisStore(
                "A PostgreSQL store is not copied from here.", hint="Use pg_dump, or the server's backups."
            )
        if target.is_dir():
            target /= "penstock.db"
        if target.exists() and not force:
            raise BackupExists(f"{target} is there already.")
        if target.absolute() == Path(app.where.store):
            raise WrongCall("A store cannot be copied onto itself.")
        target.parent.mkdir(parents=True, exist_ok=True)
        made = [str(path) for path in app.core.store.backup(target.absolute())]
        if asked.json:
            as_json({"files": made, "blobs": app.where.blobs})
            return
        data("\n".join(made))
        note(f"Files and large outputs stay where they are: {app.where.blobs}")


@click.command("export", **examples("penstock db export > history.jsonl", "penstock db export --logs all.jsonl"))
@click.argument("target", metavar="[FILE]", default="-")
@click.option("--logs", is_flag=True, help="With what the tasks said.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_too
@places
def export(**given: Any) -> None:
    """Write all history as lines of JSON: flows' revisions, runs, steps, attempts, events, outputs, metrics.

    With a FILE, `--json` tells how many lines went into it.
    """
    target, logs, force = given.pop("target"), given.pop("logs"), given.pop("force")
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        if target == "-":
            for line in exporting.lines(app.core.store, logs=logs):
                sys.stdout.write(line + "\n")
            return
        path = Path(target)
        if path.exists() and not force:
            raise BackupExists(f"{path} is there already.")
        count = 0
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            for line in exporting.lines(app.core.store, logs=logs):
                file.write(line + "\n")
                count += 1
        if asked.json:
            as_json({"file": str(path), "lines": count})
        else:
            note(f"{count:,} lines in {path}.")


def _kind(on_postgres: bool) -> str:
    return "postgres" if on_postgres else "sqlite"


def _size(path: Path) -> int:
    return sum(each.stat().st_size for each in path.parent.glob(f"{path.stem}*") if each.is_file())


def _page(told: Status) -> list[str]:
    lines = [f"store     {told.store} ({told.kind})", f"schema    version {told.schema}"]
    if told.pending:
        return [*lines, f"wants     {', '.join(told.pending)}: penstock db migrate"]
    counts = ", ".join(f"{count:,} {word}" for word, count in told.runs.items()) or "none"
    lines += [f"flows     {told.flows:,}", f"runs      {counts}", f"workers   {told.workers}"]
    since = f", the oldest since {told.oldest_waiting}" if told.oldest_waiting else ""
    lines.append(f"waiting   {told.waiting:,} attempts{since}")
    if told.bytes is not None:
        lines.append(f"on disk   {told.bytes / 1e6:,.1f} MB")
    return lines


def _duration(text: str, option: str) -> int:
    try:
        return Duration.read(text)
    except ValueError as error:
        raise WrongCall(f"{option}: {error}.") from None
