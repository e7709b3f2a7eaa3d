"""May a task's earlier result be used in the place of doing it again? Found by a key of all that it depends on."""

from __future__ import annotations

import hashlib

import msgspec

from penstock.model import ids
from penstock.model.node import Task
from penstock.model.plan import Plan
from penstock.model.policy import Cache
from penstock.model.run import Run
from penstock.services.core import Core
from penstock.store import cached, runs
from penstock.store.cached import Cached
from penstock.store.port import Tx
from penstock.store.queue import Claim


def result_key(plan: Plan, node: Task, cache: Cache, properties: object, rendered_key: str) -> str:
    """The key of a task's result: its flow and id, and its own key, or its type, properties and version.

    Only a digest is kept, since rendered properties may hold secrets.
    """
    about: object = rendered_key if cache.key else [node.type, properties]
    text = msgspec.json.encode([plan.flow.namespace, plan.flow.id, node.id, cache.version, about], order="sorted")
    return f"task/{hashlib.blake2b(text, digest_size=20).hexdigest()}"


def folder_key(run: Run, node_id: str) -> str:
    """The key of the files that a working directory keeps for the next run of its flow."""
    return f"folder/{run.namespace}/{run.flow}/{node_id}"


def run_of(tx: Tx, run_id: str) -> Run:
    """The run of a claim."""
    run = runs.load(tx, run_id)
    assert run is not None, f"run {run_id} is held and not there"
    return run


def find(core: Core, key: str) -> Cached | None:
    """A result that may still be used."""
    now = core.clock.now()
    return core.store.read(lambda tx: cached.find(tx, key, now))


def keep(
    core: Core, key: str, claim: Claim, ttl: int | None, *, outputs: dict[str, object] | None = None, uri: str = ""
) -> None:
    """Keep what an attempt made for `ttl` microseconds (None: as long as its run is kept)."""
    now = core.clock.now()
    made = Cached(key, claim.run, ids.whole_of(claim.step), outputs or {}, uri, now)
    core.store.write(lambda tx: cached.keep(tx, made, None if ttl is None else now + ttl))
