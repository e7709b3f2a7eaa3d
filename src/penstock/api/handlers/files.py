"""Which files does a run have, and what is in them? Their bytes, in parts if wanted, never as a page of this server."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import dropwhile, islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final
from urllib.parse import quote

from penstock.api import cursors
from penstock.api.route import Call, Sent
from penstock.api.shapes.files import FileAsked, FileRow, FilesAsked, PreviewAsked
from penstock.api.shapes.lists import Page
from penstock.errors.api import BadRange
from penstock.errors.store import BlobMissing
from penstock.model.access import Action
from penstock.services import parquet_preview
from penstock.services.access import can
from penstock.services.document import instant
from penstock.services.file_preview import IMAGES, LOOKED_AT, Preview, preview
from penstock.services.stored import OURS
from penstock.services.uploads import Uploaded, upload
from penstock.store import runs

PIECE: Final = 256 * 1024
RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
# What a browser may show as text; everything else is bytes to be kept. Pages and drawings with scripts are among those.
TEXTS: Final = frozenset({".csv", ".json", ".jsonl", ".log", ".md", ".ndjson", ".sql", ".tsv", ".txt", ".yaml", ".yml"})
POLICY: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"


def list_files(call: Call[FilesAsked, None]) -> Page[FileRow]:
    """The files that a run has kept, by name."""
    asked, prefix = call.query, f"runs/{call.run.id}/"
    after = cursors.read(asked.cursor, str) or ""
    behind = dropwhile(lambda each: each.key <= after, call.app.files.below(prefix))
    found = list(islice(behind, asked.limit + 1))
    shown = found[: asked.limit]
    rows = [
        FileRow(uri=each.uri, name=each.key.removeprefix(prefix), size=each.size, at=instant(each.at) or "")
        for each in shown
    ]
    return Page(rows, cursors.written(shown[-1].key) if len(found) > len(shown) else "")


def read_file(call: Call[FileAsked, None]) -> Sent:
    """A file's bytes, or a part of them."""
    uri = _of(call, call.query.uri)
    # a file never changes once its address was handed on
    tag = f'"{hashlib.blake2b(uri.encode(), digest_size=9).hexdigest()}"'
    return sent(call, uri, _shown(PurePosixPath(uri).name, inline=call.query.inline) | {"ETag": tag})


def shown_anew(name: str, *, inline: bool, tag: str) -> dict[str, str]:
    """The headers of a file that may be another one at the next look."""
    return _shown(name, inline=inline) | {"Cache-Control": "private, no-cache", "ETag": tag}


def sent(call: Call[Any, Any], uri: str, shown: dict[str, str]) -> Sent:
    """What stands at an address, or the part of it that the call asks for, with headers. Raises BadRange."""
    size, tag = call.app.files.size(uri), shown["ETag"]
    shown |= {"Accept-Ranges": "bytes"}
    media = shown.pop("Content-Type")
    if call.headers.get("if-none-match", "") == tag:
        return Sent([], media, 304, shown)
    part = _part(call.headers.get("range", ""), size) if call.headers.get("if-range", tag) == tag else None
    file = call.app.files.open(uri)
    if part is None:
        return Sent(_pieces(file, 0, size), media, 200, shown | {"Content-Length": str(size)}, file)
    first, last = part
    shown |= {"Content-Range": f"bytes {first}-{last}/{size}", "Content-Length": str(last - first + 1)}
    return Sent(_pieces(file, first, last + 1), media, 206, shown, file)


def preview_file(call: Call[PreviewAsked, None]) -> Preview:
    """What a file begins with."""
    uri = _of(call, call.query.uri)
    name = PurePosixPath(uri).name
    with call.app.files.open(uri) as file:
        size = file.seek(0, 2)
        file.seek(0)
        if name.lower().endswith(parquet_preview.ENDINGS):
            return parquet_preview.preview(name, size, file, call.query.rows)
        head = file.read(LOOKED_AT)
    return preview(name, size, head, call.query.rows)


def upload_file(call: Call[None, BinaryIO]) -> Uploaded:
    """Keep a file for an input."""
    return upload(call.core, call.app.files, call.path["name"], call.body)


def _of(call: Call[Any, Any], uri: str) -> str:
    """The address, if the run may tell of what stands there: it kept it, or was given it. Raises BlobMissing.

    What it was given of another run's is told to who may see that one, too: anybody may write an address.
    """
    run = call.run
    own = uri.startswith(f"{OURS}runs/{run.id}/") and ".." not in uri.split("/")
    if not own and (uri not in run.inputs.values() or not _may_see(call, uri)):
        raise BlobMissing(f'Run {run.id} has no file "{uri[:200]}".')
    return uri


def _may_see(call: Call[Any, Any], uri: str) -> bool:
    kind, _, rest = uri.removeprefix(OURS).partition("/")
    if ".." in uri.split("/") or kind not in ("inputs", "runs"):
        return False
    other = call.core.store.glance(lambda tx: runs.load(tx, rest.partition("/")[0])) if kind == "runs" else None
    return kind == "inputs" or (other is not None and can(call.actor, Action.RUNS_VIEW, other.namespace))


def _shown(name: str, *, inline: bool) -> dict[str, str]:
    ending = PurePosixPath(name).suffix.lower()
    media = IMAGES.get(ending) or ("text/plain; charset=utf-8" if ending in TEXTS else "application/octet-stream")
    how = "inline" if inline and media != "application/octet-stream" else "attachment"
    return {
        "Content-Type": media,
        "Content-Disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": POLICY,
        "Cache-Control": "private, max-age=31536000, immutable",
    }


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte wanted; None for all of it. Raises BadRange."""
    found = RANGE.fullmatch(asked.strip())
    if not found or found[0] == "bytes=-":
        return None  # several parts, or another unit: the whole is as good
    if not found[1]:
        length = min(int(found[2]), size)
        first, last = size - length, size - 1
    else:
        first, last = int(found[1]), min(int(found[2]) if found[2] else size - 1, size - 1)
    if first > last or first >= size:
        raise BadRange(f"The file has {size} bytes, and none of those asked for.")
    return first, last


def _pieces(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    left = end - start
    while left > 0 and (piece := file.read(min(PIECE, left))):
        left -= len(piece)
        yield piece
