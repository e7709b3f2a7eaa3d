"""How do people hand in a file that a run takes as an input? It is kept under what it holds, and its address given."""

from __future__ import annotations

import hashlib
import re
from typing import BinaryIO, Final

import msgspec

from penstock.errors.work import BadFileName
from penstock.services.access import audited
from penstock.services.core import Core
from penstock.services.stored import Stored

NAME: Final = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}")
PIECE: Final = 256 * 1024


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was kept: its address is what an input of type FILE takes; its size in bytes."""

    uri: str
    size: int


def upload(core: Core, files: Stored, name: str, stream: BinaryIO) -> Uploaded:
    """Keep what a stream holds, which must be able to begin anew. Raises BadFileName."""
    if not NAME.fullmatch(name) or name in (".", ".."):
        raise BadFileName(f'A file cannot be named "{name[:100]}".')
    digest = hashlib.sha256()
    while piece := stream.read(PIECE):
        digest.update(piece)
    size = stream.tell()
    stream.seek(0)
    return Uploaded(uri=_keep(core, files, f"inputs/{digest.hexdigest()[:32]}/{name}", stream), size=size)


@audited(None, "files.upload", "{key}")
def _keep(core: Core, files: Stored, key: str, stream: BinaryIO) -> str:
    return files.put_stream(key, stream)
