"""What is a place that has files? Folders to list, files to fetch, put, move and delete; and the work done on any."""

from __future__ import annotations

import datetime
import enum
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta

from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed

From = Annotated[str, Meta(description="Path of the file there.", examples=["/in/orders.csv"])]
FromFolder = Annotated[str, Meta(description="Path of the folder there.", examples=["/in"])]
FromStored = Annotated[str, Meta(description="Address of the stored file.", examples=["{{ outputs.write.uri }}"])]
FromSeveral = Annotated[
    str | list[str] | dict[str, str],
    Meta(description="Addresses of stored files: a list, or a map of the names that they get there."),
]
To = Annotated[str, Meta(description="Path that it gets there; a folder when it ends with `/`.")]
Overwrite = Annotated[bool, Meta(description="Whether a file that is there is replaced; otherwise fails.")]
RegExp = Annotated[str, Meta(description="What a whole path must match.", examples=[".*\\.csv"])]
Recursive = Annotated[bool, Meta(description="Whether folders below count.")]
MaxFiles = Annotated[int | None, Meta(description="At most so many files.")]
MoveFolder = Annotated[str, Meta(description="Folder that MOVE moves them to.", examples=["/done"])]
ErrorOnMissing = Annotated[bool, Meta(description="Whether a missing file is a failure.")]

PUT: Final = {"from": "Address of the stored file.", "to": "Path that it got there."}
PUT_SEVERAL: Final = {"files": "Paths that they got there."}
GOT: Final = {"from": "Path of the file there.", "to": "Address of the stored file.", "uri": "The same."}
LISTED: Final = {"files": "Of each: path, name, fileType, size, updatedDate.", "count": "How many there are."}
GOT_SEVERAL: Final = {
    "files": "Of each: path, name, fileType, size, updatedDate, uri.",
    "outputFiles": "Address of each stored file, by name.",
    "count": "How many there are.",
}
MOVED: Final = {"from": "The path before.", "to": "The path now."}
GONE: Final = {"uri": "Path of the file.", "deleted": "Whether it was there."}


class Action(enum.StrEnum):
    """What becomes of a file once it was downloaded."""

    NONE = "NONE"
    MOVE = "MOVE"
    DELETE = "DELETE"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file or a folder as a listing tells of it."""

    path: str
    folder: bool
    size: int = 0
    updated: datetime.datetime | None = None
    link: bool = False

    @property
    def name(self) -> str:
        """The last part of its path."""
        return PurePosixPath(self.path).name


class Place(Protocol):
    """Files of one machine, while it is connected; paths are with `/`. What cannot be done is a TaskFailed."""

    def entries(self, folder: str) -> Iterator[Entry]:
        """What lies in a folder."""

    def exists(self, path: str) -> bool:
        """Whether there is a file or a folder."""

    def get(self, path: str, target: Path) -> None:
        """Copy a file from there."""

    def put(self, source: Path, path: str) -> None:
        """Copy a file to there, in place of what was there."""

    def make_folder(self, path: str) -> None:
        """Make a folder and those around it, as far as they are missing."""

    def move(self, path: str, to: str) -> None:
        """Give a file another path, in place of what was there."""

    def delete(self, path: str) -> bool:
        """Delete a file or an empty folder; whether it was there."""


Opening = AbstractContextManager[Place]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which files of a folder are meant."""

    folder: str
    reg_exp: str = ""
    recursive: bool = False
    max_files: int | None = None

    def found(self, place: Place, *, folders: bool = False) -> list[Entry]:
        """Those that are, by path."""
        try:
            pattern = re.compile(self.reg_exp) if self.reg_exp else None
        except re.error as error:
            raise TaskFailed(f'The regExp "{self.reg_exp}" cannot be read: {error}.') from None
        every = self._walk(place, self.folder)
        meant = [
            each for each in every if (folders or not each.folder) and (not pattern or pattern.fullmatch(each.path))
        ]
        return sorted(meant, key=lambda each: each.path)[: self.max_files]

    def _walk(self, place: Place, folder: str) -> Iterator[Entry]:
        for each in place.entries(folder):
            yield each
            # A link may lead back up.
            if self.recursive and each.folder and not each.link:
                yield from self._walk(place, each.path)


def listed(opening: Opening, choice: Choice) -> dict[str, object]:
    """List files and folders."""
    with opening as place:
        files = [told(each) for each in choice.found(place, folders=True)]
    return {"files": files, "count": len(files)}


def upload(opening: Opening, context: Context, uri: str, to: str, overwrite: bool) -> dict[str, object]:
    """Put one stored file there."""
    source = context.fetch(uri)
    with opening as place:
        path = into(to, PurePosixPath(uri).name)
        _put(place, source, path, overwrite)
    context.metric("size", source.stat().st_size)
    return {"from": uri, "to": path}


def uploads(
    opening: Opening, context: Context, given: str | Sequence[str] | Mapping[str, str], to: str, overwrite: bool
) -> dict[str, object]:
    """Put several stored files into a folder there."""
    files = _several(given)
    paths: list[object] = []
    with opening as place:
        for number, (name, uri) in enumerate(files, 1):
            source = context.fetch(uri)
            path = f"{to.rstrip('/')}/{name or PurePosixPath(uri).name}"
            _put(place, source, path, overwrite)
            source.unlink()
            paths.append(path)
            context.progress(number, len(files), "files")
    return {"files": paths}


def download(opening: Opening, context: Context, path: str) -> dict[str, object]:
    """Fetch one file from there and store it."""
    target = context.workdir / uuid.uuid4().hex
    with opening as place:
        place.get(path, target)
    context.metric("size", target.stat().st_size)
    uri = context.store(target, PurePosixPath(path).name)
    return {"from": path, "to": uri, "uri": uri}


def downloads(opening: Opening, context: Context, choice: Choice, action: Action, move_to: str) -> dict[str, object]:
    """Fetch all files that are meant and store them; then nothing, or move, or delete each."""
    if action is Action.MOVE and not move_to:
        raise TaskFailed("MOVE needs the property moveDirectory.")
    files: list[dict[str, object]] = []
    with opening as place:
        wanted = choice.found(place)
        for number, each in enumerate(wanted, 1):
            target = context.workdir / f"file-{number}"
            place.get(each.path, target)
            files.append({**told(each), "uri": context.store(target, each.name)})
            target.unlink()
            context.progress(number, len(wanted), "files")
        # Nothing is taken away before everything has been stored.
        for each in wanted:
            if action is Action.DELETE:
                place.delete(each.path)
            elif action is Action.MOVE:
                place.make_folder(move_to)
                place.move(each.path, f"{move_to.rstrip('/')}/{each.name}")
    names = [each.path.removeprefix(choice.folder).lstrip("/") for each in wanted]
    by_name = {name: each["uri"] for name, each in zip(names, files, strict=True)}
    return {"files": files, "outputFiles": by_name, "count": len(files)}


def move(opening: Opening, path: str, to: str, overwrite: bool) -> dict[str, object]:
    """Give a file another path."""
    with opening as place:
        target = into(to, PurePosixPath(path).name)
        _free(place, target, overwrite)
        place.make_folder(str(PurePosixPath(target).parent))
        place.move(path, target)
    return {"from": path, "to": target}


def delete(opening: Opening, path: str, error_on_missing: bool) -> dict[str, object]:
    """Delete a file."""
    with opening as place:
        deleted = place.delete(path)
    if not deleted and error_on_missing:
        raise TaskFailed(f'There is no file "{path}" to delete.')
    return {"uri": path, "deleted": deleted}


def told(each: Entry) -> dict[str, object]:
    """A file or folder as outputs tell of it."""
    return {
        "path": each.path,
        "name": each.name,
        "fileType": "FOLDER" if each.folder else "FILE",
        "size": each.size,
        "updatedDate": each.updated,
        "symbolicLink": each.link,
    }


def into(to: str, name: str) -> str:
    """The path that a file gets: `to`, or its name in the folder that `to` is."""
    return f"{to}{name}" if not to or to.endswith("/") else to


def _put(place: Place, source: Path, path: str, overwrite: bool) -> None:
    _free(place, path, overwrite)
    place.make_folder(str(PurePosixPath(path).parent))
    place.put(source, path)


def _free(place: Place, path: str, overwrite: bool) -> None:
    if not overwrite and place.exists(path):
        raise TaskFailed(f'There is a file "{path}" already, and overwrite is false.')


def _several(given: str | Sequence[str] | Mapping[str, str]) -> list[tuple[str, str]]:
    """Names (none: the file's own) and addresses; a rendered list or map arrives as JSON text."""
    if isinstance(given, str):
        if given.strip()[:1] not in ("[", "{"):
            return [("", given)]
        try:
            given = msgspec.json.decode(given, type=list[str] | dict[str, str])
        except msgspec.MsgspecError as error:
            raise TaskFailed(f"`from` is no list and no map of addresses: {error}.") from None
    return list(given.items()) if isinstance(given, Mapping) else [("", uri) for uri in given]
