"""Which triggers look for files: on the worker's machine, behind SFTP, behind FTP, with TLS or without?"""

from __future__ import annotations

import time
from typing import Annotated, ClassVar, Protocol

from msgspec import Meta, field

from penstock.plugins.fs import place
from penstock.plugins.fs.ftp import FtpTask
from penstock.plugins.fs.local import LocalTask
from penstock.plugins.fs.place import Action, Choice
from penstock.plugins.fs.sftp import HOST, SftpTask
from penstock.plugins.fs.watching import SEEN, On, OnWhat, StateKey, StateTtl, Watch
from penstock.sdk.context import Context
from penstock.sdk.task import Fires, Outputs
from penstock.sdk.values import Duration

Act = Annotated[Action, Meta(description="What becomes of the files once they are stored.")]


class LocalTrigger(LocalTask, frozen=True, kw_only=True):
    """Start a run for the files of a local folder that are new or have changed."""

    type_name: ClassVar[str] = "local.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.local.Trigger",)
    fires: ClassVar[Fires] = Fires.POLLING
    outputs: ClassVar[dict[str, str]] = SEEN
    example: ClassVar[dict[str, object]] = {"from": "/data/in", "regExp": ".*\\.csv", "action": "DELETE"}

    from_: place.FromFolder = field(name="from")
    action: Act = Action.NONE
    move_directory: place.MoveFolder = ""
    reg_exp: place.RegExp = ""
    recursive: place.Recursive = False
    max_files: place.MaxFiles = None
    on: OnWhat = On.CREATE_OR_UPDATE
    state_key: StateKey = ""
    state_ttl: StateTtl = None

    def run(self, context: Context) -> Outputs:
        """Look once."""
        return _watch(self).looked(self.place, context, time.time())


class SftpTrigger(SftpTask, frozen=True, kw_only=True):
    """Start a run for the files of a folder behind SFTP that are new or have changed."""

    type_name: ClassVar[str] = "sftp.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.sftp.Trigger",)
    fires: ClassVar[Fires] = Fires.POLLING
    outputs: ClassVar[dict[str, str]] = SEEN
    example: ClassVar[dict[str, object]] = {**HOST, "from": "/in", "regExp": ".*\\.csv", "action": "DELETE"}

    from_: place.FromFolder = field(name="from")
    action: Act = Action.NONE
    move_directory: place.MoveFolder = ""
    reg_exp: place.RegExp = ""
    recursive: place.Recursive = False
    max_files: place.MaxFiles = None
    on: OnWhat = On.CREATE_OR_UPDATE
    state_key: StateKey = ""
    state_ttl: StateTtl = None

    def run(self, context: Context) -> Outputs:
        """Look once."""
        return _watch(self).looked(lambda: self.place(context), context, time.time())


class FtpTrigger(FtpTask, frozen=True, kw_only=True):
    """Start a run for the files of a folder of an FTP server that are new or have changed."""

    type_name: ClassVar[str] = "ftp.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftp.Trigger",)
    fires: ClassVar[Fires] = Fires.POLLING
    outputs: ClassVar[dict[str, str]] = SEEN
    example: ClassVar[dict[str, object]] = {**HOST, "from": "/in", "regExp": ".*\\.csv", "action": "DELETE"}

    from_: place.FromFolder = field(name="from")
    action: Act = Action.NONE
    move_directory: place.MoveFolder = ""
    reg_exp: place.RegExp = ""
    recursive: place.Recursive = False
    max_files: place.MaxFiles = None
    on: OnWhat = On.CREATE_OR_UPDATE
    state_key: StateKey = ""
    state_ttl: StateTtl = None

    def run(self, context: Context) -> Outputs:
        """Look once."""
        return _watch(self).looked(self.place, context, time.time())


class FtpsTrigger(FtpTrigger, frozen=True, kw_only=True):
    """Start a run for the files of a folder of an FTP server, through TLS, that are new or have changed."""

    type_name: ClassVar[str] = "ftps.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.fs.ftps.Trigger",)
    secured: ClassVar[bool] = True


class _Asked(Protocol):
    """The properties that say what a trigger looks for."""

    @property
    def from_(self) -> str: ...
    @property
    def action(self) -> Action: ...
    @property
    def move_directory(self) -> str: ...
    @property
    def reg_exp(self) -> str: ...
    @property
    def recursive(self) -> bool: ...
    @property
    def max_files(self) -> int | None: ...
    @property
    def on(self) -> On: ...
    @property
    def state_ttl(self) -> Duration | None: ...


def _watch(asked: _Asked) -> Watch:
    return Watch(
        choice=Choice(folder=asked.from_, reg_exp=asked.reg_exp, recursive=asked.recursive, max_files=asked.max_files),
        action=asked.action,
        move_to=asked.move_directory,
        on=asked.on,
        ttl=asked.state_ttl,
    )
