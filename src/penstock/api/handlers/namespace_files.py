"""Which files does a namespace have? Listed, read, kept, moved and deleted; all of them at once as a zip."""

from __future__ import annotations

from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, BinaryIO, Final
from urllib.parse import quote

from msgspec import Meta

from penstock.api import cursors
from penstock.api.handlers.files import sent, shown_anew
from penstock.api.route import Answer, Call, Sent
from penstock.api.shapes.lists import Everything, Page
from penstock.api.shapes.namespace_files import (
    ContentAsked,
    FileHistoryAsked,
    FolderAsked,
    FolderPut,
    MovePut,
    NamespaceFileRow,
    NamespaceFilesAsked,
    PathAsked,
)
from penstock.errors.api import BadRequest
from penstock.services import namespace_archives
from penstock.services import namespace_files as verbs
from penstock.services.document import instant
from penstock.store.namespace_files import Entry

Before = Annotated[int, Meta(ge=0, le=2**31)]
PIECE: Final = 256 * 1024


def list_namespace_files(call: Call[NamespaceFilesAsked, None]) -> Page[NamespaceFileRow]:
    """The files and folders of a namespace, by path."""
    asked = call.query
    after = cursors.read(asked.cursor, str) or ""
    found = verbs.page(call.core, call.path["namespace"], asked.limit + 1, asked.prefix.lstrip("/"), after)
    shown = found[: asked.limit]
    return Page([_row(each) for each in shown], cursors.written(shown[-1].path) if len(found) > len(shown) else "")


def read_namespace_file(call: Call[ContentAsked, None]) -> Sent:
    """A file's bytes, or a part of them."""
    asked = call.query
    found = verbs.find(call.core, call.path["namespace"], asked.path, asked.revision)
    name = PurePosixPath(found.path).name
    return sent(call, found.uri, shown_anew(name, inline=asked.inline, tag=_tag(found)))


def put_namespace_file(call: Call[PathAsked, BinaryIO]) -> Answer:
    """Keep a file; with `If-Match` only on top of that revision, with `If-None-Match: *` only a new one."""
    namespace, wanted = call.path["namespace"], call.headers.get("if-match", "").strip().strip('"')
    on = None
    if wanted:
        if not wanted.removeprefix("f").isascii() or not wanted.removeprefix("f").isdigit():
            raise BadRequest('`If-Match` is the ETag of the file: as `"f3"`.')
        on = int(wanted.removeprefix("f")[:10])
    elif call.headers.get("if-none-match", "").strip() == "*":
        on = 0
    kept = verbs.put(call.core, namespace, call.query.path, call.body, on)
    return Answer(_row(kept), 201 if kept.revision == 1 else 200, headers={"ETag": _tag(kept)})


def delete_namespace_file(call: Call[PathAsked, None]) -> None:
    """Delete a file, or a folder with all that is in it; the history stays."""
    verbs.delete(call.core, call.path["namespace"], call.query.path)


def list_file_revisions(call: Call[FileHistoryAsked, None]) -> Page[NamespaceFileRow]:
    """The newest revisions of a path, of a deleted one, too."""
    asked, namespace = call.query, call.path["namespace"]
    before = cursors.read(asked.cursor, Before) or 2**31
    found = verbs.history(call.core, namespace, asked.path, asked.limit + 1, before)
    if not found and not asked.cursor:
        raise verbs.unknown(namespace, asked.path)
    shown = found[: asked.limit]
    return Page([_row(each) for each in shown], cursors.written(shown[-1].revision) if len(found) > len(shown) else "")


def make_namespace_folder(call: Call[None, FolderPut]) -> NamespaceFileRow:
    """Make a folder, which may stay empty."""
    return _row(verbs.make_folder(call.core, call.path["namespace"], call.body.path))


def move_namespace_file(call: Call[None, MovePut]) -> Everything[NamespaceFileRow]:
    """Move a file or a folder to where nothing stands."""
    moved = verbs.move(call.core, call.path["namespace"], call.body.source, call.body.target)
    return Everything([_row(each.target) for each in moved])


def export_namespace_files(call: Call[None, None]) -> Sent:
    """All files as a zip."""
    return zipped(call.path["namespace"], namespace_archives.pack(call.core, call.path["namespace"]))


def import_namespace_files(call: Call[FolderAsked, BinaryIO]) -> Everything[NamespaceFileRow]:
    """Keep every file of a zip."""
    kept = namespace_archives.unpack(call.core, call.path["namespace"], call.body, call.query.folder)
    return Everything([_row(each) for each in kept])


def zipped(namespace: str, file: BinaryIO) -> Sent:
    """A zip as an answer."""
    name = quote(f"{namespace}_files.zip", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "no-cache"}
    return Sent(iter(partial(file.read, PIECE), b""), "application/zip", headers=headers, file=file)


def _row(entry: Entry) -> NamespaceFileRow:
    return NamespaceFileRow(
        path=entry.path,
        kind=entry.kind,
        revision=entry.revision,
        size=entry.size,
        digest=entry.digest,
        changed=instant(entry.changed_at) or "",
        changed_by=entry.changed_by,
    )


def _tag(entry: Entry) -> str:
    return f'"f{entry.revision}"'
