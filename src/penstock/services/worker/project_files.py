"""What may a task do with files that flows find by name? Look for them, take copies, keep others, delete them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, cast

import msgspec

from penstock.errors.run import UnknownFile
from penstock.errors.task import Refused
from penstock.sdk.context import Ask
from penstock.services import namespace_files
from penstock.services.core import Core
from penstock.services.project_folder import inside
from penstock.services.secrets.masks import Masks
from penstock.services.seen_files import SeenFiles
from penstock.services.worker import workdir

# What a task may not touch: our own state, the history, the settings.
OURS: Final = (".git", ".penstock", ".venv", "penstock.yaml", "penstock.yml")


class Where(msgspec.Struct, frozen=True):
    """Whose files are meant, the folder of who asks, and which secrets may not be kept in them."""

    core: Core
    namespace: str
    folder: Path
    masks: Masks


def answer(where: Where, asked: Ask, body: Mapping[str, object]) -> object:
    """Answer a question about files of a namespace. Raises Refused, BadFileName."""
    seen = SeenFiles(where.core, (where.namespace,))
    if asked is Ask.PROJECT_LIST:
        given = {name: msgspec.convert(body.get(name) or [], list[str]) for name in ("include", "exclude")}
        return workdir.of_project(seen, given["include"] or ["**"], given["exclude"])
    name = _name(str(body["path"]))
    match asked:
        case Ask.PROJECT_GET:
            target = Path(tempfile.mkdtemp(dir=where.folder, prefix="project-")) / PurePosixPath(name).name
            if not seen.fetch(name, target):
                raise Refused(f'The namespace has no file "{body["path"]}".')
            return target.relative_to(where.folder).as_posix()
        case Ask.PROJECT_PUT:
            return _put(where, seen, name, body)
        case _:
            return _delete(where, name)


def _put(where: Where, seen: SeenFiles, name: str, body: Mapping[str, object]) -> bool:
    """Keep a file for the namespace: the worker's folder is not where the next worker would look for it."""
    source, conflict = inside(where.folder, str(body["file"])), str(body.get("conflict") or "OVERWRITE")
    if conflict != "OVERWRITE" and seen.size(name) is not None:
        if conflict == "SKIP":
            return False
        raise Refused(f'The namespace has a file "{name}" already, and conflict is ERROR.')
    if where.masks.hide_data(name) != name or where.masks.file_without(source) is not None:
        raise Refused("A secret would be kept where everybody can read it: whoever needs it calls secret() itself.")
    with source.open("rb") as file:
        namespace_files.put(where.core, where.namespace, name, cast("BinaryIO", file))
    return True


def _delete(where: Where, name: str) -> bool:
    try:
        namespace_files.find(where.core, where.namespace, name)
        kept = bool(namespace_files.delete(where.core, where.namespace, name))
    except UnknownFile:
        kept = False
    project = where.core.project
    return (project is not None and project.delete(name)) or kept


def _name(name: str) -> str:
    clean = name.lstrip("/")
    if PurePosixPath(clean).parts[:1] and PurePosixPath(clean).parts[0] in OURS:
        raise Refused(f'A task may not touch "{name}" of its project.')
    return clean
