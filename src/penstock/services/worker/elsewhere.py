"""What does a worker do for an attempt that lives in a container? A process stands for it; what is left over is ended.

The process is a child like any other, so streams, timeouts, kills and the lease are seen to as they always are. When
it could not end by itself its container is ended before the attempt is: see `runners.container`.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from penstock.errors import PenstockError
from penstock.errors.work import NotAllowed
from penstock.model.policy import SECOND
from penstock.model.run import Step
from penstock.runners.container import records
from penstock.runners.container.wanted import DRIVER, Wanted, labels_of, name_of
from penstock.runners.process.launcher import Exit, Order
from penstock.sdk.container import FOLDER, Container
from penstock.sdk.context import About
from penstock.sdk.launch import Launch
from penstock.services.worker.places import containers_root
from penstock.services.worker.shop import Shop
from penstock.store import queue, steps
from penstock.store.port import Tx
from penstock.store.queue import Claim

# What says where an engine is, and who may use it.
TOLD: Final = frozenset(
    (
        *("CONTAINER_HOST", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONFIG"),
        *("XDG_RUNTIME_DIR", "PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    )
)
SOURCES: Final = Path(__file__).resolve().parents[3]
GIVEN: Final = "/penstock/given"
# An engine that is gone for good is asked ever more seldom.
AGAIN_AFTER: Final = 5 * SECOND
AGAIN_AT_LAST: Final = 600 * SECOND


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where an attempt in a container works: its folder here, whether other tasks have it, too, its environment."""

    folder: Path
    shared: bool
    env: dict[str, str]


def order_of(shop: Shop, claim: Claim, known: About, launch: Launch, place: Place) -> tuple[Order, Path]:
    """The process that stands for a container, and the record of it. Raises NotAllowed."""
    assert launch.container is not None
    _check_allowed(shop, launch.container)
    name = name_of(claim.run, claim.step, claim.attempt, claim.fence)
    record = containers_root(shop.core) / name
    given = {here: f"{GIVEN}/{number}" for number, here in enumerate(launch.search.values())}
    labels = labels_of(
        run=claim.run, step=claim.step, attempt=claim.attempt, flow=known.flow, namespace=known.namespace
    )
    wanted = Wanted(
        name=name,
        run=claim.run,
        step=claim.step,
        fence=claim.fence,
        record=str(record),
        worker=shop.worker,
        container=launch.container,
        argv=tuple(_inside(part, place.folder) for part in launch.argv),
        env={key: _inside(value, place.folder) for key, value in _searched(launch, given, place.env).items()},
        given=given,
        folder=str(place.folder),
        labels=labels | {"penstock/worker": shop.worker},
        content=_content(launch),
        returns=bool(launch.output_files or launch.output_folder or place.shared),
        shared=place.shared,
    )
    return _order(shop, {"run": msgspec.to_builtins(wanted)}, place.folder), record


def is_over(record: Path | None, ended: Exit) -> bool:
    """Whether nothing of an attempt lives any more when the process that stood for it has ended."""
    return record is None or (ended.signal is None and not ended.trouble) or not record.exists()


def end(shop: Shop, record: Path, then: Callable[[bool], None]) -> None:
    """Have a recorded container ended by a process of its own; then say whether it surely is."""
    try:
        order = _order(shop, {"end": str(record)}, record.parent)
        child = shop.launcher.launch(order, lambda ended: then(ended.code == 0))
    except (PenstockError, OSError):
        then(False)
        return
    child.close()


class Leftovers:
    """Containers of attempts that nobody holds any more and nobody will make again."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._root = containers_root(shop.core)
        self._waits: dict[Path, tuple[int, int]] = {}

    def look(self) -> None:
        """End what is left over. Of a step that goes on the next attempt does it, or goes on with its container."""
        if not self._root.is_dir():
            return
        now = self._shop.core.clock.steady()
        for path in self._root.iterdir():
            until, wait = self._waits.get(path, (now, AGAIN_AFTER))
            record = records.read(path) if until <= now and path.name[:1] != "." else None
            if record is not None and not self._shop.core.store.read(partial(_is_wanted, record)):
                self._waits[path] = now + wait, min(2 * wait, AGAIN_AT_LAST)
                end(self._shop, path, partial(self._ended, path))

    def _ended(self, path: Path, sure: bool) -> None:
        if sure:
            self._waits.pop(path, None)


def _is_wanted(record: records.Record, tx: Tx) -> bool:
    if any(claim.fence == record.fence for claim in queue.claims_of(tx, record.run)):
        return True
    step: Step | None = steps.load(tx, record.run, [record.step]).get(record.step)
    return step is not None and step.status.open


def _check_allowed(shop: Shop, asked: Container) -> None:
    allowed = shop.surroundings
    for what, wanted, may in (
        ("volumes", bool(asked.volumes), allowed.volumes),
        ("privileged", asked.privileged, allowed.privileged),
    ):
        if wanted and not may:
            raise NotAllowed(
                f'The container asks for "{what}", which reaches the machine itself; the project does not allow it.',
                hint=f"Allow it in penstock.yaml: `containers: {{{what}: true}}`.",
            )


def _order(shop: Shop, payload: dict[str, object], folder: Path) -> Order:
    """A process that speaks with the engine: one zygote serves all of them."""
    environ = shop.core.knobs.environ
    env = {"PATH": os.defpath, "LANG": "C.UTF-8"} | {name: environ[name] for name in sorted(TOLD & environ.keys())}
    if "site-packages" not in SOURCES.parts:
        env["PYTHONPATH"] = str(SOURCES)
    body: dict[str, object] = {"mode": "plugin", "limits": {}, "module": DRIVER, "cwd": str(folder), "plugin": payload}
    return Order(interpreter=sys.executable, env=env, body=body, preimports=(DRIVER,))


def _searched(launch: Launch, given: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """An environment with the given folders after those of its own."""
    last = {name: given[here] for name, here in launch.search.items()}
    return {**env, **{name: f"{env[name]}:{folder}" if env.get(name) else folder for name, folder in last.items()}}


def _inside(text: str, folder: Path) -> str:
    """The same text with the attempt's folder as the container knows it."""
    return text.replace(str(folder), FOLDER)


def _content(launch: Launch) -> str:
    whole = msgspec.json.encode((sorted(launch.input_files.items()), launch.project_files))
    return hashlib.blake2b(whole, digest_size=16).hexdigest()
