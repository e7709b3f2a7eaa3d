"""Who waits for a limit, and who is in? Slots used are counted from rows each time, never kept in a counter."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from penstock.model.policy import Limit, WhenFull
from penstock.store import codec
from penstock.store.port import Tx


class Waiting(msgspec.Struct, frozen=True):
    """A run that waits for a limit."""

    run: str
    name: str
    limit: Limit
    priority: int
    since: int


def block(tx: Tx, run_id: str, name: str, limit: Limit, priority: int, now: int) -> None:
    """Let a run wait for a limit; locks nothing but its own row."""
    row: dict[str, object] = {"run_id": run_id, "name": name, "since": now, "priority": priority}
    row |= {"count": limit.count, "when_full": limit.when_full.value}
    tx.many("limits.block", [row])


def lock_limits(tx: Tx, names: Sequence[str]) -> None:
    """Lock limits, in the order of their names, until the transaction ends; who does this locks no run in it."""
    wanted = sorted(set(names))
    tx.many("limits.ensure", [{"name": name} for name in wanted])
    tx.all("limits.lock", names=wanted)


def live(tx: Tx, name: str) -> int:
    """Count the runs that a limit has let in."""
    row = tx.one("limits.live", name=name)
    return codec.number(row[0]) if row else 0


def waiting(tx: Tx, name: str, limit: int = 100) -> list[Waiting]:
    """Give who waits for a limit: priority first, then age."""
    return [
        Waiting(
            str(run),
            str(limit_name),
            Limit(codec.number(count), WhenFull(str(when_full))),
            codec.number(priority),
            codec.number(since),
        )
        for run, limit_name, count, when_full, priority, since in tx.all("limits.waiting", name=name, limit=limit)
    ]


def admit(tx: Tx, name: str, run_id: str) -> None:
    """Let a run in: it waits no longer and uses a slot until released."""
    tx.many("limits.unblock", [{"run_id": run_id}])
    tx.many("limits.admit", [{"name": name, "run_id": run_id}])


def unblock(tx: Tx, run_id: str) -> bool:
    """Let a run wait no longer without letting it in (killed, refused); False when it did not wait."""
    return tx.run("limits.unblock", run_id=run_id) == 1


def release(tx: Tx, run_id: str) -> list[str]:
    """Free what a run uses, and name the limits that have room now."""
    return [str(name) for (name,) in tx.all("limits.release", run_id=run_id)]


def waiting_names(tx: Tx) -> list[str]:
    """Name the limits that somebody waits for."""
    return [str(name) for (name,) in tx.all("limits.waiting_names")]
