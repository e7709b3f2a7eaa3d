"""How do all files of a namespace go out as one, and come in so? As a zip; what comes in is bounded and looked at."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from contextlib import ExitStack
from typing import BinaryIO, Final, cast

from penstock.errors.work import BadFileName
from penstock.model.access import Action
from penstock.services import namespace_files
from penstock.services.access import audited
from penstock.services.core import Core
from penstock.store.namespace_files import Entry, Kind

MOST: Final = 10_000
LARGEST: Final = 1024**3
SPOOLED: Final = 1024**2
PIECE: Final = 256 * 1024


def pack(core: Core, namespace: str) -> BinaryIO:
    """The files of a namespace as a zip, at its beginning; closing it removes it."""
    with ExitStack() as stack:
        made = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOLED))
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in namespace_files.every(core, namespace):
                if each.kind is Kind.FOLDER:
                    archive.writestr(each.path, b"")
                    continue
                with namespace_files.files_of(core).open(each.uri) as kept, archive.open(each.path, "w") as packed:
                    shutil.copyfileobj(kept, packed, PIECE)
        made.seek(0)
        stack.pop_all()
    return cast("BinaryIO", made)


@audited(Action.FILES_EDIT, "files.import", "zip into /{folder}", namespace="{namespace}")
def unpack(core: Core, namespace: str, stream: BinaryIO, folder: str = "") -> list[Entry]:
    """Keep the files of a zip, below a folder if one is given. Raises BadFileName before anything is kept, MayNot."""
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise BadFileName(f"This is no zip that can be read: {error}.") from None
    with archive:
        inside = [each for each in archive.infolist() if not each.is_dir()]
        paths = [f"{folder.strip('/')}/{each.filename}".lstrip("/") for each in inside]
        for each, path in zip(inside, paths, strict=True):
            namespace_files.clean(path)
            # what says that it is a link, or is locked, is no file
            if (each.external_attr >> 28) == 0o12 or each.flag_bits & 1:
                raise BadFileName(f'"{path[:200]}" in the zip is a link or is locked.')
        if len(inside) > MOST or sum(each.file_size for each in inside) > LARGEST:
            raise BadFileName(f"A zip has at most {MOST:,} files and {LARGEST // 1024**2:,} MB in them.")
        return [_kept(core, namespace, path, archive, each) for each, path in zip(inside, paths, strict=True)]


def _kept(core: Core, namespace: str, path: str, archive: zipfile.ZipFile, each: zipfile.ZipInfo) -> Entry:
    with tempfile.SpooledTemporaryFile(max_size=SPOOLED) as file:
        try:
            with archive.open(each) as packed:
                left = each.file_size
                while left > 0 and (piece := packed.read(min(PIECE, left))):
                    file.write(piece)
                    left -= len(piece)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError) as error:
            raise BadFileName(f'"{path[:200]}" in the zip cannot be read: {error}.') from None
        return namespace_files.put(core, namespace, path, cast("BinaryIO", file))
