"""How does Penstock start with the machine? By units of systemd: shown, then written, and taken away again."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from penstock.cli import units
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import examples, project_of
from penstock.cli.said import data, note
from penstock.cli.units import Home, Unit
from penstock.errors.project import NoSuchFile, WrongCall

VERBS: Final = {
    "install": ("penstock.cli.service:install", "Write units of systemd for a server and a worker."),
}
PARTS: Final = ("serve", "worker")
SYSTEM: Final = Path("/etc/systemd/system")
SYSTEM_ENVIRONMENT: Final = Path("/etc/penstock/penstock.env")

service = LazyGroup(
    name="service",
    lazy=VERBS,
    help="Start Penstock with the machine: units of systemd for a server and a worker.",
    no_args_is_help=True,
    **examples("penstock service install --dry-run", "penstock service install worker --user"),
)


class ServiceGiven(msgspec.Struct, frozen=True, kw_only=True):
    """What `penstock service install` was given."""

    parts: tuple[str, ...] = ()
    project: str = ""
    store: str = ""
    user: bool = False
    run_as: str = "penstock"
    host: str = "127.0.0.1"
    port: int = 8080
    slots: int = 0
    grace: int = 10
    root: str = ""
    dry_run: bool = False
    uninstall: bool = False
    yes: bool = False


class Places(msgspec.Struct, frozen=True):
    """Where units and the file of the environment go."""

    units: Path
    environment: Path


@click.command(
    "install",
    **examples(
        "penstock service install --dry-run                         only shows what would be written",
        "penstock service install --store postgresql://penstock@db/penstock",
        "penstock service install worker --user                     for you alone, without being root",
        "penstock service install --uninstall",
    ),
)
@click.argument("parts", nargs=-1, type=click.Choice(PARTS), metavar="[serve|worker]...")
@click.option("-C", "--project", default="", metavar="FOLDER", help="The project's folder, instead of this one.")
@click.option("--store", default="", metavar="URL", help="The store; it goes into a file that only its owner reads.")
@click.option("--user", is_flag=True, help="Units of yours instead of the machine's.")
@click.option("--as", "run_as", default="penstock", metavar="NAME", help="Who the machine's units run as.")
@click.option("--host", default="127.0.0.1", help="The address that the server listens at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, help="Its port.")
@click.option("--slots", type=click.IntRange(0, 10_000), default=0, help="Attempts at once of the worker; 0: as usual.")
@click.option("--grace", type=click.IntRange(0, 3_600), default=10, help="Seconds that calls have to end in.")
@click.option("--root", default="", metavar="FOLDER", help="Write below this folder instead of /, for an image.")
@click.option("--dry-run", is_flag=True, help="Only show what would be written, or removed.")
@click.option("--uninstall", is_flag=True, help="Stop the units and remove them; the environment's file stays.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def install(**given: Any) -> None:
    """Write units of systemd for a server and a worker, or for one of them; they are shown before.

    The store's address goes into a file of mode 0600, never into a unit. Units stop gracefully: work has its time to
    end, and what is left then is ended with all that it started.
    """
    asked = msgspec.convert(given, ServiceGiven)
    where = _places(asked)
    if asked.uninstall:
        _uninstall(asked, where)
        return
    made = _units(asked, where)
    for unit in made:
        data(f"# {where.units / unit.name}.service\n{units.text(unit)}")
    fresh = bool(asked.store) or not where.environment.exists()
    note(f"{where.environment} {'gets the address of the store' if fresh else 'stays as it is'} (mode 0600).")
    if asked.dry_run:
        return
    _check(asked, where)
    if not asked.yes:
        click.confirm("Write this?", abort=True, err=True)
    if fresh:
        _write(where.environment, units.environment(asked.store), 0o600)
    for unit in made:
        _write(where.units / f"{unit.name}.service", units.text(unit), 0o644)
    user = " --user" if asked.user else ""
    names = " ".join(unit.name for unit in made)
    note(f"Written. Now: systemctl{user} daemon-reload && systemctl{user} enable --now {names}")


def _units(asked: ServiceGiven, where: Places) -> list[Unit]:
    project = project_of(asked.project)
    grace = -(-int(project.settings.limits.grace) // 1_000_000)
    program = _program()
    home = Home(
        folder=str(project.root.absolute()),
        environment=str(_shown(asked, where.environment)),
        user="" if asked.user else asked.run_as,
    )
    made = {
        "serve": units.server(program, asked.host, asked.port, asked.grace, home),
        "worker": units.worker(program, asked.slots, grace, home),
    }
    return [made[part] for part in asked.parts or PARTS]


def _program() -> tuple[str, ...]:
    """How this very Penstock is called: its script, or its Python where it has none beside it."""
    script = Path(sys.executable).with_name("penstock")
    return (str(script),) if script.exists() else (sys.executable, "-m", "penstock")


def _places(asked: ServiceGiven) -> Places:
    if asked.user:
        home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        found = Places(home / "systemd" / "user", home / "penstock" / "penstock.env")
    else:
        found = Places(SYSTEM, SYSTEM_ENVIRONMENT)
    if not asked.root:
        return found
    root = Path(asked.root).absolute()
    return Places(root / found.units.relative_to("/"), root / found.environment.relative_to("/"))


def _shown(asked: ServiceGiven, path: Path) -> Path:
    """A path as the units see it, when they run where they were written for."""
    return Path("/") / path.relative_to(Path(asked.root).absolute()) if asked.root else path


def _check(asked: ServiceGiven, where: Places) -> None:
    if any("\n" in each or "\0" in each for each in (asked.store, asked.host, asked.run_as)):
        raise WrongCall("What goes into a unit is one line.")
    if asked.user or asked.root:
        return
    if os.geteuid() != 0:
        raise WrongCall(f"Only root writes into {where.units}.", hint="sudo, or `--user` for units of your own.")
    try:
        pwd.getpwnam(asked.run_as)
    except KeyError:
        raise WrongCall(
            f'There is no user "{asked.run_as}" on this machine for the units to run as.',
            hint=f"useradd --system --create-home --home-dir /srv/{asked.run_as} {asked.run_as}, or `--as NAME`.",
        ) from None


def _write(path: Path, content: str, mode: int) -> None:
    """Write a file that is never there with more rights than it is to have, nor half."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
            file.write(content)
        part.chmod(mode)
        part.replace(path)
    except OSError as error:
        raise WrongCall(f"{path} cannot be written: {error.strerror}.") from None
    note(f"{path} is written.")


def _uninstall(asked: ServiceGiven, where: Places) -> None:
    found = [where.units / f"penstock-{part}.service" for part in asked.parts or PARTS]
    there = [path for path in found if path.exists()]
    if not there:
        raise NoSuchFile(f"There are no units of Penstock in {where.units}.")
    for path in there:
        note(f"{path} goes.")
    if asked.dry_run:
        return
    if not asked.yes:
        click.confirm("Stop and remove them?", abort=True, err=True)
    systemctl = ["systemctl", *(["--user"] if asked.user else [])]
    manages = shutil.which("systemctl") is not None and Path("/run/systemd/system").is_dir() and not asked.root
    if manages:
        subprocess.run([*systemctl, "disable", "--now", "--", *(path.name for path in there)], check=False)
    for path in there:
        path.unlink()
    if manages:
        subprocess.run([*systemctl, "daemon-reload"], check=False)
    note(f"Removed. {where.environment} stays: it holds the address of the store.")
