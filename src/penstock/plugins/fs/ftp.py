"""How does a flow work on the files of an FTP server, in the clear or through TLS?"""

from __future__ import annotations

import contextlib
import datetime
import enum
import ftplib
import posixpath
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from penstock.errors.task import NotOffered
from penstock.plugins.fs import place
from penstock.plugins.fs.place import Action, Choice, Entry
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Secret

HOST = {"host": "files.example.org", "username": "shop", "password": "{{ secret('FTP') }}"}
PATIENCE: Final = 60
BLOCK: Final = 256 * 1024


class Securing(enum.StrEnum):
    """When TLS begins: after the greeting, or before it."""

    EXPLICIT = "EXPLICIT"
    IMPLICIT = "IMPLICIT"


class FtpTask(TaskType, frozen=True, kw_only=True):
    """What every FTP task declares."""

    mode: ClassVar[Mode] = Mode.WARM
    secured: ClassVar[bool] = False

    host: Annotated[str, Meta(description="The server.", examples=["files.example.org"])]
    port: Annotated[int | None, Meta(description="Its port; 21, or 990 where TLS begins first.")] = None
    username: Annotated[str, Meta(description="Who logs in.")] = "anonymous"
    password: Annotated[Secret, Meta(description="The password.")] = Secret("")
    root_dir: Annotated[bool, Meta(description="Whether paths begin at the user's own folder.")] = True
    passive_mode: Annotated[bool, Meta(description="Whether the server opens the ports that files go through.")] = True
    remote_ip_verification: Annotated[
        bool, Meta(description="Read and not used: files always go to the address that was logged in to.")
    ] = True
    mode_: Annotated[Securing, Meta(description="When TLS begins.")] = field(name="mode", default=Securing.EXPLICIT)
    data_channel_protection_level: Annotated[str, Meta(description="P: files go through TLS; C: in the clear.")] = "P"
    insecure_trust_all_certificates: Annotated[bool, Meta(description="Whether any certificate will do.")] = False
    proxy_address: Annotated[str, Meta(description="Not offered.")] = ""
    proxy_port: Annotated[str, Meta(description="Not offered.")] = ""
    proxy_type: Annotated[str, Meta(description="Not offered.")] = ""

    @contextlib.contextmanager
    def place(self) -> Iterator[place.Place]:
        """The server's files, while it is connected; what it refuses is a TaskFailed."""
        if self.proxy_address:
            raise NotOffered("FTP goes straight to its server; a proxy is not offered.")
        implicit = self.secured and self.mode_ is Securing.IMPLICIT
        try:
            with contextlib.closing(self._client(implicit)) as client:
                client.encoding = "utf-8"
                client.connect(self.host, self.port or (990 if implicit else 21), PATIENCE)
                client.login(self.username, str(self.password))
                if isinstance(client, ftplib.FTP_TLS):
                    (client.prot_c if self.data_channel_protection_level.upper() == "C" else client.prot_p)()
                client.set_pasv(self.passive_mode)
                yield _Files(client, self.root_dir)
                with contextlib.suppress(*ftplib.all_errors):
                    client.quit()
        except ftplib.all_errors as error:
            raise TaskFailed(f"{self.host}: {_said(error)}.") from error

    def _client(self, implicit: bool) -> ftplib.FTP:
        if not self.secured:
            return ftplib.FTP()
        trust = ssl.create_default_context()
        if self.insecure_trust_all_certificates:
            trust.check_hostname = False
            trust.verify_mode = ssl.CERT_NONE
        return (_Implicit if implicit else _Secured)(context=trust)


class Upload(FtpTask, frozen=True, kw_only=True):
    """Put a stored file on an FTP server."""

    type_name: ClassVar[str] = "ftp.upload"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftp.Upload",)
    outputs: ClassVar[dict[str, str]] = place.PUT
    example: ClassVar[dict[str, object]] = {**HOST, "from": "{{ outputs.write.uri }}", "to": "/out/orders.csv"}

    from_: place.FromStored = field(name="from")
    to: place.To = ""
    overwrite: place.Overwrite = True

    def run(self, context: Context) -> dict[str, object]:
        """Put it there."""
        return place.upload(self.place(), context, self.from_, self.to, self.overwrite)


class Uploads(FtpTask, frozen=True, kw_only=True):
    """Put several stored files into a folder of an FTP server."""

    type_name: ClassVar[str] = "ftp.uploads"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftp.Uploads",)
    outputs: ClassVar[dict[str, str]] = place.PUT_SEVERAL
    example: ClassVar[dict[str, object]] = {**HOST, "from": ["{{ outputs.write.uri }}"], "to": "/out"}

    from_: place.FromSeveral = field(name="from")
    to: place.To = ""
    overwrite: place.Overwrite = True

    def run(self, context: Context) -> dict[str, object]:
        """Put them there."""
        return place.uploads(self.place(), context, self.from_, self.to, self.overwrite)


class Download(FtpTask, frozen=True, kw_only=True):
    """Fetch a file from an FTP server, and store it."""

    type_name: ClassVar[str] = "ftp.download"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftp.Download",)
    outputs: ClassVar[dict[str, str]] = place.GOT
    example: ClassVar[dict[str, object]] = {**HOST, "from": "/in/orders.csv"}

    from_: place.From = field(name="from")

    def run(self, context: Context) -> dict[str, object]:
        """Fetch it."""
        return place.download(self.place(), context, self.from_)


class Downloads(FtpTask, frozen=True, kw_only=True):
    """Fetch the files of a folder of an FTP server and store them; move or delete them there if wanted."""

    type_name: ClassVar[str] = "ftp.downloads"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftp.Downloads",)
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
        return place.downloads(self.place(), context, choice, self.action, self.move_directory)


class List(FtpTask, frozen=True, kw_only=True):
    """List the files of a folder of an FTP server."""

    type_name: ClassVar[str] = "ftp.list"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftp.List",)
    outputs: ClassVar[dict[str, str]] = place.LISTED
    example: ClassVar[dict[str, object]] = {**HOST, "from": "/in", "regExp": ".*\\.csv"}

    from_: place.FromFolder = field(name="from")
    reg_exp: place.RegExp = ""
    recursive: place.Recursive = False
    max_files: place.MaxFiles = None

    def run(self, context: Context) -> dict[str, object]:
        """List them."""
        choice = Choice(folder=self.from_, reg_exp=self.reg_exp, recursive=self.recursive, max_files=self.max_files)
        return place.listed(self.place(), choice)


class Move(FtpTask, frozen=True, kw_only=True):
    """Give a file of an FTP server another path."""

    type_name: ClassVar[str] = "ftp.move"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftp.Move",)
    outputs: ClassVar[dict[str, str]] = place.MOVED
    example: ClassVar[dict[str, object]] = {**HOST, "from": "/in/orders.csv", "to": "/done/"}

    from_: place.From = field(name="from")
    to: place.To
    overwrite: place.Overwrite = True

    def run(self, context: Context) -> dict[str, object]:
        """Move it."""
        return place.move(self.place(), self.from_, self.to, self.overwrite)


class Delete(FtpTask, frozen=True, kw_only=True):
    """Delete a file of an FTP server."""

    type_name: ClassVar[str] = "ftp.delete"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftp.Delete",)
    outputs: ClassVar[dict[str, str]] = place.GONE
    example: ClassVar[dict[str, object]] = {**HOST, "uri": "/in/orders.csv"}

    uri: place.From
    error_on_missing: place.ErrorOnMissing = False

    def run(self, context: Context) -> dict[str, object]:
        """Delete it."""
        return place.delete(self.place(), self.uri, self.error_on_missing)


class _Secured(ftplib.FTP_TLS):
    """TLS whose connections for files go on with the session that logged in, as careful servers demand."""

    def ntransfercmd(self, cmd: str, rest: Any = None) -> tuple[socket.socket, int | None]:
        # What the standard library does, but for the session.
        made, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if getattr(self, "_prot_p", False):
            session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
            made = self.context.wrap_socket(made, server_hostname=self.host, session=session)
        return made, size


class _Implicit(_Secured):
    """TLS from the first byte on."""

    def connect(
        self, host: str = "", port: int = 0, timeout: float = -999, source_address: tuple[str, int] | None = None
    ) -> str:
        self.host, self.port, self.timeout = host, port, timeout
        plain = socket.create_connection((host, port), timeout, source_address)
        self.af = plain.family
        self.sock = self.context.wrap_socket(plain, server_hostname=host)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome


class _Files:
    """The files behind one connection."""

    def __init__(self, client: ftplib.FTP, root_dir: bool) -> None:
        self._client = client
        self._home = client.pwd() if root_dir else "/"

    def entries(self, folder: str) -> Iterator[Entry]:
        path = self._path(folder)
        try:
            found = list(self._client.mlsd(path, ["type", "size", "modify"]))
        except ftplib.error_perm as error:
            if not str(error).startswith(("500", "502", "504")):
                raise TaskFailed(f'"{folder}": {_said(error)}.') from None
            found = [(posixpath.basename(name), self._facts(name)) for name in self._client.nlst(path)]
        for name, facts in found:
            if facts.get("type") in ("cdir", "pdir") or name in (".", ".."):
                continue
            yield Entry(
                path=posixpath.join(folder, name),
                folder=facts.get("type") == "dir",
                size=int(facts.get("size", 0)),
                updated=_moment(facts.get("modify", "")),
                link="link" in facts.get("type", ""),
            )

    def exists(self, path: str) -> bool:
        return self._is_folder(path) or self._size(path) is not None

    def get(self, path: str, target: Path) -> None:
        with target.open("wb") as file:
            try:
                self._client.retrbinary(f"RETR {self._path(path)}", file.write, BLOCK)
            except ftplib.error_perm as error:
                raise TaskFailed(f'"{path}": {_said(error)}.') from None

    def put(self, source: Path, path: str) -> None:
        with source.open("rb") as file:
            self._client.storbinary(f"STOR {self._path(path)}", file, BLOCK)

    def make_folder(self, path: str) -> None:
        if path in ("", ".", "/") or self._is_folder(path):
            return
        self.make_folder(posixpath.dirname(path))
        try:
            self._client.mkd(self._path(path))
        except ftplib.error_perm:
            if not self._is_folder(path):
                raise

    def move(self, path: str, to: str) -> None:
        if self._size(to) is not None and self._path(to) != self._path(path):
            self._client.delete(self._path(to))
        self._client.rename(self._path(path), self._path(to))

    def delete(self, path: str) -> bool:
        if self._is_folder(path):
            self._client.rmd(self._path(path))
            return True
        if self._size(path) is None:
            return False
        self._client.delete(self._path(path))
        return True

    def _facts(self, path: str) -> dict[str, str]:
        size = self._size(path)
        return {"type": "dir"} if size is None else {"type": "file", "size": str(size)}

    def _size(self, path: str) -> int | None:
        try:
            self._client.voidcmd("TYPE I")
            return self._client.size(self._path(path))
        except ftplib.error_perm:
            return None

    def _is_folder(self, path: str) -> bool:
        here = self._client.pwd()
        try:
            self._client.cwd(self._path(path))
        except ftplib.error_perm:
            return False
        self._client.cwd(here)
        return True

    def _path(self, path: str) -> str:
        if "\n" in path or "\r" in path:
            raise TaskFailed("A path cannot have a line break.")
        return posixpath.join(self._home, path.lstrip("/")) if self._home != "/" else posixpath.join("/", path)


def _said(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _moment(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=datetime.UTC)
    except ValueError:
        return None
