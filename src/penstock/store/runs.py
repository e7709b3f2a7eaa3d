"""How is a run kept? One row each: what lists ask for in columns, the whole as JSON beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from penstock.model import ids
from penstock.model.access import EVERYWHERE, Scope
from penstock.model.run import Run, Step
from penstock.model.status import RunStatus
from penstock.store import codec
from penstock.store.port import Tx
from penstock.store.reach import holds, reached, within

Seen = Callable[[], tuple[Run, Step | None] | None]
NEWEST = "~"  # sorts after every run id
MOST_PLACES = 200


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs a list shows; what is left empty does not matter. `namespace` includes those below it, `here` does
    not; with `every` the runs that look or listen for triggers are among them.
    """

    namespace: str = ""
    here: str = ""
    flow: str = ""
    statuses: tuple[RunStatus, ...] = ()
    labels: dict[str, str] = {}
    parent: str = ""
    since: int | None = None
    until: int | None = None
    text: str = ""
    ids: tuple[str, ...] = ()
    every: bool = False


class Brief(msgspec.Struct, frozen=True):
    """The least that is told of a run."""

    id: str
    namespace: str
    flow: str
    status: RunStatus
    version: int


def insert(tx: Tx, run: Run, key: str = "") -> bool:
    """Keep a new run; False when its id or its idempotency key is there already."""
    return tx.run("runs.insert", **_row(run, key)) == 1


def insert_all(tx: Tx, several: Sequence[tuple[Run, str]]) -> None:
    """Keep new runs with their idempotency keys in one go; one that is there already is left out, and nobody told."""
    tx.many("runs.insert", [_row(run, key) for run, key in several])


def load(tx: Tx, run_id: str) -> Run | None:
    """Give a run as it was committed last, or nothing."""
    row = tx.one("runs.load", id=run_id)
    return codec.run(row[0]) if row else None


def with_step_behind(tx: Tx, run_id: str, step: str) -> Seen:
    """Give, once this is committed, a run and a step of it at one version; nothing where that is to be read then."""
    asked = tx.afterwards("runs.with_step", id=run_id, step=step)

    def told() -> tuple[Run, Step | None] | None:
        for run, body in asked() or ():
            return codec.run(run), None if body is None else codec.step(body)
        return None

    return told


def version(tx: Tx, run_id: str) -> int | None:
    """Give the version of a run, without waiting for whoever holds it; None when there is no such run."""
    row = tx.one("runs.version", id=run_id)
    return None if row is None else codec.number(row[0])


def by_key(tx: Tx, key: str) -> str | None:
    """Give the id of the run that this idempotency key started."""
    row = tx.one("runs.by_key", key=key)
    return str(row[0]) if row else None


def known_keys(tx: Tx, keys: Sequence[str]) -> set[str]:
    """Tell which of these idempotency keys have started runs."""
    return {str(key) for (key,) in tx.all("runs.known_keys", keys=list(keys))} if keys else set()


def how_many(tx: Tx, run_ids: Sequence[str]) -> int:
    """Count which of these runs are there."""
    row = tx.one("runs.how_many", ids=list(run_ids))
    return codec.number(row[0]) if row else 0


def lock(tx: Tx, run_id: str) -> int | None:
    """Lock a run until the transaction ends and give its version; nothing when another has it or it is not there."""
    row = tx.one("runs.lock", id=run_id)
    return codec.number(row[0]) if row else None


def save(tx: Tx, run: Run, expected_version: int) -> bool:
    """Write a run under the version after `expected_version`; False when that is not the one stored."""
    fresh = run if run.version == expected_version + 1 else msgspec.structs.replace(run, version=expected_version + 1)
    return tx.run("runs.save", expected=expected_version, **_columns(fresh)) == 1


def write(tx: Tx, run: Run, locked_version: int) -> None:
    """Write a run that this transaction has locked, under the version after the one it found."""
    fresh = run if run.version == locked_version + 1 else msgspec.structs.replace(run, version=locked_version + 1)
    tx.many("runs.save", [{"expected": locked_version, **_columns(fresh)}])


def load_all(tx: Tx, run_ids: Sequence[str]) -> list[Run]:
    """Give these runs as they were committed last."""
    return [codec.run(body) for (body,) in tx.all("runs.load_all", ids=list(run_ids))]


def list_runs(tx: Tx, wanted: Filter, limit: int = 50, before_id: str = "") -> list[Run]:
    """Give the newest runs that fit, older than `before_id` when given."""
    return page(tx, EVERYWHERE, wanted, limit, before_id)


def briefs(tx: Tx, run_ids: Sequence[str]) -> list[Brief]:
    """Give the least that is told of these runs."""
    return [codec.value(row, Brief) for row in tx.all("runs.briefs", ids=list(run_ids))]


def page(
    tx: Tx, scope: Scope, wanted: Filter, limit: int = 50, cursor: str = "", *, oldest_first: bool = False
) -> list[Run]:
    """Give the runs in a scope that fit, newest first or oldest first, that come behind the one named as `cursor`."""
    head = "oldest" if oldest_first else "list"
    before = cursor or ("" if oldest_first else NEWEST)
    if wanted.until is not None and wanted.until > 0 and not oldest_first:
        # an id tells when its run, or the first of those above it, was created: never later than that
        before = min(before, ids.run_id(wanted.until // 1000 + 1, bytes(10)))
    query, params = _asked(head, scope, wanted)
    if wanted.namespace or wanted.here or wanted.flow or not scope.everywhere:
        # a few namespaces among many would be looked for among all runs: each one's own are found at once
        every = [str(name) for (name,) in tx.all("runs.places")]
        places = [each for each in every if _meant(each, scope, wanted)]
        if not places:
            return []
        if len(places) <= MOST_PLACES:
            query, params = _asked(f"{head}_among", EVERYWHERE, msgspec.structs.replace(wanted, namespace=""))
            params["places"] = codec.text(places)
    return [codec.run(body) for (body,) in tx.all(query, before=before, limit=limit, **params)]


def count(tx: Tx, wanted: Filter, scope: Scope = EVERYWHERE) -> int:
    """Count the runs that fit."""
    query, params = _asked("number", scope, wanted)
    row = tx.one(query, **params)
    return codec.number(row[0]) if row else 0


def tally(tx: Tx, scope: Scope, wanted: Filter) -> dict[RunStatus, int]:
    """Count the runs in a scope that fit, by status; a status that none has is left out."""
    query, params = _asked("tally", scope, wanted)
    return {RunStatus(str(status)): codec.number(count) for status, count in tx.all(query, **params)}


def children(tx: Tx, run_id: str) -> list[Run]:
    """Give the runs that steps of this run started, oldest first."""
    return [codec.run(body) for (body,) in tx.all("runs.children", parent=run_id)]


def owned(tx: Tx, owners: list[str]) -> list[str]:
    """Give the runs not ended that belong to one of these processes."""
    return [str(run_id) for (run_id,) in tx.all("runs.owned", owners=owners)]


def counts(tx: Tx) -> dict[RunStatus, int]:
    """Count the runs in each status; a status that no run has is left out."""
    return {RunStatus(str(status)): codec.number(count) for status, count in tx.all("runs.counts")}


def _meant(namespace: str, scope: Scope, wanted: Filter) -> bool:
    below = not wanted.namespace or within(namespace, wanted.namespace)
    return holds(scope, namespace) and below and wanted.here in ("", namespace)


def _asked(query: str, scope: Scope, wanted: Filter) -> tuple[str, dict[str, object]]:
    """A query with the clauses that a scope and a filter need, and their values."""
    given: dict[str, object] = {
        "namespace": wanted.namespace,
        "here": wanted.here,
        "flow": wanted.flow,
        "statuses": [str(status) for status in wanted.statuses],
        "labels": codec.text(wanted.labels) if wanted.labels else "",
        "parent": wanted.parent,
        "since": wanted.since,
        "until": wanted.until,
        "text": f"%{codec.like(wanted.text.lower())}%" if wanted.text else "",
        "ids": list(wanted.ids),
        "seen": "" if wanted.every else "only",
    }
    params = {name: value for name, value in given.items() if value or value == 0} | reached(scope)
    named = "+".join((f"runs.{query}", *params))
    if wanted.namespace:
        params["below"] = f"{codec.like(wanted.namespace)}.%"
    return named, params


def _row(run: Run, key: str) -> dict[str, object]:
    """The columns of a new run."""
    return _columns(run) | {
        "namespace": run.namespace,
        "flow": run.flow,
        "revision": run.revision,
        "parent": run.parent.run if run.parent else None,
        "created_at": run.created_at,
        "idempotency_key": key or None,
    }


def _columns(run: Run) -> dict[str, object]:
    return {
        "id": run.id,
        "version": run.version,
        "status": run.status.value,
        "priority": run.priority,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "owner": run.owner,
        "labels": codec.text(run.labels),
        "body": codec.text(run),
    }
