"""Which files does a namespace have? By path, with the revisions before; their bytes are kept elsewhere."""

from __future__ import annotations

import enum

import msgspec

from penstock.store import codec
from penstock.store.port import Row, Tx

# Behind every path that begins so: no text has a higher letter.
LAST = "\U0010ffff"


class Kind(enum.StrEnum):
    """What stands at a path: a file, a folder that was made by itself (its path ends with `/`), or nothing any more."""

    FILE = "file"
    FOLDER = "folder"
    GONE = "gone"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of what stands at a path: address, size in bytes and digest of a file, empty for what is none."""

    namespace: str
    path: str
    kind: Kind
    revision: int = 0
    uri: str = ""
    size: int = 0
    digest: str = ""
    changed_at: int = 0
    changed_by: str = ""


def get(tx: Tx, namespace: str, path: str) -> Entry | None:
    """Give what stands at a path; None where nothing does."""
    found = last(tx, namespace, path)
    return None if found is None or found.kind is Kind.GONE else found


def last(tx: Tx, namespace: str, path: str) -> Entry | None:
    """Give what stands at a path, or the word that nothing does any more."""
    row = tx.one("namespace_files.get", namespace=namespace, path=path)
    return _entry(row) if row else None


def page(tx: Tx, namespace: str, limit: int, *, prefix: str = "", after: str = "") -> list[Entry]:
    """Give so many of a namespace's files and folders behind a path, by path, that begin with `prefix`."""
    asked = {"first": prefix, "last": prefix + LAST, "after": after, "limit": limit}
    return [_entry(row) for row in tx.all("namespace_files.page", namespace=namespace, **asked)]


def put(tx: Tx, entry: Entry) -> int:
    """Keep what stands at a path from now on, and give its revision."""
    given = _written(entry)
    del given["revision"]
    done = tx.one("namespace_files.put", **given)
    assert done is not None
    revision = codec.number(done[0])
    tx.run("namespace_files.note", **{**given, "revision": revision})
    return revision


def revisions(tx: Tx, namespace: str, path: str, limit: int, before: int = 2**31) -> list[Entry]:
    """Give so many revisions before one, newest first."""
    asked = {"namespace": namespace, "path": path, "before": before, "limit": limit}
    return [_entry(row) for row in tx.all("namespace_files.revisions", **asked)]


def trim(tx: Tx, namespace: str, path: str, until: int) -> list[str]:
    """Forget the revisions up to one, and give the addresses of their files."""
    rows = tx.all("namespace_files.trim", namespace=namespace, path=path, until=until)
    return [str(row[0]) for row in rows if row[0]]


def addresses(tx: Tx) -> set[str]:
    """Give the addresses of the bytes of all revisions."""
    return {str(row[0]) for row in tx.all("namespace_files.addresses")}


def long_gone(tx: Tx, before: int, limit: int) -> list[Entry]:
    """Give paths where nothing has stood since an instant."""
    return [_entry(row) for row in tx.all("namespace_files.long_gone", before=before, limit=limit)]


def forget(tx: Tx, gone: Entry) -> list[str]:
    """Forget a path where nothing stands, with its history, and give the addresses of the files of that."""
    if not tx.run("namespace_files.forget", namespace=gone.namespace, path=gone.path, revision=gone.revision):
        return []
    return trim(tx, gone.namespace, gone.path, gone.revision)


def _written(entry: Entry) -> dict[str, object]:
    return msgspec.structs.asdict(entry) | {"kind": str(entry.kind)}


def _entry(row: Row) -> Entry:
    namespace, path, kind, revision, uri, size, digest, changed_at, changed_by = row
    return Entry(
        namespace=str(namespace),
        path=str(path),
        kind=Kind(str(kind)),
        revision=codec.number(revision),
        uri=str(uri),
        size=codec.number(size),
        digest=str(digest),
        changed_at=codec.number(changed_at),
        changed_by=str(changed_by),
    )
