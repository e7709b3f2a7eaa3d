"""How do people and flows keep files for the flows of a namespace? By path; each change is a revision, and is told."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO, Final, Protocol, cast

import msgspec

from penstock.errors import PenstockError
from penstock.errors.api import Changed
from penstock.errors.run import UnknownFile
from penstock.errors.work import BadFileName
from penstock.model import ids
from penstock.model.access import Action
from penstock.services.access import audited
from penstock.services.core import Core
from penstock.services.unanswered import repeat_unknown
from penstock.store import feed
from penstock.store import namespace_files as table
from penstock.store.namespace_files import Entry, Kind
from penstock.store.port import Tx

PART: Final = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}")
LONGEST: Final = 900
# What nobody may lay into the folder of a process.
NEVER: Final = (".git", ".penstock")
KEPT: Final = 20
PREFIX: Final = "namespaces/"
MOST: Final = 10_000
PIECE: Final = 256 * 1024
BATCH: Final = 200


class Files(Protocol):
    """What is asked of the stored files."""

    def put_stream(self, key: str, stream: BinaryIO) -> str:
        """Keep what a stream gives under a key and give its address."""

    def open(self, uri: str) -> BinaryIO:
        """Open what stands at an address for reading."""

    def delete(self, uri: str) -> bool:
        """Forget what stands at an address; whether there was anything."""


class Moved(msgspec.Struct, frozen=True):
    """A file or a folder under its old and its new path."""

    source: Entry
    target: Entry


def files_of(core: Core) -> Files:
    """The bytes of a store's files."""
    return cast("Files", core.blobs)


def clean(path: str) -> str:
    """A path as it is kept: no slash at its ends. Raises BadFileName for what could lead elsewhere."""
    bare = path.strip("/")
    parts = bare.split("/")
    try:
        length = len(bare.encode())
    except UnicodeEncodeError:
        length = LONGEST + 1
    if length > LONGEST or parts[0] in NEVER or any(part in (".", "..") or not PART.fullmatch(part) for part in parts):
        raise BadFileName(
            f'"{path[:200]}" cannot be the path of a file of a namespace.',
            hint='No empty part, ".", "..", backslash or unseen sign; nothing in .git or .penstock.',
        )
    return bare


def page(core: Core, namespace: str, limit: int, prefix: str = "", after: str = "") -> list[Entry]:
    """So many of a namespace's files and folders behind a path, by path, that begin with `prefix`."""
    return core.store.glance(lambda tx: table.page(tx, namespace, limit, prefix=prefix, after=after))


def every(core: Core, namespace: str, prefix: str = "") -> Iterator[Entry]:
    """All of them, a page at a time."""
    after = ""
    while found := page(core, namespace, BATCH, prefix, after):
        yield from found
        after = found[-1].path


def find(core: Core, namespace: str, path: str, revision: int | None = None) -> Entry:
    """A file as it is, or as it was. Raises UnknownFile, BadFileName."""
    name = clean(path)

    def look(tx: Tx) -> Entry | None:
        if revision is None:
            return table.get(tx, namespace, name)
        return next((one for one in table.revisions(tx, namespace, name, 1, revision + 1)), None)

    found = core.store.glance(look)
    if found is None or found.kind is not Kind.FILE or revision not in (None, found.revision):
        raise unknown(namespace, path, revision)
    return found


def history(core: Core, namespace: str, path: str, limit: int, before: int = 2**31) -> list[Entry]:
    """So many revisions of a path before one, newest first; those of a deleted file, too. Raises BadFileName."""
    name = clean(path)
    return core.store.glance(lambda tx: table.revisions(tx, namespace, name, limit, before))


def put(core: Core, namespace: str, path: str, stream: BinaryIO, on: int | None = None) -> Entry:
    """Keep what a stream holds, which must be able to begin anew; the same bytes make no new revision.

    With `on` only on top of that revision (0: where there is none yet). Raises BadFileName, Changed, MayNot.
    """
    ids.check_namespace(namespace)
    digest, size = measured(stream)
    wanted = Entry(namespace=namespace, path=clean(path), kind=Kind.FILE, size=size, digest=digest)
    found = core.store.glance(lambda tx: table.get(tx, namespace, wanted.path))
    if found is not None and found.kind is Kind.FILE and found.digest == digest and on in (None, found.revision):
        return found
    return _put(core, wanted, stream, on)


def make_folder(core: Core, namespace: str, path: str) -> Entry:
    """Make a folder, which may stay empty. Raises BadFileName, MayNot."""
    ids.check_namespace(namespace)
    wanted = Entry(namespace=namespace, path=f"{clean(path)}/", kind=Kind.FOLDER)
    found = core.store.glance(lambda tx: table.get(tx, namespace, wanted.path))
    return found or _make_folder(core, wanted)


def delete(core: Core, namespace: str, path: str) -> int:
    """Delete a file, or a folder with all that is in it, and tell how many files that were. Raises UnknownFile."""
    name = clean(path)
    found = core.store.read(lambda tx: _at(tx, namespace, name))
    if not found:
        raise unknown(namespace, path)
    return _delete(core, namespace, name, found)


def move(core: Core, namespace: str, source: str, target: str) -> list[Moved]:
    """Move a file, or a folder with all that is in it, to where nothing stands. Raises UnknownFile, BadFileName."""
    old, new = clean(source), clean(target)
    found = core.store.read(lambda tx: _at(tx, namespace, old))
    if not found:
        raise unknown(namespace, source)
    if new == old or new.startswith(f"{old}/"):
        raise BadFileName(f'"{old}" cannot be moved into itself.')
    if core.store.read(lambda tx: _at(tx, namespace, new)):
        raise BadFileName(f'There is something at "{new}" already.')
    return _move(core, namespace, old, new, found)


def forget(core: Core, before: int) -> int:
    """Forget what was deleted before an instant, with its history, and tell how many paths that were."""
    count = 0
    while gone := core.store.read(lambda tx: table.long_gone(tx, before, BATCH)):
        _drop(core, core.store.write(partial(_forget, gone)))
        count += len(gone)
    return count


def _forget(gone: Sequence[Entry], tx: Tx) -> list[str]:
    return [uri for each in gone for uri in table.forget(tx, each)]


def unknown(namespace: str, path: str, revision: int | None = None) -> UnknownFile:
    """The error that says that there is no such file."""
    which = "" if revision is None else f", revision {revision}"
    return UnknownFile(f'There is no file "{path[:200]}"{which} in the namespace "{namespace[:200]}".')


def commit(tx: Tx, core: Core, entry: Entry) -> tuple[int, list[str]]:
    """Keep a revision, told to those who listen; gives its number, and addresses of files that are too old now.

    Raises BadFileName where a file would stand in a file.
    """
    if entry.kind is not Kind.GONE:
        _check_room(tx, entry)
    revision = table.put(tx, entry)
    feed.append(tx, [("file", f"{entry.namespace}/{entry.path}", revision)], entry.changed_at)
    return revision, table.trim(tx, entry.namespace, entry.path, revision - KEPT)


def keep_bytes(core: Core, namespace: str, stream: BinaryIO) -> str:
    """Keep the bytes of a revision to come, and give their address."""
    stream.seek(0)
    key = ids.run_id(core.clock.now() // 1000, core.entropy())
    return files_of(core).put_stream(f"{PREFIX}{namespace}/{key}", stream)


def drop_bytes(core: Core, uris: Sequence[str]) -> None:
    """Forget bytes that no revision names."""
    _drop(core, uris)


@audited(Action.FILES_EDIT, "files.put", "{wanted.path}", namespace="{wanted.namespace}")
def _put(core: Core, wanted: Entry, stream: BinaryIO, on: int | None) -> Entry:
    uri = keep_bytes(core, wanted.namespace, stream)
    entry = msgspec.structs.replace(wanted, uri=uri, changed_at=core.clock.now(), changed_by=core.actor.name)

    def work(tx: Tx) -> tuple[int, list[str]]:
        there = table.get(tx, entry.namespace, entry.path)
        if there is not None and there.uri == uri:
            return there.revision, []  # kept already, and nobody had heard of it
        if on is not None and on != (there.revision if there else 0):
            said = f"its revision is {there.revision}" if there else "it is not there"
            raise Changed(f'The file "{entry.path}" is not what the call says it is: {said}.')
        return commit(tx, core, entry)

    return msgspec.structs.replace(entry, revision=_written(core, work, [uri])[0])


@audited(Action.FILES_EDIT, "files.make_folder", "{wanted.path}", namespace="{wanted.namespace}")
def _make_folder(core: Core, wanted: Entry) -> Entry:
    entry = msgspec.structs.replace(wanted, changed_at=core.clock.now(), changed_by=core.actor.name)
    revision, _ = repeat_unknown(core, lambda: core.store.write(lambda tx: commit(tx, core, entry)))
    return msgspec.structs.replace(entry, revision=revision)


@audited(Action.FILES_EDIT, "files.delete", "{name}", namespace="{namespace}")
def _delete(core: Core, namespace: str, name: str, found: Sequence[Entry]) -> int:
    now, by = core.clock.now(), core.actor.name

    def work(tx: Tx) -> list[str]:
        there = [each for each in found if table.get(tx, namespace, each.path) == each]
        return [uri for each in there for uri in commit(tx, core, gone(each, now, by))[1]]

    _drop(core, repeat_unknown(core, lambda: core.store.write(work)))
    return sum(each.kind is Kind.FILE for each in found)


@audited(Action.FILES_EDIT, "files.move", "{old} to {new}", namespace="{namespace}")
def _move(core: Core, namespace: str, old: str, new: str, found: Sequence[Entry]) -> list[Moved]:
    now, by = core.clock.now(), core.actor.name
    moved: list[Moved] = []
    for each in found:
        uri = ""
        if each.uri:
            # bytes are never shared: who forgets an old revision must not take them away from another path
            with files_of(core).open(each.uri) as kept:
                uri = keep_bytes(core, namespace, kept)
        path = new + each.path[len(old) :]
        target = msgspec.structs.replace(each, path=path, uri=uri, changed_at=now, changed_by=by)
        moved.append(Moved(each, target))

    def work(tx: Tx) -> tuple[int, list[str]]:
        if all((there := table.get(tx, namespace, one.target.path)) and there.uri == one.target.uri for one in moved):
            return 0, []  # moved already, and nobody had heard of it
        if any(table.get(tx, namespace, one.source.path) != one.source for one in moved):
            raise Changed(f'Something in "{old}" has changed meanwhile.')
        left = [uri for one in moved for uri in commit(tx, core, gone(one.source, now, by))[1]]
        for one in moved:
            left += commit(tx, core, one.target)[1]
        return 0, left

    _written(core, work, [one.target.uri for one in moved if one.target.uri])
    return moved


def gone(entry: Entry, now: int, by: str) -> Entry:
    """What stands at a path after it was deleted."""
    return Entry(namespace=entry.namespace, path=entry.path, kind=Kind.GONE, changed_at=now, changed_by=by)


def _written(core: Core, work: object, fresh: Sequence[str]) -> tuple[int, list[str]]:
    """Commit a change whose bytes are kept already; where it fails they are forgotten."""
    done = repeat_unknown(core, lambda: core.store.write(cast("Work", work)), lambda: _drop(core, fresh))
    _drop(core, done[1])
    return done


class Work(Protocol):
    """What is done in a transaction: a revision, and addresses that are to be forgotten after it."""

    def __call__(self, tx: Tx, /) -> tuple[int, list[str]]:
        """Do it."""


def _at(tx: Tx, namespace: str, name: str) -> list[Entry]:
    """The file at a path, or the folder there with all that is in it. Raises BadFileName where that is too much."""
    file = table.get(tx, namespace, name)
    found = [file] if file is not None else table.page(tx, namespace, MOST + 1, prefix=f"{name}/")
    if len(found) > MOST:
        raise BadFileName(f'There are more than {MOST:,} files in "{name}".', hint="Take its folders one by one.")
    return found


def _check_room(tx: Tx, entry: Entry) -> None:
    """Raises BadFileName where a file stands where a folder would have to, or a folder where the file would."""
    parts = entry.path.rstrip("/").split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + (entry.kind is Kind.FOLDER))]
    for name in above:
        if table.get(tx, entry.namespace, name) is not None:
            raise BadFileName(f'"{name}" is a file, so nothing can lie in it.')
    if entry.kind is Kind.FILE and table.page(tx, entry.namespace, 1, prefix=f"{entry.path}/"):
        raise BadFileName(f'"{entry.path}" is a folder, so it cannot be a file.')


def measured(stream: BinaryIO) -> tuple[str, int]:
    """The SHA-256 of what a stream holds, and its size."""
    digest, size = hashlib.sha256(), 0
    stream.seek(0)
    while piece := stream.read(PIECE):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _drop(core: Core, uris: Sequence[str]) -> None:
    # what stays behind is bytes that nobody names; the change itself stands
    with contextlib.suppress(PenstockError, OSError):
        for uri in uris:
            files_of(core).delete(uri)
