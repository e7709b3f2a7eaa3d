"""Where are a project's files? In its folder; for a test, what tasks do to them stays in another one before it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from penstock.errors.work import BadFileName

# What is no file of a project: our state, the history, what Python makes.
HIDDEN: Final = (".penstock", ".git", ".venv", "__pycache__")


class ProjectFolder(msgspec.Struct, frozen=True):
    """The files of `root`, and behind them those of `behind` that are not there too: they are read and never touched.
    `gone` are names that were deleted, which nobody finds behind any more; `closed` are files that no task may have.
    """

    root: Path
    behind: Path | None = None
    gone: set[str] = msgspec.field(default_factory=set)
    closed: tuple[Path, ...] = ()

    @property
    def folders(self) -> list[Path]:
        """The folders that hold files, the one that counts more first."""
        return [self.root] if self.behind is None else [self.root, self.behind]

    def find(self, name: str) -> Path | None:
        """Where the file of a name is, to be read; None when there is none. Raises BadFileName."""
        places = [inside(folder, name) for folder in self.folders]
        return next((place for place in places if self._is_open(place) and not self._is_gone(place, name)), None)

    def names(self) -> Iterator[str]:
        """The names of all files."""
        seen: set[str] = set()
        for folder in self.folders:
            for root, folders, names in os.walk(folder):
                folders[:] = [name for name in folders if name not in HIDDEN]
                for path in (Path(root) / name for name in names):
                    name = path.relative_to(folder).as_posix()
                    if name not in seen and self._is_open(path) and not self._is_gone(path, name):
                        seen.add(name)
                        yield name

    def fetch(self, name: str, target: Path) -> bool:
        """Write a copy of a file; False when there is none of this name. Raises BadFileName."""
        found = self.find(name)
        if found is not None:
            shutil.copy2(found, target)
        return found is not None

    def delete(self, name: str) -> bool:
        """Have no file of a name; whether there was one. Raises BadFileName."""
        found = self.find(name)
        if found is None:
            return False
        inside(self.root, name).unlink(missing_ok=True)
        self.gone.add(str(PurePosixPath(name)))
        return True

    def _is_open(self, place: Path) -> bool:
        return place.is_file() and (not self.closed or place.resolve() not in self.closed)

    def _is_gone(self, place: Path, name: str) -> bool:
        return str(PurePosixPath(name)) in self.gone and not place.is_relative_to(self.root)


def inside(folder: Path, name: str) -> Path:
    """The path of a name in a folder; BadFileName when it would lie elsewhere, by `..` or by a link."""
    pure = PurePosixPath(name)
    path = folder / pure
    if (
        not pure.parts
        or pure.is_absolute()
        or ".." in pure.parts
        or not path.resolve().is_relative_to(folder.resolve())
    ):
        raise BadFileName(f'The file "{name}" would lie outside the working directory.')
    return path
