"""How does a flow work on the files of the machine that its worker is on?"""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta, field

from penstock.plugins.fs import place
from penstock.plugins.fs.place import Action, Choice, Entry
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType


class LocalTask(TaskType, frozen=True, kw_only=True):
    """What every task on local files declares."""

    mode: ClassVar[Mode] = Mode.WARM

    base_path: Annotated[str, Meta(description="Folder that paths which do not begin with `/` are in.")] = ""

    @contextlib.contextmanager
    def place(self) -> Iterator[place.Place]:
        """This machine's files."""
        try:
            yield _Files(Path(self.base_path or "/"))
        except FileNotFoundError as error:
            raise TaskFailed(f'There is no "{error.filename}".') from None
        except OSError as error:
            raise TaskFailed(f'"{error.filename}": {error.strerror}.' if error.filename else f"{error}.") from error


class Upload(LocalTask, frozen=True, kw_only=True):
    """Put a stored file into a local folder."""

    type_name: ClassVar[str] = "local.upload"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.local.Upload",)
    outputs: ClassVar[dict[str, str]] = place.PUT
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.write.uri }}", "to": "/data/out/orders.csv"}

    from_: place.FromStored = field(name="from")
    to: place.To
    overwrite: place.Overwrite = True

    def run(self, context: Context) -> dict[str, object]:
        """Put it there."""
        return place.upload(self.place(), context, self.from_, self.to, self.overwrite)


class Download(LocalTask, frozen=True, kw_only=True):
    """Store a local file."""

    type_name: ClassVar[str] = "local.download"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.local.Download",)
    outputs: ClassVar[dict[str, str]] = place.GOT
    example: ClassVar[dict[str, object]] = {"from": "/data/in/orders.csv"}

    from_: place.From = field(name="from")

    def run(self, context: Context) -> dict[str, object]:
        """Store it."""
        return place.download(self.place(), context, self.from_)


class Downloads(LocalTask, frozen=True, kw_only=True):
    """Store the files of a local folder; move or delete them there if wanted."""

    type_name: ClassVar[str] = "local.downloads"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.local.Downloads",)
    outputs: ClassVar[dict[str, str]] = place.GOT_SEVERAL
    example: ClassVar[dict[str, object]] = {"from": "/data/in", "regExp": ".*\\.csv", "action": "DELETE"}

    from_: place.FromFolder = field(name="from")
    action: Annotated[Action, Meta(description="What becomes of the files afterwards.")] = Action.NONE
    move_directory: place.MoveFolder = ""
    reg_exp: place.RegExp = ""
    recursive: place.Recursive = False
    max_files: place.MaxFiles = None

    def run(self, context: Context) -> dict[str, object]:
        """Store them."""
        choice = Choice(folder=self.from_, reg_exp=self.reg_exp, recursive=self.recursive, max_files=self.max_files)
        return place.downloads(self.place(), context, choice, self.action, self.move_directory)


class List(LocalTask, frozen=True, kw_only=True):
    """List the files of a local folder."""

    type_name: ClassVar[str] = "local.list"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.local.List",)
    outputs: ClassVar[dict[str, str]] = place.LISTED
    example: ClassVar[dict[str, object]] = {"from": "/data/in", "recursive": True}

    from_: place.FromFolder = field(name="from")
    reg_exp: place.RegExp = ""
    recursive: place.Recursive = False
    max_files: place.MaxFiles = None

    def run(self, context: Context) -> dict[str, object]:
        """List them."""
        choice = Choice(folder=self.from_, reg_exp=self.reg_exp, recursive=self.recursive, max_files=self.max_files)
        return place.listed(self.place(), choice)


class Move(LocalTask, frozen=True, kw_only=True):
    """Give a local file another path."""

    type_name: ClassVar[str] = "local.move"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.local.Move",)
    outputs: ClassVar[dict[str, str]] = place.MOVED
    example: ClassVar[dict[str, object]] = {"from": "/data/in/orders.csv", "to": "/data/done/"}

    from_: place.From = field(name="from")
    to: place.To
    overwrite: place.Overwrite = True

    def run(self, context: Context) -> dict[str, object]:
        """Move it."""
        return place.move(self.place(), self.from_, self.to, self.overwrite)


class Copy(LocalTask, frozen=True, kw_only=True):
    """Copy a local file or folder."""

    type_name: ClassVar[str] = "local.copy"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.local.Copy",)
    outputs: ClassVar[dict[str, str]] = {"from": "The path of the first one.", "to": "The path of the copy."}
    example: ClassVar[dict[str, object]] = {"from": "/data/in/orders.csv", "to": "/data/kept/"}

    from_: place.From = field(name="from")
    to: place.To
    overwrite: place.Overwrite = True

    def run(self, context: Context) -> dict[str, object]:
        """Copy it."""
        base = Path(self.base_path or "/")
        source, to = base / self.from_, base / place.into(self.to, Path(self.from_).name)
        with self.place() as files:
            if not self.overwrite and files.exists(str(to)):
                raise TaskFailed(f'There is a file "{to}" already, and overwrite is false.')
            if source.is_dir():
                if to.resolve().is_relative_to(source.resolve()):
                    raise TaskFailed(f'The folder "{source}" cannot be copied into itself.')
                shutil.copytree(source, to, dirs_exist_ok=True, symlinks=True)
            else:
                files.make_folder(str(to.parent))
                files.put(source, str(to))
        return {"from": str(source), "to": str(to)}


class Delete(LocalTask, frozen=True, kw_only=True):
    """Delete a local file, or a folder with all that is in it."""

    type_name: ClassVar[str] = "local.delete"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.local.Delete",)
    outputs: ClassVar[dict[str, str]] = {**place.GONE, "from": "The same path."}
    example: ClassVar[dict[str, object]] = {"from": "/data/in/orders.csv"}

    from_: place.From = field(name="from")
    recursive: Annotated[bool, Meta(description="Whether a folder goes with all that is in it.")] = True
    error_on_missing: place.ErrorOnMissing = True

    def run(self, context: Context) -> dict[str, object]:
        """Delete it."""
        path = Path(self.base_path or "/") / self.from_
        if self.recursive and path.is_dir() and not path.is_symlink():
            with self.place():
                shutil.rmtree(path)
            return {"uri": str(path), "from": str(path), "deleted": True}
        return {**place.delete(self.place(), self.from_, self.error_on_missing), "from": str(path)}


class _Files:
    """The files of this machine."""

    def __init__(self, base: Path) -> None:
        self._base = base

    def entries(self, folder: str) -> Iterator[Entry]:
        with os.scandir(self._base / folder) as found:
            for each in found:
                about = (
                    each.stat()
                    if not each.is_symlink() or Path(each.path).exists()
                    else each.stat(follow_symlinks=False)
                )
                yield Entry(
                    path=str(Path(folder) / each.name),
                    folder=each.is_dir(),
                    size=about.st_size,
                    updated=datetime.datetime.fromtimestamp(about.st_mtime, datetime.UTC),
                    link=each.is_symlink(),
                )

    def exists(self, path: str) -> bool:
        return (self._base / path).exists()

    def get(self, path: str, target: Path) -> None:
        shutil.copyfile(self._base / path, target)

    def put(self, source: Path, path: str) -> None:
        # Nobody sees half a file: it gets its name when it is whole.
        real = self._base / path
        part = real.with_name(f".{real.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            shutil.copyfile(source, part)
            part.replace(real)
        finally:
            part.unlink(missing_ok=True)

    def make_folder(self, path: str) -> None:
        (self._base / path).mkdir(parents=True, exist_ok=True)

    def move(self, path: str, to: str) -> None:
        shutil.move(self._base / path, self._base / to)

    def delete(self, path: str) -> bool:
        real = self._base / path
        if not real.exists() and not real.is_symlink():
            return False
        if real.is_dir() and not real.is_symlink():
            real.rmdir()
        else:
            real.unlink()
        return True
