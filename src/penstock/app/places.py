"""Where does a project keep its runs, its files, its Python? Settings, environment and options say it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from penstock.errors.project import NoSuchFile, WrongCall
from penstock.settings.read import Project, expanded

STORE: Final = "PENSTOCK_STORE"
BLOBS: Final = "PENSTOCK_BLOBS"
POSTGRES: Final = ("postgresql://", "postgres://")
STATE: Final = ".penstock"
DATABASE: Final = f"{STATE}/penstock.db"


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses of one project: `store` is a path or a DSN, `blobs` a path or `s3://…`, `state` a folder."""

    store: str
    blobs: str
    state: Path
    python: str
    pythons: dict[str, str] = {}

    @property
    def on_postgres(self) -> bool:
        """Whether the store is a server."""
        return self.store.startswith(POSTGRES)

    @property
    def shown(self) -> str:
        """The store as it may be shown: without its password."""
        if not self.on_postgres:
            return self.store
        scheme, _, rest = self.store.partition("://")
        login, sign, host = rest.rpartition("@")
        return f"{scheme}://{login.partition(':')[0]}{sign}{host}"


def locate(project: Project, environ: Mapping[str, str], store: str = "") -> Where:
    """Find out where things are; `store` is what the command line says, which wins."""
    address = expanded(store or environ.get(STORE, "") or project.settings.store, environ)
    explicit = bool(store or environ.get(STORE))
    if address.startswith(POSTGRES):
        place, state = address, project.root / STATE
    elif "://" in address and not address.startswith("sqlite:///"):
        scheme = address.partition("://")[0]
        raise WrongCall(
            f"No store can be kept at {scheme}://…: a store is a file, or a PostgreSQL.",
            hint="A path for SQLite, or postgresql://user@host/database.",
        )
    else:
        path = address.removeprefix("sqlite:///")
        full = Path(path).expanduser().absolute() if explicit else _beside(project, path)
        if full.is_dir() or path.endswith("/"):
            full /= "penstock.db"
        place, state = str(full), full.parent
    blobs = expanded(environ.get(BLOBS, "") or project.settings.blobs, environ)
    if not blobs.startswith("s3://"):
        beside = state / "blobs" if blobs == Project(root=project.root).settings.blobs else project.path(blobs)
        blobs = str(beside.absolute())
    named = {name: _there(project, said, f"pythons.{name}") for name, said in project.settings.pythons.items()}
    return Where(store=place, blobs=blobs, state=state.absolute(), python=interpreter(project), pythons=named)


def make_closed(folder: Path) -> None:
    """Make a folder, and those around it that are not there, for their owner alone."""
    for each in reversed([folder, *folder.parents]):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)


def interpreter(project: Project) -> str:
    """The Python of a project: what its settings say, a `.venv` beside them, or the one that runs Penstock."""
    said = project.settings.python
    if not said:
        own = project.root / ".venv" / "bin" / "python"
        return str(own) if project.file and own.exists() else sys.executable
    return _there(project, said, "python")


def _there(project: Project, said: str, key: str) -> str:
    """The interpreter that a key of the settings means, which must be there."""
    path = project.path(said)
    if path.is_dir():
        path = path / "bin" / "python"
    if not path.exists():
        raise NoSuchFile(
            f"penstock.yaml says that tasks run in the Python {said}, and there is none at {path}.",
            hint=f"Make it with `python -m venv`, or correct the key `{key}`.",
        )
    # not resolved: the link in a virtual environment is what makes it one
    return str(path.absolute())


def _beside(project: Project, path: str) -> Path:
    """The store of a project; of a lone flow's folder the nearest one upward, when there is one already."""
    here = project.path(path)
    if project.file is None and not here.exists():
        for above in project.root.parents:
            if (above / DATABASE).is_file():
                return above / DATABASE
    return here.absolute()
