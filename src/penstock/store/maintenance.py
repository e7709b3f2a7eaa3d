"""Where does no run begin for now? A row for each namespace; what would begin stands aside in its queue meanwhile."""

from __future__ import annotations

from typing import Final

import msgspec

from penstock.store import codec
from penstock.store.port import Tx

# Before the name of a queue: no worker serves such a one, so a claim costs nothing more.
ASIDE: Final = "~"


class Held(msgspec.Struct, frozen=True):
    """A namespace in maintenance, with those below it (empty: everywhere), since when, by whom and why."""

    namespace: str
    since: int
    by: str
    reason: str


def every(tx: Tx) -> list[Held]:
    """Give the namespaces in maintenance, by name."""
    return [codec.value(row, Held) for row in tx.all("maintenance.every")]


def put(tx: Tx, held: Held) -> None:
    """Put a namespace into maintenance; who did it first stays named."""
    tx.run("maintenance.put", namespace=held.namespace, since=held.since, by_whom=held.by, reason=held.reason)


def drop(tx: Tx, namespace: str) -> bool:
    """Take a namespace out of maintenance; False when it was not in it."""
    return tx.run("maintenance.drop", namespace=namespace) == 1


def put_aside(tx: Tx) -> int:
    """Put the ready attempts aside of runs that have not begun, where maintenance holds them; tells how many."""
    return tx.run("maintenance.put_aside", aside=ASIDE)


def bring_back(tx: Tx) -> int:
    """Bring back what nothing holds any more, each to its place; tells how many attempts that were."""
    return tx.run("maintenance.bring_back", aside=ASIDE)


def aside(tx: Tx) -> bool:
    """Whether anything stands aside."""
    return tx.one("maintenance.aside", aside=ASIDE) is not None


def waiting(tx: Tx) -> list[str]:
    """Name the runs that stand aside."""
    return [str(run) for (run,) in tx.all("maintenance.waiting", aside=ASIDE)]


def holds(held: Held, namespace: str) -> bool:
    """Whether maintenance holds what is in a namespace."""
    return held.namespace in ("", namespace) or namespace.startswith(f"{held.namespace}.")
