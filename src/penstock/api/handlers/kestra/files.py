"""How do Kestra's clients work with the files of a namespace? By path, folder by folder, and all of them as a zip."""

from __future__ import annotations

import io
from typing import BinaryIO, Final, Literal

import msgspec

from penstock.api.handlers.files import sent, shown_anew
from penstock.api.handlers.namespace_files import zipped
from penstock.api.multipart import parts
from penstock.api.route import Call, Sent
from penstock.api.shapes.kestra.asked import Asked, first, whole
from penstock.errors.api import BadRequest
from penstock.services import namespace_archives
from penstock.services import namespace_files as verbs
from penstock.store.namespace_files import Entry, Kind

FIELD: Final = "fileContent"


class Attributes(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file or a folder, with times in milliseconds since 1970."""

    type: Literal["File", "Directory"]
    size: int
    file_name: str
    last_modified_time: int
    creation_time: int
    metadata: dict[str, str] = {}


class OneRevision(msgspec.Struct, frozen=True):
    """A revision of a file."""

    revision: int


def search_files(call: Call[Asked, None]) -> list[str]:
    """Paths of files with a text in them."""
    text = first(call.query, "q").lower()
    every = verbs.every(call.core, call.path["namespace"])
    return [f"/{each.path}" for each in every if each.kind is Kind.FILE and text in f"/{each.path}".lower()]


def get_file(call: Call[Asked, None]) -> Sent:
    """The bytes of a file."""
    revision = whole(call.query, "revision", 0) or None
    found = verbs.find(call.core, call.path["namespace"], _path(call.query), revision)
    headers = shown_anew(found.path.rpartition("/")[2], inline=False, tag=f'"f{found.revision}"')
    return sent(call, found.uri, headers)


def get_file_stats(call: Call[Asked, None]) -> Attributes:
    """What is known of a file or a folder; the top is always there."""
    namespace, path = call.path["namespace"], first(call.query, "path").strip("/")
    if not path:
        return _folder("", [])
    verbs.clean(path)
    below = verbs.page(call.core, namespace, 1, f"{path}/")
    if below:
        return _folder(path.rpartition("/")[2], below)
    return _file(verbs.find(call.core, namespace, path))


def list_kestra_file_revisions(call: Call[Asked, None]) -> list[OneRevision]:
    """The revisions of a file that is there, newest first."""
    found = verbs.find(call.core, call.path["namespace"], _path(call.query))
    kept = verbs.history(call.core, found.namespace, found.path, verbs.KEPT)
    return [OneRevision(each.revision) for each in kept if each.kind is Kind.FILE]


def list_directory(call: Call[Asked, None]) -> list[Attributes]:
    """What lies in a folder, and not in those inside it."""
    namespace, path = call.path["namespace"], first(call.query, "path").strip("/")
    prefix = f"{verbs.clean(path)}/" if path else ""
    found = list(verbs.every(call.core, namespace, prefix))
    if path and not found:
        raise verbs.unknown(namespace, path)
    folders: dict[str, list[Entry]] = {}
    files: list[Entry] = []
    for each in found:
        name, slash, _ = each.path[len(prefix) :].partition("/")
        if slash:
            folders.setdefault(name, []).append(each)
        elif name:
            files.append(each)
    return [*(_folder(name, inside) for name, inside in folders.items()), *map(_file, files)]


def create_directory(call: Call[Asked, None]) -> None:
    """Make a folder."""
    if path := first(call.query, "path").strip("/"):
        verbs.make_folder(call.core, call.path["namespace"], path)


def create_file(call: Call[Asked, BinaryIO]) -> None:
    """Keep a file; each file of a zip is kept by itself."""
    given = next((each for each in parts(call.body, call.headers.get("content-type", "")) if each.name == FIELD), None)
    if given is None:
        verbs.put(call.core, call.path["namespace"], _path(call.query), io.BytesIO())
        return
    with given.open() as file:
        if (given.file or "").lower().endswith(".zip"):
            namespace_archives.unpack(call.core, call.path["namespace"], file)
        else:
            verbs.put(call.core, call.path["namespace"], _path(call.query), file)


def move_file(call: Call[Asked, None]) -> None:
    """Move a file or a folder."""
    verbs.move(call.core, call.path["namespace"], first(call.query, "from"), first(call.query, "to"))


def delete_file(call: Call[Asked, None]) -> None:
    """Delete a file, or a folder with all that is in it."""
    verbs.delete(call.core, call.path["namespace"], _path(call.query))


def export_files(call: Call[Asked, None]) -> Sent:
    """All files as a zip."""
    return zipped(call.path["namespace"], namespace_archives.pack(call.core, call.path["namespace"]))


def _path(asked: Asked) -> str:
    found = first(asked, "path")
    if not found:
        raise BadRequest("The parameter `path` is missing.")
    return found


def _file(entry: Entry) -> Attributes:
    at = entry.changed_at // 1000
    name = entry.path.rpartition("/")[2]
    return Attributes(type="File", size=entry.size, file_name=name, last_modified_time=at, creation_time=at)


def _folder(name: str, inside: list[Entry]) -> Attributes:
    at = max((each.changed_at for each in inside), default=0) // 1000
    return Attributes(type="Directory", size=0, file_name=name, last_modified_time=at, creation_time=at)
