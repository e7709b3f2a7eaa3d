"""What may a task do with its project's files? Look for them, take copies, put files beside them, delete them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from penstock.errors.task import Refused
from penstock.sdk.context import Ask
from penstock.services.project_folder import ProjectFolder, inside
from penstock.services.worker import workdir

# What a task may not touch: our own state, the history, the settings.
OURS: Final = (".git", ".penstock", ".venv", "penstock.yaml", "penstock.yml")


def answer(project: ProjectFolder | None, folder: Path, asked: Ask, body: Mapping[str, object]) -> object:
    """Answer a question about files of the project. Raises Refused, BadFileName."""
    if project is None:
        raise Refused("There is no project here that could have files.")
    if asked is Ask.PROJECT_LIST:
        given = {name: msgspec.convert(body.get(name) or [], list[str]) for name in ("include", "exclude")}
        return workdir.of_project(project, given["include"] or ["**"], given["exclude"])
    name = _name(str(body["path"]))
    match asked:
        case Ask.PROJECT_GET:
            if (path := project.find(name)) is None:
                raise Refused(f'The project has no file "{body["path"]}".')
            target = Path(tempfile.mkdtemp(dir=folder, prefix="project-")) / path.name
            shutil.copyfile(path, target)
            return target.relative_to(folder).as_posix()
        case Ask.PROJECT_PUT:
            return _put(project, name, inside(folder, str(body["file"])), str(body.get("conflict") or "OVERWRITE"))
        case _:
            return project.delete(name)


def _put(project: ProjectFolder, name: str, source: Path, conflict: str) -> bool:
    if project.find(name) is not None:
        if conflict == "SKIP":
            return False
        if conflict == "ERROR":
            raise Refused(f'The project has a file "{name}" there already, and conflict is ERROR.')
    path = project.put(name)
    # Nobody sees half a file: it gets its name when it is whole.
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".penstock-", delete=False) as part:
        part.close()
        shutil.copyfile(source, part.name)
        Path(part.name).chmod(0o644)
        Path(part.name).replace(path)
    return True


def _name(name: str) -> str:
    clean = name.lstrip("/")
    if PurePosixPath(clean).parts[:1] and PurePosixPath(clean).parts[0] in OURS:
        raise Refused(f'A task may not touch "{name}" of its project.')
    return clean
