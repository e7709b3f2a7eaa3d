"""What does each trigger know? One row: when it is looked at next, what it fired for last, and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from penstock.model.access import Scope
from penstock.store import codec
from penstock.store.port import Row, Tx
from penstock.store.reach import reached


class Known(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a trigger remembers: since when it counts, its last run, and why it last could not fire.

    `met` tells by name which runs it has seen of those that it waits for, and when they came;
    `going` are its runs that have not ended, where several may go on.

    Where a worker looks or listens for it: `looker` is the revision of the hidden flow that does, `look` the run that
    does or did so last, since `looked_at`; `misses` counts those in a row that failed, `saved` is what they keep for
    the next, by type.
    """

    since: int | None = None
    run: str = ""
    problem: str = ""
    problem_at: int | None = None
    met: dict[str, tuple[str, int]] = {}
    going: tuple[str, ...] = ()
    looker: int = 0
    look: str = ""
    looked_at: int | None = None
    misses: int = 0
    saved: dict[str, dict[str, object]] = {}


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A trigger of a flow's newest revision; instants in microseconds.

    It is looked at at `next_at` (None: not by time), fired for `last_at` last, does not fire while the run `holds`
    goes, and was switched off by `off_by`, where that is not empty.
    """

    key: str
    namespace: str
    flow: str
    id: str
    revision: int
    kind: str
    digest: str
    next_at: int | None
    last_at: int | None = None
    holds: str = ""
    off_by: str = ""
    version: int = 1
    known: Known = Known()


KNOWN: Final = msgspec.json.Decoder(Known)


def key_of(namespace: str, flow: str, trigger: str) -> str:
    """The key of a trigger's row."""
    return f"{namespace}.{flow}/{trigger}"


def put(tx: Tx, states: Sequence[State]) -> None:
    """Keep triggers as they are given."""
    if states:
        tx.many("triggers.put", [_columns(state) for state in states])


def get(tx: Tx, key: str) -> State | None:
    """Give one trigger."""
    row = tx.one("triggers.get", key=key)
    return _state(row) if row else None


def of_flow(tx: Tx, namespace: str, flow: str) -> list[State]:
    """Give the triggers of a flow."""
    return [_state(row) for row in tx.all("triggers.of_flow", namespace=namespace, flow=flow)]


def list_states(
    tx: Tx, scope: Scope, limit: int = 100, after: str = "", *, namespace: str = "", flow: str = ""
) -> list[State]:
    """Give triggers in a scope, of a namespace and those below it (of all, when empty), of flows with an id, by key."""
    asked: dict[str, object] = {"namespace": namespace, "flow": flow}
    params = {name: value for name, value in asked.items() if value} | reached(scope)
    query = "+".join(("triggers.list", *params))
    if namespace:
        params["below"] = f"{codec.like(namespace)}.%"
    return [_state(row) for row in tx.all(query, after=after, limit=limit, **params)]


def drop(tx: Tx, keys: Sequence[str]) -> None:
    """Forget triggers."""
    if keys:
        tx.run("triggers.drop", keys=list(keys))


def due(tx: Tx, now: int, limit: int) -> list[State]:
    """Give the schedules to be looked at by now, those that wait for a run left out."""
    return [_state(row) for row in tx.all("triggers.due", now=now, limit=limit)]


def looking(tx: Tx, now: int, limit: int) -> list[State]:
    """Give the triggers for which a worker is to look, or has looked; not while its look, or their run, goes on."""
    return [_state(row) for row in tx.all("triggers.looking", now=now, limit=limit)]


def awaited(tx: Tx, now: int) -> bool:
    """Whether any trigger waits for the end of a look, or of a run, to look again."""
    return tx.one("triggers.awaited", now=now) is not None


def of_kind(tx: Tx, kind: str) -> list[State]:
    """Give the triggers of a kind that are switched on; not for those that fire by time."""
    return [_state(row) for row in tx.all("triggers.of_kind", kind=kind)]


def next_at(tx: Tx, now: int) -> int | None:
    """Tell the next instant after now at which a schedule is to be looked at."""
    row = tx.one("triggers.next", now=now)
    return codec.maybe(row[0]) if row else None


def locked(tx: Tx, keys: Sequence[str]) -> dict[str, int]:
    """Lock triggers until the transaction ends, and give their versions by key."""
    return {str(key): codec.number(version) for key, version in tx.all("triggers.locked", keys=list(keys))}


def unknown_flows(tx: Tx) -> list[tuple[str, str, int]]:
    """Give the flows (namespace, id, revision) with triggers of which no row is kept."""
    rows = tx.all("triggers.unknown_flows")
    return [(str(namespace), str(flow), codec.number(revision)) for namespace, flow, revision in rows]


def _state(row: Row) -> State:
    key, namespace, flow, trigger, revision, kind, digest, next_, last, holds, off_by, version, body = row
    return State(
        key=str(key),
        namespace=str(namespace),
        flow=str(flow),
        id=str(trigger),
        revision=codec.number(revision),
        kind=str(kind),
        digest=str(digest),
        next_at=codec.maybe(next_),
        last_at=codec.maybe(last),
        holds=str(holds),
        off_by=str(off_by),
        version=codec.number(version),
        known=KNOWN.decode(str(body)),
    )


def _columns(state: State) -> dict[str, object]:
    columns = {name: getattr(state, name) for name in state.__struct_fields__ if name != "known"}
    return columns | {"body": codec.text(state.known)}
