"""Which files does an attempt work on? A folder of its own: input files laid in before, output files stored after."""

from __future__ import annotations

import contextlib
import fnmatch
import itertools
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final, Protocol, cast

from msgspec.structs import replace

from penstock.errors.work import BadFileName, FileMissing, FolderGone
from penstock.sdk import globs
from penstock.sdk.launch import FileChoice, IfExists, is_stored
from penstock.services.core import Core
from penstock.services.project_folder import inside
from penstock.services.seen_files import SeenFiles, named

OF_NAMESPACE: Final = "nsfile://"


class Files(Protocol):
    """Files that tasks hand to each other, by addresses `penstock:///…`."""

    def put_file(self, key: str, path: Path) -> str:
        """Keep a file under a key and give its address."""

    def get_file(self, uri: str, path: Path) -> None:
        """Write what stands at an address to a local file."""

    def delete(self, uri: str) -> bool:
        """Forget what stands at an address; whether there was anything."""

    def size(self, uri: str) -> int:
        """Count the bytes at an address."""


class Own(Protocol):
    """Files that a flow finds by their names."""

    def names(self) -> Iterator[str]:
        """The names of all files."""

    def fetch(self, name: str, target: Path) -> bool:
        """Write a copy of a file; False when there is none of this name."""


def files_of(core: Core) -> Files:
    """A store's files."""
    return cast("Files", core.blobs)


class Folders:
    """The folders of one worker's attempts, under one of its own; `close` removes them.

    A folder left empty is given out again: making and removing one waits for the disk's journal.
    """

    def __init__(self, root: Path, worker: str) -> None:
        self._root = root / worker
        self._count = itertools.count(1)
        self._empty: list[Path] = []
        self._shared: dict[tuple[str, str], Path] = {}

    def open(self, run: str, step: str) -> Path:
        """Give the group `step` of a run a folder that its tasks share, empty whatever there was before."""
        self.drop(run, step)
        folder = self._shared[run, step] = self.new()
        return folder

    def shared(self, run: str, step: str) -> Path:
        """The folder of a working directory. Raises FolderGone when this worker does not hold it."""
        if (run, step) not in self._shared:
            raise FolderGone(f'The folder of "{step}" is not on this worker.')
        return self._shared[run, step]

    def drop(self, run: str, step: str) -> None:
        """Remove the folder of a working directory, if there is one."""
        folder = self._shared.pop((run, step), None)
        if folder is not None:
            remove(folder)

    def held(self) -> list[tuple[str, str]]:
        """Whose folders are shared: runs and the keys of their groups."""
        return list(self._shared)

    def new(self) -> Path:
        """Give an empty folder that only this user may enter."""
        if self._empty:
            return self._empty.pop()
        folder = self._root / str(next(self._count))
        folder.mkdir(mode=0o700, parents=True)
        return folder

    def back(self, folder: Path) -> bool:
        """Take a folder back when it is as it was, or is shared; False when it must be removed."""
        if folder in self._shared.values():
            return True
        try:
            if any(folder.iterdir()) or folder.stat().st_mode & 0o7777 != 0o700:
                return False
        except OSError:
            return False
        self._empty.append(folder)
        return True

    def close(self) -> None:
        """Remove everything that is left."""
        shutil.rmtree(self._root, ignore_errors=True)


def remove(folder: Path) -> None:
    """Remove an attempt's folder, whatever the task did to the rights in it."""

    def permit(_function: object, name: str, _why: object) -> None:
        with contextlib.suppress(OSError):
            Path(name).parent.chmod(0o700)
            Path(name).chmod(0o700)
            Path(name).rmdir() if Path(name).is_dir() else Path(name).unlink()

    shutil.rmtree(folder, onerror=permit)


def sweep(root: Path, is_alive: Callable[[str], bool]) -> None:
    """Remove the folders of workers that are dead."""
    for folder in root.iterdir() if root.is_dir() else ():
        if not is_alive(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def lay_in(folder: Path, files: Mapping[str, str], stored: Files, seen: SeenFiles | None = None) -> None:
    """Write input files: text as it is, stored files by their address, those that are seen by `nsfile:///…`."""
    for name, content in files.items():
        path = inside(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_stored(content.strip()):
            stored.get_file(content.strip(), path)
        elif content.startswith(OF_NAMESPACE) and "\n" not in content.strip():
            _fetch(seen, content, path)
        else:
            path.write_text(content)


def lay_in_seen(core: Core, folder: Path, choice: FileChoice, namespace: str) -> list[str]:
    """Copy the files that a flow of a namespace sees and has chosen; where each namespace has a folder of its own, into
    those. Gives the names of those that were there already and of which to warn. Raises BadFileName.
    """
    if not choice.folders:
        return lay_in_project(folder, SeenFiles(core, choice.namespaces or (namespace,)), choice)
    ways = [(each, replace(choice, folders=(each,))) for each in choice.folders]
    return [name for each, way in ways for name in lay_in_project(folder, SeenFiles(core, (each,)), way)]


def lay_in_project(folder: Path, project: Own, choice: FileChoice) -> list[str]:
    """Copy files that are chosen: globs of relative names; `.penstock` and `.git` never. Gives the names of those that
    were there already and of which to warn. Raises BadFileName.
    """
    left = []
    for name in sorted(project.names()):
        if choice.include and not _matches(name, choice.include):
            continue
        if _matches(name, choice.exclude):
            continue
        for begin in choice.folders or ("",):
            target = inside(folder, f"{begin}/{name}" if begin else name)
            if not target.exists() or choice.if_exists is IfExists.OVERWRITE:
                target.parent.mkdir(parents=True, exist_ok=True)
                project.fetch(name, target)
            elif choice.if_exists is IfExists.FAIL:
                sentence = f'The file "{name}" of the project is in the folder already, and ifExists is FAIL.'
                raise BadFileName(sentence, hint="OVERWRITE takes its place; WARN and IGNORE leave it.")
            elif choice.if_exists is IfExists.WARN:
                left.append(name)
    return left


def of_project(project: Own, include: Iterable[str], exclude: Iterable[str] = ()) -> list[str]:
    """The names of files that are chosen; `**` means all."""
    wanted, not_wanted = list(include), list(exclude)
    return [
        name
        for name in sorted(project.names())
        if ("**" in wanted or _matches(name, wanted)) and not _matches(name, not_wanted)
    ]


def collect(folder: Path, patterns: Iterable[str], stored: Files, prefix: str) -> dict[str, str]:
    """Store the files that match, and give their addresses by name; FileMissing for a plain name that is not there."""
    found: dict[str, str] = {}
    names = list(globs.files_below(folder))
    for glob in patterns:
        pattern = glob.removeprefix("./")
        if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
            raise BadFileName(f'The output file "{glob}" would lie outside the working directory.')
        matches = [name for name in names if globs.fits(name, [pattern])]
        if not matches and not any(sign in pattern for sign in "*?[{"):
            raise FileMissing(f'The output file "{glob}" was not made.')
        for name in matches:
            path = folder / name
            # a link must not hand out what lies outside
            if name not in found and path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                found[name] = stored.put_file(f"{prefix}/{name}", path)
    return found


def matching(folder: Path, patterns: Iterable[str]) -> list[str]:
    """The names of the files in a folder, links aside, that fit one of the globs; `**` reaches below."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    wanted = list(patterns)
    return sorted(name for name in names if _matches(name, wanted) and not (folder / name).is_symlink())


def _fetch(seen: SeenFiles | None, address: str, target: Path) -> None:
    meant = named(address)
    if seen is not None and meant.namespace:
        seen = SeenFiles(seen.core, (meant.namespace,))
    if seen is None or not seen.fetch(meant.path, target):
        raise FileMissing(f'Neither the namespace nor the project has a file "{meant.path}".')


def _matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name fits, where a `*` may stand for folders, too, and a pattern for the end of a name."""
    return any(
        fnmatch.fnmatch(name, each.removeprefix("/"))
        or PurePosixPath(name).match(each.removeprefix("/"))
        or globs.fits(name, [each])
        for each in patterns
    )
