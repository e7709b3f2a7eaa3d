"""What does a worker do for a working directory? It makes the folder with its files, and in the end stores what is
wanted of it.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import tarfile
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Protocol

import msgspec

from penstock.errors import PenstockError
from penstock.errors.run import InvalidInput
from penstock.errors.work import FolderGone
from penstock.model import ids
from penstock.model.effect import Work
from penstock.model.event import Ended
from penstock.model.node import Folder
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure, Step
from penstock.model.status import Outcome
from penstock.sdk.launch import FileChoice, IfExists
from penstock.services import cached
from penstock.services.core import Core
from penstock.services.project_folder import inside
from penstock.services.render import properties_of
from penstock.services.secrets.masks import KnownMasks, Masks
from penstock.services.seen_files import SeenFiles
from penstock.services.worker import workdir
from penstock.services.worker.hiding import Starred
from penstock.services.worker.workdir import Folders
from penstock.store import steps
from penstock.store.port import Tx
from penstock.store.queue import Claim

Outputs = dict[str, object] | None


class Rooms(Protocol):
    """What of a worker's tools is wanted here."""

    @property
    def core(self) -> Core:
        """Its store and clock."""

    @property
    def worker(self) -> str:
        """Its name."""

    @property
    def folders(self) -> Folders:
        """Its attempts' folders."""

    @property
    def known(self) -> KnownMasks:
        """Which secrets its runs know."""


class KeptFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Files of the folder that the next run finds again: globs, for `ttl` seconds (none: for ever)."""

    patterns: list[str]
    ttl: float | None = None


class NamespaceFiles(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which files of namespaces and of the project come into the folder, and where in it they lie."""

    enabled: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    if_exists: IfExists = IfExists.OVERWRITE
    folder_per_namespace: bool = False

    def choice(self, namespace: str) -> FileChoice:
        """The files that a flow of a namespace wants."""
        folders = dict.fromkeys(self.namespaces or [namespace]) if self.folder_per_namespace else ()
        return FileChoice(self.include, self.exclude, tuple(folders), self.if_exists, self.namespaces)


class Properties(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What a working directory may be told, rendered."""

    input_files: Annotated[dict[str, str], msgspec.Meta(description="Text or stored file by its name.")] = {}
    output_files: Annotated[list[str], msgspec.Meta(description="Globs of files to hand on.")] = []
    namespace_files: NamespaceFiles | None = None
    cache: KeptFiles | None = None


# Looked at when nobody else runs: two threads that have msgspec do so for the first time crash Python.
SEEN: Final = msgspec.json.Decoder(Properties)


def do(shop: Rooms, claim: Claim) -> tuple[Ended, Outputs]:
    """Open or close the folder of a claimed group; for a thread of its own."""
    began = shop.core.clock.now()
    try:
        made = _open(shop, claim) if claim.work is Work.OPEN else _close(shop, claim)
        return _ended(shop, claim, Outcome.DONE, None, began), made
    except FolderGone as gone:
        return _ended(shop, claim, Outcome.LOST, Failure(ErrorKind.LOST, gone.sentence, None, gone.code), began), None
    except PenstockError as error:
        failure = Failure(ErrorKind.TASK, f"{error.sentence} {error.hint}".strip(), None, error.code)
        return _ended(shop, claim, Outcome.FAILED, failure, began), None
    except OSError as error:
        return _ended(shop, claim, Outcome.FAILED, Failure(ErrorKind.SYSTEM, f"The folder: {error}"), began), None


def lost(shop: Rooms, claim: Claim, gone: FolderGone) -> Ended:
    """The end of an attempt whose folder is on another worker, or nowhere any more."""
    failure = Failure(ErrorKind.LOST, gone.sentence, None, gone.code)
    return _ended(shop, claim, Outcome.LOST, failure, shop.core.clock.now())


def sweep(shop: Rooms) -> None:
    """Remove the folders of groups that have ended without closing them: killed, failed, begun anew elsewhere."""
    for run, step in shop.folders.held():
        found = shop.core.store.read(partial(_group, run, step))
        group = found.group if found is not None else None
        ours = group is not None and (group.worker in ("", shop.worker))
        if found is None or not found.status.open or not ours:
            shop.folders.drop(run, step)


def _group(run: str, step: str, tx: Tx) -> Step | None:
    return steps.load(tx, run, [step]).get(step)


def _open(shop: Rooms, claim: Claim) -> Outputs:
    wanted = _properties(shop, claim)
    folder = shop.folders.open(claim.run, claim.step)
    stored = workdir.files_of(shop.core)
    if wanted.cache is not None:
        _bring(shop, claim, folder)
    namespace = shop.core.store.read(lambda tx: cached.run_of(tx, claim.run)).namespace
    if wanted.namespace_files is not None and wanted.namespace_files.enabled:
        workdir.lay_in_seen(shop.core, folder, wanted.namespace_files.choice(namespace), namespace)
    workdir.lay_in(folder, wanted.input_files, stored, SeenFiles(shop.core, (namespace,)))
    return None


def _close(shop: Rooms, claim: Claim) -> Outputs:
    wanted = _properties(shop, claim)
    folder = shop.folders.shared(claim.run, claim.step)
    stored = Starred(workdir.files_of(shop.core), shop.known.of(claim.run))
    prefix = f"runs/{claim.run}/{claim.step}/{claim.attempt}"
    files = workdir.collect(folder, wanted.output_files, stored, prefix)
    if wanted.cache is not None:
        _keep(shop, claim, folder, wanted.cache)
    shop.folders.drop(claim.run, claim.step)
    return {"outputFiles": files}


def _properties(shop: Rooms, claim: Claim) -> Properties:
    used: set[str] = set()
    rendered = properties_of(shop.core, claim, lambda plan: _written(plan.node(ids.node_of(claim.step))), used)
    shop.known.of(claim.run).add(*used)
    try:
        return msgspec.convert(rendered, Properties, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(f'The properties of "{claim.step}" do not fit: {error}.') from error


def _written(node: object) -> dict[str, object]:
    assert isinstance(node, Folder)
    return node.properties


def _name(shop: Rooms, claim: Claim) -> str:
    run = shop.core.store.read(lambda tx: cached.run_of(tx, claim.run))
    return cached.folder_key(run, ids.node_of(claim.step))


def _bring(shop: Rooms, claim: Claim, folder: Path) -> None:
    """Unpack what an earlier run has kept; what cannot be read is as if it were not there."""
    found = cached.find(shop.core, _name(shop, claim))
    if found is None or not found.uri:
        return
    packed = folder / ".penstock-kept.tar"
    with contextlib.suppress(PenstockError, OSError, tarfile.TarError):
        workdir.files_of(shop.core).get_file(found.uri, packed)
        with tarfile.open(packed) as archive:
            for member in archive:
                source = archive.extractfile(member) if member.isfile() else None
                if source is not None:
                    path = inside(folder, member.name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with path.open("wb") as target:
                        shutil.copyfileobj(source, target)
                    path.chmod(member.mode & 0o700 | 0o600)
    packed.unlink(missing_ok=True)


def _keep(shop: Rooms, claim: Claim, folder: Path, kept: KeptFiles) -> None:
    key = _name(shop, claim)
    if cached.find(shop.core, key) is not None:
        return  # refreshed only when its time is over
    packed = folder / ".penstock-kept.tar"
    names, masks = workdir.matching(folder, kept.patterns), shop.known.of(claim.run)
    with tarfile.open(packed, "w") as archive:
        for name in names:
            _pack(archive, name, folder / name, masks)
    uri = workdir.files_of(shop.core).put_file(f"runs/{claim.run}/{claim.step}/kept.tar", packed)
    packed.unlink()
    ttl = None if kept.ttl is None else round(kept.ttl * SECOND)
    cached.keep(shop.core, key, claim, ttl, uri=uri)


def _pack(archive: tarfile.TarFile, name: str, path: Path, masks: Masks) -> None:
    body = masks.file_without(path)
    if body is None:
        archive.add(path, name, recursive=False)
        return
    told = archive.gettarinfo(path, name)
    told.size = len(body)
    archive.addfile(told, io.BytesIO(body))


def _ended(shop: Rooms, claim: Claim, outcome: Outcome, failure: Failure | None, began: int) -> Ended:
    return Ended(
        step=claim.step,
        attempt=claim.attempt,
        outcome=outcome,
        worker=shop.worker,
        started_at=began,
        ended_at=shop.core.clock.now(),
        failure=failure,
    )
