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
from penstock.services.worker import workdir

# What a task may not touch: our own state, the history, the settings.
OURS: Final = (".git", ".penstock", ".venv", "penstock.yaml", "penstock.yml")


def answer(project: Path | None, folder: Path, asked: Ask, body: Mapping[str, object]) -> object:
    """Answer a question about files of the project. Raises Refused, BadFileName."""
    if project is None:
        raise Refused("There is no project here that could have files.")
    if asked is Ask.PROJECT_LIST:
        given = {name: msgspec.convert(body.get(name) or [], list[str]) for name in ("include", "exclude")}
        return workdir.of_project(project, given["include"] or ["**"], given["exclude"])
    path = _there(project, str(body["path"]))
    match asked:
        case Ask.PROJECT_GET:
            if not path.is_file():
                raise Refused(f'The project has no file "{body["path"]}".')
            target = Path(tempfile.mkdtemp(dir=folder, prefix="project-")) / path.name
            shutil.copyfile(path, target)
            return target.relative_to(folder).as_posix()
        case Ask.PROJECT_PUT:
            return _put(path, workdir.inside(folder, str(body["file"])), str(body.get("conflict") or "OVERWRITE"))
        case _:
            if not path.is_file():
                return False
            path.unlink()
            return True


def _put(path: Path, source: Path, conflict: str) -> bool:
    if path.exists():
        if conflict == "SKIP":
            return False
        if conflict == "ERROR":
            raise Refused(f'The project has a file "{path.name}" there already, and conflict is ERROR.')
    path.parent.mkdir(parents=True, exist_ok=True)
    # Nobody sees half a file: it gets its name when it is whole.
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".penstock-", delete=False) as part:
        part.close()
        shutil.copyfile(source, part.name)
        Path(part.name).chmod(0o644)
        Path(part.name).replace(path)
    return True


def _there(project: Path, name: str) -> Path:
    path = workdir.inside(project, name.lstrip("/"))
    if PurePosixPath(name.lstrip("/")).parts[0] in OURS:
        raise Refused(f'A task may not touch "{name}" of its project.')
    return path
