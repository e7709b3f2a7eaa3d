"""How are files of namespaces kept where a server has them?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from penstock.cli.files import FilesGiven, given_files, tell_files, tell_kept
from penstock.cli.remote.asking import asked
from penstock.cli.remote.flows import micros
from penstock.cli.said import note
from penstock.client.shapes.files import NamespaceFileRow
from penstock.store.namespace_files import Entry, Kind

FOLDER: Final = "/"


def list_files(url: str, given: dict[str, Any]) -> None:
    """List the files of a namespace."""
    wanted = _given(given)
    with asked(url, given) as client:
        found = [_entry(wanted, one) for one in client.files.list(wanted.namespace, wanted.path.lstrip("/"))]
    tell_files(found, wanted)


def get(url: str, given: dict[str, Any]) -> None:
    """Give the bytes of a file on stdout."""
    wanted = _given(given)
    with asked(url, given) as client:
        for piece in client.files.read(wanted.namespace, wanted.path, wanted.revision):
            sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def put(url: str, given: dict[str, Any]) -> None:
    """Keep a file, or a folder with all that is in it."""
    wanted = _given(given)
    with asked(url, given) as client:
        kept = [_entry(wanted, client.files.put(wanted.namespace, name, file)) for name, file in given_files(wanted)]
    tell_kept(kept, wanted)


def delete(url: str, given: dict[str, Any]) -> None:
    """Delete a file, or a folder with all that is in it."""
    wanted = _given(given)
    with asked(url, given) as client:
        below = client.files.list(wanted.namespace, wanted.path.strip(FOLDER))
        gone = [one for one in below if one.path.startswith((f"{wanted.path.strip(FOLDER)}/",)) and one.kind == "file"]
        client.files.delete(wanted.namespace, wanted.path)
    count = len(gone) or 1
    note(f"{count} file{'' if count == 1 else 's'} deleted.")


def move(url: str, given: dict[str, Any]) -> None:
    """Move a file or a folder to where nothing stands."""
    wanted = _given(given)
    source, target = wanted.path.strip(FOLDER), wanted.target.strip(FOLDER)
    with asked(url, given) as client:
        moved = client.files.move(wanted.namespace, wanted.path, wanted.target)
    for each in moved:
        note(f"{source}{each.path.removeprefix(target)} is now {each.path}.")


def history(url: str, given: dict[str, Any]) -> None:
    """List the revisions of a file, newest first."""
    wanted = _given(given)
    with asked(url, given) as client:
        found = [_entry(wanted, one) for one in client.files.history(wanted.namespace, wanted.path)]
    tell_files(found, wanted)


def export(url: str, given: dict[str, Any]) -> None:
    """Write all files of a namespace into a zip."""
    wanted = _given(given)
    with asked(url, given) as client:
        client.files.export(wanted.namespace, Path(wanted.target))
    note(f"{wanted.target} is written.")


def take_in(url: str, given: dict[str, Any]) -> None:
    """Keep every file of a zip."""
    wanted = _given(given)
    with asked(url, given) as client:
        kept = client.files.take_in(wanted.namespace, Path(wanted.source), wanted.within)
    note(f"{len(kept)} file{'' if len(kept) == 1 else 's'} kept.")


def _given(given: dict[str, Any]) -> FilesGiven:
    return msgspec.convert(given, FilesGiven)


def _entry(wanted: FilesGiven, row: NamespaceFileRow) -> Entry:
    return Entry(
        namespace=wanted.namespace,
        path=row.path,
        revision=row.revision,
        kind=Kind(row.kind),
        size=row.size,
        digest=row.digest,
        uri="",
        changed_at=micros(row.changed),
        changed_by=row.changed_by,
    )
