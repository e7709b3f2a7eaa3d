"""Which branches are sources of flows and files? What was seen of each, what stands here, what it has brought."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from penstock.store import codec
from penstock.store.port import Row, Tx


class HeldKind(enum.StrEnum):
    """What a branch brings."""

    FLOW = "flow"
    FILE = "file"


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a branch: the commit that was looked at and the one that stands here, instants in microseconds,
    and what is wrong with the former, as JSON (empty: nothing). `version` grows with each look.
    """

    name: str
    version: int = 0
    looked_commit: str = ""
    looked_at: int = 0
    applied_commit: str = ""
    applied_at: int = 0
    problems: str = ""
    wanted_at: int = 0


class Held(msgspec.Struct, frozen=True, order=True):
    """A flow by its namespace and id, or a file by its namespace and path."""

    kind: HeldKind
    namespace: str
    name: str


def get(tx: Tx, name: str) -> State:
    """Give what is known of a branch."""
    row = tx.one("git.get", name=name)
    return _state(row) if row else State(name=name)


def every(tx: Tx) -> dict[str, State]:
    """Give what is known of all branches, by name."""
    return {each.name: each for each in map(_state, tx.all("git.every"))}


def want(tx: Tx, name: str, now: int) -> None:
    """Somebody wants a branch looked at."""
    tx.run("git.begin", name=name, wanted_at=now)
    tx.run("git.want", name=name, wanted_at=now)


def put(tx: Tx, state: State) -> bool:
    """Keep what came of a look at the version that it began with; False when somebody else has looked meanwhile."""
    tx.run("git.begin", name=state.name, wanted_at=state.wanted_at)
    given = msgspec.structs.asdict(state)
    del given["wanted_at"]
    return tx.run("git.put", **given) == 1


def held(tx: Tx, source: str) -> list[Held]:
    """Give what a branch has brought."""
    rows = tx.all("git.held", source=source)
    return [Held(HeldKind(str(kind)), str(namespace), str(name)) for kind, namespace, name in rows]


def hold(tx: Tx, source: str, things: Iterable[Held]) -> None:
    """Keep in mind what a branch has brought."""
    tx.many("git.hold", [_named(source, each) for each in things])


def take(tx: Tx, source: str, things: Iterable[Held]) -> None:
    """Let a branch alone hold what it brings: whoever brings something last may take it away."""
    tx.many("git.take", [_named(source, each) for each in things])


def release(tx: Tx, source: str, things: Iterable[Held]) -> None:
    """Forget what it does not bring any more."""
    tx.many("git.release", [_named(source, each) for each in things])


def _named(source: str, each: Held) -> dict[str, object]:
    return {"source": source, "kind": str(each.kind), "namespace": each.namespace, "name": each.name}


def _state(row: Row) -> State:
    name, version, looked_commit, looked_at, applied_commit, applied_at, problems, wanted_at = row
    return State(
        name=str(name),
        version=codec.number(version),
        looked_commit=str(looked_commit),
        looked_at=codec.number(looked_at),
        applied_commit=str(applied_commit),
        applied_at=codec.number(applied_at),
        problems=str(problems),
        wanted_at=codec.number(wanted_at),
    )
