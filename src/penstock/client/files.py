"""What can be asked of a server about the files of a namespace, and done with them?"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from penstock.client.paging import Everything, Page, paged
from penstock.client.shapes.files import NamespaceFileRow
from penstock.client.wire import Ask, Wire, path


@dataclass(frozen=True, slots=True)
class Files:
    """The files that the flows of a namespace find by their paths."""

    wire: Wire

    def read(self, namespace: str, file: str, revision: int | None = None) -> Iterator[bytes]:
        """The bytes of a file, piece by piece. Raises FileMissing."""
        query = {"path": file, "revision": revision}
        asked = Ask(method="GET", path=path("namespaces", namespace, "files", "content"), query=query, safe=True)
        with self.wire.given(asked) as answer:
            yield from answer.pieces()

    def put(
        self, namespace: str, file: str, source: Path | BinaryIO | bytes, *, on_top_of: int | None = None
    ) -> NamespaceFileRow:
        """Keep a file. Raises Changed where `on_top_of` is not its newest revision (0: it is not there)."""
        if isinstance(source, Path):
            with source.open("rb") as opened:
                return self.put(namespace, file, opened, on_top_of=on_top_of)
        headers = {} if on_top_of is None else {"If-Match": f'"f{on_top_of}"'} if on_top_of else {"If-None-Match": "*"}
        asked = Ask(
            method="PUT",
            path=path("namespaces", namespace, "files", "content"),
            query={"path": file},
            file=io.BytesIO(source) if isinstance(source, bytes) else source,
            headers=headers,
        )
        return self.wire.ask(asked, NamespaceFileRow)

    def delete(self, namespace: str, file: str) -> None:
        """Delete a file, or a folder with all that is in it; the history stays. Raises FileMissing."""
        place = path("namespaces", namespace, "files", "content")
        self.wire.ask(Ask(method="DELETE", path=place, query={"path": file}), type(None))

    def history(self, namespace: str, file: str) -> Iterator[NamespaceFileRow]:
        """The newest revisions of a path. Raises FileMissing."""
        place = path("namespaces", namespace, "files", "revisions")
        return paged(self.wire, place, {"path": file, "limit": 200}, Page[NamespaceFileRow])

    def make_folder(self, namespace: str, folder: str) -> NamespaceFileRow:
        """Make a folder, which may stay empty."""
        asked = Ask(method="POST", path=path("namespaces", namespace, "files", "folders"), body={"path": folder})
        return self.wire.ask(asked, NamespaceFileRow)

    def move(self, namespace: str, source: str, target: str) -> tuple[NamespaceFileRow, ...]:
        """Move a file or a folder to where nothing stands; gives what is there now."""
        body = {"from": source, "to": target}
        asked = Ask(method="POST", path=path("namespaces", namespace, "files", "move"), body=body)
        return tuple(self.wire.ask(asked, Everything[NamespaceFileRow]).items)

    def export(self, namespace: str, to: Path) -> int:
        """Write all files of a namespace into a zip, and give how many bytes it has."""
        asked = Ask(method="GET", path=path("namespaces", namespace, "files", "archive"), safe=True)
        with self.wire.given(asked) as answer, to.open("wb") as file:
            return sum(file.write(piece) for piece in answer.pieces())

    def take_in(self, namespace: str, archive: Path, folder: str = "") -> tuple[NamespaceFileRow, ...]:
        """Keep every file of a zip, in a folder where one is named."""
        place = path("namespaces", namespace, "files", "archive")
        with archive.open("rb") as file:
            headers = {"Content-Type": "application/zip"}
            asked = Ask(method="POST", path=place, query={"folder": folder}, file=file, headers=headers)
            return tuple(self.wire.ask(asked, Everything[NamespaceFileRow]).items)

    def list(self, namespace: str, prefix: str = "") -> Iterator[NamespaceFileRow]:
        """The files and folders of a namespace by path, those whose paths begin so."""
        place = path("namespaces", namespace, "files")
        return paged(self.wire, place, {"prefix": prefix, "limit": 500}, Page[NamespaceFileRow])
