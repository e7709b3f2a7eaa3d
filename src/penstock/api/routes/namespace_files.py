"""Which addresses are about the files of a namespace?"""

from __future__ import annotations

from typing import Any, BinaryIO, Final

from penstock.api.handlers import namespace_files
from penstock.api.route import Handler, Kind, Route, Where
from penstock.api.routes.files import BYTES, LARGEST
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
from penstock.model.access import Action

FILES: Final = "/v1/namespaces/{namespace}/files"
ZIP: Final = "application/zip"


def row(method: str, path: str, summary: str, handler: Handler, **more: Any) -> Route:
    """A row about the files of the namespace in its address."""
    action = Action.FILES_VIEW if method == "GET" else Action.FILES_EDIT
    return Route(method=method, path=path, summary=summary, handler=handler, where=Where.PATH, action=action, **more)


ROUTES: Final = (
    row(
        "GET",
        FILES,
        "The files of a namespace by path, a page at a time.",
        namespace_files.list_namespace_files,
        query=NamespaceFilesAsked,
        answer=Page[NamespaceFileRow],
    ),
    row(
        "GET",
        f"{FILES}/content",
        "The bytes of a file, or a range of them.",
        namespace_files.read_namespace_file,
        query=ContentAsked,
        kind=Kind.FILE,
        also=(206,),
        gives=BYTES,
    ),
    row(
        "PUT",
        f"{FILES}/content",
        "Keep a file; 201 where there was none before.",
        namespace_files.put_namespace_file,
        query=PathAsked,
        body=BinaryIO,
        answer=NamespaceFileRow,
        also=(201,),
        takes=BYTES,
        limit=LARGEST,
    ),
    row(
        "DELETE",
        f"{FILES}/content",
        "Delete a file, or a folder with all that is in it; the history stays.",
        namespace_files.delete_namespace_file,
        query=PathAsked,
    ),
    row(
        "GET",
        f"{FILES}/revisions",
        "The newest revisions of a path.",
        namespace_files.list_file_revisions,
        query=FileHistoryAsked,
        answer=Page[NamespaceFileRow],
    ),
    row(
        "POST",
        f"{FILES}/folders",
        "Make a folder, which may stay empty.",
        namespace_files.make_namespace_folder,
        body=FolderPut,
        answer=NamespaceFileRow,
    ),
    row(
        "POST",
        f"{FILES}/move",
        "Move a file or a folder to where nothing stands.",
        namespace_files.move_namespace_file,
        body=MovePut,
        answer=Everything[NamespaceFileRow],
    ),
    row(
        "GET",
        f"{FILES}/archive",
        "All files of a namespace as a zip.",
        namespace_files.export_namespace_files,
        kind=Kind.FILE,
        gives=ZIP,
    ),
    row(
        "POST",
        f"{FILES}/archive",
        "Keep every file of a zip.",
        namespace_files.import_namespace_files,
        query=FolderAsked,
        body=BinaryIO,
        answer=Everything[NamespaceFileRow],
        takes=ZIP,
        limit=LARGEST,
    ),
)
