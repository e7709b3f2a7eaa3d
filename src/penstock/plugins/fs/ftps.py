"""How does a flow work on the files of an FTP server through TLS? As by FTP, with names of its own."""

from __future__ import annotations

from typing import ClassVar

from penstock.plugins.fs import ftp


class Upload(ftp.Upload, frozen=True, kw_only=True):
    """Put a stored file on an FTP server, through TLS."""

    type_name: ClassVar[str] = "ftps.upload"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftps.Upload",)
    secured: ClassVar[bool] = True


class Uploads(ftp.Uploads, frozen=True, kw_only=True):
    """Put several stored files into a folder of an FTP server, through TLS."""

    type_name: ClassVar[str] = "ftps.uploads"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftps.Uploads",)
    secured: ClassVar[bool] = True


class Download(ftp.Download, frozen=True, kw_only=True):
    """Fetch a file from an FTP server through TLS, and store it."""

    type_name: ClassVar[str] = "ftps.download"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftps.Download",)
    secured: ClassVar[bool] = True


class Downloads(ftp.Downloads, frozen=True, kw_only=True):
    """Fetch the files of a folder through TLS and store them; move or delete them there if wanted."""

    type_name: ClassVar[str] = "ftps.downloads"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftps.Downloads",)
    secured: ClassVar[bool] = True


class List(ftp.List, frozen=True, kw_only=True):
    """List the files of a folder of an FTP server, through TLS."""

    type_name: ClassVar[str] = "ftps.list"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftps.List",)
    secured: ClassVar[bool] = True


class Move(ftp.Move, frozen=True, kw_only=True):
    """Give a file of an FTP server another path, through TLS."""

    type_name: ClassVar[str] = "ftps.move"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftps.Move",)
    secured: ClassVar[bool] = True


class Delete(ftp.Delete, frozen=True, kw_only=True):
    """Delete a file of an FTP server, through TLS."""

    type_name: ClassVar[str] = "ftps.delete"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftps.Delete",)
    secured: ClassVar[bool] = True
