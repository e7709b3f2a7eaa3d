"""How does a flow work on the files of a machine that it reaches by SSH?"""

from __future__ import annotations

import contextlib
import datetime
import posixpath
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field

from penstock.errors.task import NotOffered
from penstock.plugins.fs import place
from penstock.plugins.fs.place import Action, Choice, Entry
from penstock.plugins.fs.ssh import Login, SshTask
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Secret

HOST = {"host": "files.example.org", "username": "shop", "password": "{{ secret('SFTP') }}"}


class SftpTask(SshTask, frozen=True, kw_only=True):
    """What every SFTP task declares."""

    keyfile: Annotated[
        Secret, Meta(description="The private key to log in with: its text, its path, or a stored file's address.")
    ] = Secret("")
    passphrase: Annotated[Secret, Meta(description="What the key is locked with.")] = Secret("")
    root_dir: Annotated[bool, Meta(description="Whether paths begin at the user's own folder.")] = True
    proxy_address: Annotated[str, Meta(description="Not offered.")] = ""
    proxy_port: Annotated[str, Meta(description="Not offered.")] = ""
    proxy_type: Annotated[str, Meta(description="Not offered.")] = ""

    @contextlib.contextmanager
    def place(self, context: Context) -> Iterator[place.Place]:
        """The machine's files, while it is connected."""
        if self.proxy_address:
            raise NotOffered("SFTP goes straight to its machine; a proxy is not offered.")
        login = Login(
            host=self.host, port=self.port, user=self.username, key=str(self.keyfile), passphrase=str(self.passphrase)
        )
        with self.connected(context, login) as client:
            files = client.open_sftp()
            with contextlib.closing(files):
                yield _Files(files, self.root_dir)


class Upload(SftpTask, frozen=True, kw_only=True):
    """Put a stored file on a machine, by SFTP."""

    type_name: ClassVar[str] = "sftp.upload"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.sftp.Upload",)
    outputs: ClassVar[dict[str, str]] = place.PUT
    example: ClassVar[dict[str, object]] = {**HOST, "from": "{{ outputs.write.uri }}", "to": "/out/orders.csv"}

    from_: place.FromStored = field(name="from")
    to: place.To = ""
    overwrite: place.Overwrite = True

    def run(self, context: Context) -> dict[str, object]:
        """Put it there."""
        return place.upload(self.place(context), context, self.from_, self.to, self.overwrite)


class Uploads(SftpTask, frozen=True, kw_only=True):
    """Put several stored files into a folder of a machine, by SFTP."""

    type_name: ClassVar[str] = "sftp.uploads"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.sftp.Uploads",)
    outputs: ClassVar[dict[str, str]] = place.PUT_SEVERAL
    example: ClassVar[dict[str, object]] = {**HOST, "from": ["{{ outputs.write.uri }}"], "to": "/out"}

    from_: place.FromSeveral = field(name="from")
    to: place.To = ""
    overwrite: place.Overwrite = True

    def run(self, context: Context) -> dict[str, object]:
        """Put them there."""
        return place.uploads(self.place(context), context, self.from_, self.to, self.overwrite)


class Download(SftpTask, frozen=True, kw_only=True):
    """Fetch a file from a machine by SFTP, and store it."""

    type_name: ClassVar[str] = "sftp.download"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.sftp.Download",)
    outputs: ClassVar[dict[str, str]] = place.GOT
    example: ClassVar[dict[str, object]] = {**HOST, "from": "/in/orders.csv"}

    from_: place.From = field(name="from")

    def run(self, context: Context) -> dict[str, object]:
        """Fetch it."""
        return place.download(self.place(context), context, self.from_)


class Downloads(SftpTask, frozen=True, kw_only=True):
    """Fetch the files of a folder by SFTP and store them; move or delete them there if wanted."""

    type_name: ClassVar[str] = "sftp.downloads"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.sftp.Downloads",)
    outputs: ClassVar[dict[str, str]] = place.GOT_SEVERAL
    example: ClassVar[dict[str, object]] = {**HOST, "from": "/in", "regExp": ".*\\.csv", "action": "DELETE"}

    from_: place.FromFolder = field(name="from")
    action: Annotated[Action, Meta(description="What becomes of the files afterwards.")] = Action.NONE
    move_directory: place.MoveFolder = ""
    reg_exp: place.RegExp = ""
    recursive: place.Recursive = False
    max_files: place.MaxFiles = None

    def run(self, context: Context) -> dict[str, object]:
        """Fetch them."""
        choice = Choice(folder=self.from_, reg_exp=self.reg_exp, recursive=self.recursive, max_files=self.max_files)
        return place.downloads(self.place(context), context, choice, self.action, self.move_directory)


class List(SftpTask, frozen=True, kw_only=True):
    """List the files of a folder by SFTP."""

    type_name: ClassVar[str] = "sftp.list"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.sftp.List",)
    outputs: ClassVar[dict[str, str]] = place.LISTED
    example: ClassVar[dict[str, object]] = {**HOST, "from": "/in", "regExp": ".*\\.csv"}

    from_: place.FromFolder = field(name="from")
    reg_exp: place.RegExp = ""
    recursive: place.Recursive = False
    max_files: place.MaxFiles = None

    def run(self, context: Context) -> dict[str, object]:
        """List them."""
        choice = Choice(folder=self.from_, reg_exp=self.reg_exp, recursive=self.recursive, max_files=self.max_files)
        return place.listed(self.place(context), choice)


class Move(SftpTask, frozen=True, kw_only=True):
    """Give a file another path, by SFTP."""

    type_name: ClassVar[str] = "sftp.move"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.sftp.Move",)
    outputs: ClassVar[dict[str, str]] = place.MOVED
    example: ClassVar[dict[str, object]] = {**HOST, "from": "/in/orders.csv", "to": "/done/"}

    from_: place.From = field(name="from")
    to: place.To
    overwrite: place.Overwrite = True

    def run(self, context: Context) -> dict[str, object]:
        """Move it."""
        return place.move(self.place(context), self.from_, self.to, self.overwrite)


class Delete(SftpTask, frozen=True, kw_only=True):
    """Delete a file by SFTP."""

    type_name: ClassVar[str] = "sftp.delete"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.sftp.Delete",)
    outputs: ClassVar[dict[str, str]] = place.GONE
    example: ClassVar[dict[str, object]] = {**HOST, "uri": "/in/orders.csv"}

    uri: place.From
    error_on_missing: place.ErrorOnMissing = False

    def run(self, context: Context) -> dict[str, object]:
        """Delete it."""
        return place.delete(self.place(context), self.uri, self.error_on_missing)


class _Files:
    """The files behind one connection."""

    def __init__(self, files: Any, root_dir: bool) -> None:
        self._files = files
        self._own = root_dir

    def entries(self, folder: str) -> Iterator[Entry]:
        with _telling(folder):
            found = self._files.listdir_attr(self._path(folder))
        for each in found:
            path = posixpath.join(folder, each.filename)
            link = stat.S_ISLNK(each.st_mode or 0)
            kind = self._stat(path) if link else each
            yield Entry(
                path=path,
                folder=stat.S_ISDIR(kind.st_mode or 0) if kind else False,
                size=each.st_size or 0,
                updated=datetime.datetime.fromtimestamp(each.st_mtime or 0, datetime.UTC),
                link=link,
            )

    def exists(self, path: str) -> bool:
        return self._stat(path) is not None

    def get(self, path: str, target: Path) -> None:
        with _telling(path):
            self._files.get(self._path(path), str(target))

    def put(self, source: Path, path: str) -> None:
        # Nobody there sees half a file: it gets its name when it is whole.
        real = self._path(path)
        part = posixpath.join(posixpath.dirname(real), f".{posixpath.basename(real)}.{uuid.uuid4().hex[:8]}.part")
        with _telling(path):
            try:
                self._files.put(str(source), part)
                self._rename(part, real)
            except BaseException:
                with contextlib.suppress(OSError):
                    self._files.remove(part)
                raise

    def make_folder(self, path: str) -> None:
        if path in ("", ".", "/") or self.exists(path):
            return
        self.make_folder(posixpath.dirname(path))
        with _telling(path):
            try:
                self._files.mkdir(self._path(path))
            except OSError:
                if not self.exists(path):
                    raise

    def move(self, path: str, to: str) -> None:
        with _telling(path):
            self._rename(self._path(path), self._path(to))

    def delete(self, path: str) -> bool:
        found = self._stat(path, follow=False)
        if found is None:
            return False
        with _telling(path):
            (self._files.rmdir if stat.S_ISDIR(found.st_mode or 0) else self._files.remove)(self._path(path))
        return True

    def _rename(self, path: str, to: str) -> None:
        try:
            self._files.posix_rename(path, to)
        except OSError as error:
            if "not supported" not in str(error).lower() and "unsupported" not in str(error).lower():
                raise
            self._files.rename(path, to)

    def _stat(self, path: str, *, follow: bool = True) -> Any:
        try:
            return (self._files.stat if follow else self._files.lstat)(self._path(path))
        except FileNotFoundError:
            return None

    def _path(self, path: str) -> str:
        return (path.lstrip("/") or ".") if self._own else path


@contextlib.contextmanager
def _telling(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise TaskFailed(f'There is no "{path}" there.') from None
    except OSError as error:
        raise TaskFailed(f'"{path}": {error}.') from error
