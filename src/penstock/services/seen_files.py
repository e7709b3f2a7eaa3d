"""Which files does a flow find by their names? Those kept for its namespace, and behind them those of the project."""

from __future__ import annotations

import posixpath
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from penstock.errors.work import BadFileName
from penstock.services import namespace_files
from penstock.services.core import Core
from penstock.services.project_folder import HIDDEN
from penstock.store import namespace_files as table
from penstock.store.namespace_files import Entry, Kind

SCHEME: Final = "nsfile://"


class Named(msgspec.Struct, frozen=True):
    """A file by an address as flows write it: its path, and its namespace where the address says one."""

    namespace: str
    path: str


class SeenFiles(msgspec.Struct, frozen=True):
    """The files of some namespaces, the last one counting most, with the project's behind them.

    What was listed is known: who takes copies of many files asks the store once for all of them.
    """

    core: Core
    namespaces: tuple[str, ...]
    known: dict[str, Entry | None] = msgspec.field(default_factory=dict)

    def names(self) -> Iterator[str]:
        """The names of all files, each once."""
        found: dict[str, Entry | None] = {}
        for namespace in self.namespaces:
            every = namespace_files.every(self.core, namespace)
            found |= {each.path: each for each in every if each.kind is Kind.FILE}
        for name in self.core.project.names() if self.core.project is not None else ():
            found.setdefault(name, None)
        self.known.update(found)
        yield from found

    def kept(self, name: str, revision: int | None = None) -> Entry | None:
        """The file of a name that is kept for a namespace. Raises BadFileName, UnknownFile."""
        if revision is not None:
            return namespace_files.find(self.core, self.namespaces[-1], name, revision)
        if name in self.known:
            return self.known[name]
        path = namespace_files.clean(name)
        for namespace in reversed(self.namespaces):
            found = self.core.store.glance(partial(table.get, namespace=namespace, path=path))
            if found is not None and found.kind is Kind.FILE:
                return found
        return None

    def beside(self, name: str) -> Path | None:
        """The file of a name in the project's folder. Raises BadFileName."""
        core = self.core
        if core.project is None or name.partition("/")[0] in HIDDEN:
            return None
        found = core.project.find(name)
        return None if found is not None and _is_state(core, found) else found

    def fetch(self, name: str, target: Path) -> bool:
        """Write a copy of a file; False when there is none of this name. Raises BadFileName."""
        kept = self.kept(name)
        if kept is not None:
            with namespace_files.files_of(self.core).open(kept.uri) as stored, target.open("wb") as file:
                shutil.copyfileobj(stored, file, namespace_files.PIECE)
            return True
        found = self.beside(name)
        if found is not None:
            shutil.copy2(found, target)
        return found is not None

    def read(self, name: str, revision: int | None = None) -> bytes | None:
        """The bytes of a file; None when there is none of this name. Raises BadFileName, UnknownFile."""
        kept = self.kept(name, revision)
        if kept is not None:
            return self.core.blobs.get(kept.uri)
        found = self.beside(name)
        return None if found is None else found.read_bytes()

    def size(self, name: str, revision: int | None = None) -> int | None:
        """Its size in bytes; None when there is none of this name. Raises BadFileName, UnknownFile."""
        kept = self.kept(name, revision)
        if kept is not None:
            return kept.size
        found = self.beside(name)
        return None if found is None else found.stat().st_size


def _is_state(core: Core, file: Path) -> bool:
    """Whether a file is of our own state, which may lie in a folder of the project's."""
    if core.state_dir is None or core.project is None:
        return False
    state = core.state_dir.resolve()
    around = any(folder.resolve().is_relative_to(state) for folder in core.project.folders)
    return not around and file.resolve().is_relative_to(state)


def named(address: str) -> Named:
    """What an address means: a bare path, `nsfile:///path`, `nsfile://namespace/path`, or Kestra's own with `_files`.

    Raises BadFileName.
    """
    text = address.strip()
    namespace = ""
    if text.startswith(SCHEME):
        namespace, _, text = text.removeprefix(SCHEME).partition("/")
    elif text.startswith("kestra:///"):
        around, _, text = text.removeprefix("kestra:///").partition("/_files/")
        namespace = around.replace("/", ".")
    path = posixpath.normpath(text.lstrip("/"))
    if path.startswith("..") or path == ".":
        raise BadFileName(f'"{address[:200]}" is no file of a namespace.')
    return Named(namespace, path)
