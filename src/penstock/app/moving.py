"""How does a project's store become another one? Its rows are carried over, and what lies beside them is told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from penstock.app.databases import alone_with
from penstock.app.places import BLOBS, Where, locate
from penstock.clock import Clock
from penstock.errors.project import WrongCall
from penstock.services.secrets.master import FILE, NAME, VARIABLE
from penstock.settings.read import Project
from penstock.store.carrying import Carried, Told, carry, undo
from penstock.store.migrations.marks import Mark


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What was moved, and what else is to be done: sentences to people."""

    source: str
    target: str
    carried: Carried
    left: tuple[str, ...]


def move(project: Project, environ: Mapping[str, str], store: str, to: str, clock: Clock, told: Told) -> Moved:
    """Carry the project's store to another address. Raises StoreInUse, StoreMoved, StoreNotEmpty, Unlike."""
    here, there = locate(project, environ, store), locate(project, environ, to)
    if here.store == there.store:
        raise WrongCall("A store cannot be moved onto itself.")
    _must_be_there(here)
    with alone_with(here.store, clock) as source, alone_with(there.store, clock) as target:
        carried = carry(source, target, told)
    return Moved(source=here.shown, target=there.shown, carried=carried, left=tuple(_beside(here, there, environ)))


def move_back(project: Project, environ: Mapping[str, str], store: str, clock: Clock) -> Mark:
    """Open the project's store again, which has moved or was about to. Raises StoreMoved where it has not."""
    here = locate(project, environ, store)
    _must_be_there(here)
    with alone_with(here.store, clock) as source:
        return undo(source)


def _must_be_there(where: Where) -> None:
    if not where.on_postgres and not Path(where.store).exists():
        raise WrongCall(f"There is no store at {where.store}.")


def _beside(here: Where, there: Where, environ: Mapping[str, str]) -> list[str]:
    """What belongs to a store and lies elsewhere than the new one looks for it."""
    said = []
    if here.blobs != there.blobs and not environ.get(BLOBS):
        said.append(f"Files and large outputs stay in {here.blobs}: say `blobs: {here.blobs}`, or move them too.")
    elif not here.blobs.startswith("s3://") and there.on_postgres:
        said.append(f"Files and large outputs stay in {here.blobs}: workers on other machines need them as well.")
    key = here.state / NAME
    if key.exists() and not environ.get(VARIABLE) and not environ.get(FILE):
        if here.state != there.state:
            said.append(f"Secrets are sealed by the keys in {key}: copy it to {there.state / NAME}, mode 0600.")
        elif there.on_postgres:
            said.append(f"Secrets are sealed by the keys in {key}: servers and workers elsewhere need it ({VARIABLE}).")
    return said
