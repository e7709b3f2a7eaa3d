"""Which options do many commands share, and how is what people type read? Names with values, instants, the project."""

from __future__ import annotations

import datetime
import getpass
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import msgspec

from penstock.app import App, open_app
from penstock.errors.project import NoSuchFile, WrongCall
from penstock.model.access import Actor, Grant
from penstock.services.retention import Keep
from penstock.settings.read import Project, find

F = TypeVar("F", bound=Callable[..., Any])
HELP: Final = {"help_option_names": ["-h", "--help"]}


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What every command that opens a project may be given."""

    project: str = ""
    store: str = ""
    json: bool = False


def places(command: F) -> F:
    """Let a command say which project and which store it is about."""
    command = click.option(
        "--store", default="", metavar="PATH|URL", help="The store, instead of the project's and of PENSTOCK_STORE."
    )(command)
    return click.option(
        "-C", "--project", default="", metavar="FOLDER", help="The project's folder, instead of this one."
    )(command)


def json_too(command: F) -> F:
    """Let a command give its data as JSON."""
    return click.option("--json", "json", is_flag=True, help="Give the data as JSON on stdout.")(command)


def allow_unknown(command: F) -> F:
    """Let flows name task types that are not installed."""
    text = "Let flows name task types that are not installed."
    return click.option("--allow-unknown", "allow_unknown", is_flag=True, help=text)(command)


def examples(*lines: str) -> dict[str, Any]:
    """What a command's --help ends with, and how it is wrapped."""
    return {"epilog": "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines), "context_settings": HELP}


def project_of(folder: str, file: Path | None = None) -> Project:
    """The project that is meant: the folder given, else that of the file, else the one around here."""
    if folder:
        if not Path(folder).is_dir():
            raise NoSuchFile(f"There is no folder {folder}.")
        return find(Path(folder))
    return find(file if file is not None else Path.cwd())


def opened(given: Given, *, make: bool = False) -> App:
    """Open what a command is about; only what starts something makes a store that is not there."""
    return open_app(project_of(given.project), os.environ, store=given.store, make=make, actor=caller())


def keep_of(app: App) -> Keep:
    """How long a project keeps what has ended."""
    retention = app.project.settings.retention
    return Keep(runs=retention.runs, logs=retention.logs, audit=retention.audit)


def pairs(texts: tuple[str, ...], option: str) -> dict[str, str]:
    """Read `name=value` texts."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise WrongCall(f'"{text}" is not name=value.', hint=f"Example: {option} day=2016-01-02")
        found[name] = value
    return found


def instant(text: str, option: str) -> int:
    """Microseconds of an instant as people write it; without a zone it is UTC."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise WrongCall(
            f'{option}: "{text}" is no instant.', hint="Example: 2016-01-02 or 2016-01-02T03:04:05Z"
        ) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=datetime.UTC)
    return round(found.timestamp() * 1_000_000)


def near(path: Path) -> Path:
    """A path as people would type it from here."""
    full = path.absolute()
    return Path(os.path.relpath(full)) if full.is_relative_to(Path.cwd()) else path


def caller() -> Actor:
    """Who calls, for the audit; who can read the store may do everything."""
    return Actor(name=who(), grants=(Grant("owner"),), via="command")


def who() -> str:
    """Who calls: the user's name and machine, as the run's history keeps it."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
