"""Which addresses are about stored files?"""

from __future__ import annotations

from typing import BinaryIO, Final

from penstock.api.handlers import files
from penstock.api.route import MEGABYTE, Kind, Route, Where
from penstock.api.routes.runs import RUN
from penstock.api.shapes.files import FileAsked, FileRow, FilesAsked, PreviewAsked
from penstock.api.shapes.lists import Page
from penstock.model.access import Action
from penstock.services.file_preview import Preview
from penstock.services.uploads import Uploaded

BYTES: Final = "application/octet-stream"
LARGEST: Final = 1024 * MEGABYTE

ROUTES: Final = (
    Route(
        method="GET",
        path=f"{RUN}/files",
        summary="The files that it has kept, a page at a time.",
        handler=files.list_files,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        query=FilesAsked,
        answer=Page[FileRow],
    ),
    Route(
        method="GET",
        path=f"{RUN}/files/content",
        summary="The bytes of one of its files, or a range of them.",
        handler=files.read_file,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        query=FileAsked,
        kind=Kind.FILE,
        also=(206,),
        gives=BYTES,
    ),
    Route(
        method="GET",
        path=f"{RUN}/files/preview",
        summary="What one of its files begins with.",
        handler=files.preview_file,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        query=PreviewAsked,
        answer=Preview,
    ),
    Route(
        method="POST",
        path="/v1/uploads/{name}",
        summary="Keep a file, for an input of type FILE.",
        handler=files.upload_file,
        where=Where.LIST,
        action=Action.RUNS_START,
        body=BinaryIO,
        answer=Uploaded,
        status=201,
        takes=BYTES,
        limit=LARGEST,
    ),
)
