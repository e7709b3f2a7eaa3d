"""How are files of namespaces kept from the command line? Listed, read, kept, deleted, moved, all at once as a zip."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, cast

import click
import msgspec

from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.errors.project import NoSuchFile
from penstock.services import namespace_archives
from penstock.services import namespace_files as verbs
from penstock.services.document import instant
from penstock.store.namespace_files import Entry, Kind

VERBS: Final = {
    "list": ("penstock.cli.files:list_files", "List the files of a namespace."),
    "get": ("penstock.cli.files:get", "Give the bytes of a file."),
    "put": ("penstock.cli.files:put", "Keep a file, or a folder with all that is in it."),
    "delete": ("penstock.cli.files:delete", "Delete a file, or a folder with all that is in it."),
    "move": ("penstock.cli.files:move", "Move a file or a folder to where nothing stands."),
    "history": ("penstock.cli.files:history", "List the revisions of a file."),
    "export": ("penstock.cli.files:export", "Write all files of a namespace into a zip."),
    "import": ("penstock.cli.files:take_in", "Keep every file of a zip."),
}
STDIN: Final = "-"
SKIPPED: Final = (".git", ".penstock")

files = LazyGroup(
    name="files",
    lazy=VERBS,
    help="Keep files for the flows of a namespace: scripts and queries that they find by name, on every worker.",
    no_args_is_help=True,
    **examples("penstock files put shop sql/daily.sql", "penstock files list shop"),
)


class FilesGiven(Given, frozen=True, kw_only=True):
    """What the verbs about files were given."""

    namespace: str
    path: str = ""
    target: str = ""
    source: str = ""
    revision: int | None = None
    within: str = ""


@click.command("list", **examples("penstock files list shop", "penstock files list shop sql/ --json"))
@click.argument("namespace")
@click.argument("path", required=False, default="", metavar="[PREFIX]")
@json_too
@places
@served("penstock.cli.remote.files:list_files")
def list_files(**given: Any) -> None:
    """List the files of a namespace, all or those whose paths begin with PREFIX."""
    asked = msgspec.convert(given, FilesGiven)
    with opened(asked) as app:
        found = list(verbs.every(app.core, asked.namespace, asked.path.lstrip("/")))
    tell_files(found, asked)


def tell_files(found: Sequence[Entry], asked: FilesGiven) -> None:
    """Tell the files of a namespace."""
    if asked.json:
        as_json(found)
    elif found:
        data(table(("PATH", "SIZE", "REVISION", "CHANGED", "BY"), [_row(each) for each in found]))
    else:
        note(f"The namespace {asked.namespace} has no files: `penstock files put {asked.namespace} FILE` keeps one.")


@click.command(
    "get", **examples("penstock files get shop sql/daily.sql", "penstock files get shop a.csv --revision 2 > old.csv")
)
@click.argument("namespace")
@click.argument("path")
@click.option("--revision", type=click.IntRange(1), default=None, help="This revision instead of the newest.")
@places
@served("penstock.cli.remote.files:get")
def get(**given: Any) -> None:
    """Give the bytes of a file on stdout."""
    asked = msgspec.convert(given, FilesGiven)
    with opened(asked) as app:
        found = verbs.find(app.core, asked.namespace, asked.path, asked.revision)
        with app.files.open(found.uri) as kept:
            shutil.copyfileobj(kept, sys.stdout.buffer)
    sys.stdout.buffer.flush()


@click.command(
    "put",
    **examples(
        "penstock files put shop daily.sql sql/daily.sql   under another path",
        "penstock files put shop sql                       a folder with all that is in it",
        "pg_dump -s db | penstock files put shop - schema.sql",
    ),
)
@click.argument("namespace")
@click.argument("source", metavar="FILE|FOLDER|-")
@click.argument("path", required=False, default="")
@json_too
@places
@served("penstock.cli.remote.files:put")
def put(**given: Any) -> None:
    """Keep a file under a path, which is its own where none is given, or a folder with all that is in it."""
    asked = msgspec.convert(given, FilesGiven)
    with opened(asked, make=True) as app:
        kept = [verbs.put(app.core, asked.namespace, name, file) for name, file in given_files(asked)]
    tell_kept(kept, asked)


def given_files(asked: FilesGiven) -> Iterator[tuple[str, BinaryIO]]:
    """The files that are to be kept with their paths, each open for as long as it is looked at. Raises NoSuchFile."""
    if asked.source == STDIN:
        with tempfile.SpooledTemporaryFile(max_size=1 << 20) as spooled:
            shutil.copyfileobj(sys.stdin.buffer, spooled)
            yield asked.path, cast("BinaryIO", spooled)
        return
    source = Path(asked.source)
    if not source.exists():
        raise NoSuchFile(f"There is no file or folder {source}.")
    for path, name in _named(source, asked.path):
        with path.open("rb") as file:
            yield name, file


def tell_kept(kept: Sequence[Entry], asked: FilesGiven) -> None:
    """Tell which files are kept."""
    if asked.json:
        as_json(kept)
    for each in kept:
        note(f"{each.path} is kept, revision {each.revision}.")


@click.command("delete", **examples("penstock files delete shop sql/old.sql", "penstock files delete shop sql"))
@click.argument("namespace")
@click.argument("path")
@places
@served("penstock.cli.remote.files:delete")
def delete(**given: Any) -> None:
    """Delete a file, or a folder with all that is in it; `history` and `get --revision` still know it."""
    asked = msgspec.convert(given, FilesGiven)
    with opened(asked) as app:
        count = verbs.delete(app.core, asked.namespace, asked.path)
    note(f"{count} file{'' if count == 1 else 's'} deleted.")


@click.command("move", **examples("penstock files move shop sql queries"))
@click.argument("namespace")
@click.argument("path", metavar="FROM")
@click.argument("target", metavar="TO")
@places
@served("penstock.cli.remote.files:move")
def move(**given: Any) -> None:
    """Move a file or a folder to where nothing stands."""
    asked = msgspec.convert(given, FilesGiven)
    with opened(asked) as app:
        moved = verbs.move(app.core, asked.namespace, asked.path, asked.target)
    for each in moved:
        note(f"{each.source.path} is now {each.target.path}.")


@click.command("history", **examples("penstock files history shop sql/daily.sql"))
@click.argument("namespace")
@click.argument("path")
@json_too
@places
@served("penstock.cli.remote.files:history")
def history(**given: Any) -> None:
    """List the revisions of a file, newest first; of a deleted one, too."""
    asked = msgspec.convert(given, FilesGiven)
    with opened(asked) as app:
        found = verbs.history(app.core, asked.namespace, asked.path, verbs.KEPT + 1)
    if not found:
        raise verbs.unknown(asked.namespace, asked.path)
    tell_files(found, asked)


@click.command("export", **examples("penstock files export shop shop.zip"))
@click.argument("namespace")
@click.argument("target", metavar="ZIP")
@places
@served("penstock.cli.remote.files:export")
def export(**given: Any) -> None:
    """Write all files of a namespace into a zip."""
    asked = msgspec.convert(given, FilesGiven)
    with (
        opened(asked) as app,
        namespace_archives.pack(app.core, asked.namespace) as packed,
        Path(asked.target).open("wb") as file,
    ):
        shutil.copyfileobj(packed, file)
    note(f"{asked.target} is written.")


@click.command("import", **examples("penstock files import shop shop.zip", "penstock files import shop a.zip --into a"))
@click.argument("namespace")
@click.argument("source", metavar="ZIP", type=click.Path(exists=True, dir_okay=False))
@click.option("--into", "within", default="", metavar="FOLDER", help="The folder that they go to; else the top.")
@places
@served("penstock.cli.remote.files:take_in")
def take_in(**given: Any) -> None:
    """Keep every file of a zip."""
    asked = msgspec.convert(given, FilesGiven)
    with opened(asked, make=True) as app, Path(asked.source).open("rb") as file:
        kept = namespace_archives.unpack(app.core, asked.namespace, file, asked.within)
    note(f"{len(kept)} file{'' if len(kept) == 1 else 's'} kept.")


def _named(source: Path, path: str) -> list[tuple[Path, str]]:
    """The files that are meant, with the path of each."""
    if source.is_file():
        own = source.name if source.is_absolute() or ".." in source.parts else source.as_posix()
        return [(source, path or own)]
    top = path or ("" if source.is_absolute() or ".." in source.parts else source.as_posix())
    below = [each.relative_to(source) for each in sorted(source.rglob("*")) if each.is_file()]
    return [
        (source / each, (PurePosixPath(top) / each.as_posix()).as_posix())
        for each in below
        if not set(SKIPPED) & set(each.parts)
    ]


def _row(each: Entry) -> tuple[str, ...]:
    shown = "gone" if each.kind is Kind.GONE else "" if each.kind is Kind.FOLDER else str(each.size)
    return each.path, shown, str(each.revision), (instant(each.changed_at) or "")[:19], each.changed_by
