"""Who leads? One row for each thing that one process of all does, with a fence that grows when it changes hands."""

from __future__ import annotations

import msgspec

from penstock.store import codec
from penstock.store.port import Tx


class Leader(msgspec.Struct, frozen=True):
    """Who leads, under which fence, and until when unless that is said again (lease clock, microseconds)."""

    name: str
    holder: str
    fence: int
    until: int


def get(tx: Tx, name: str) -> Leader | None:
    """Give who leads, or led last."""
    row = tx.one("leaders.get", name=name)
    return codec.value(row, Leader) if row else None


def take(tx: Tx, name: str, holder: str, *, now: int, until: int, dead: str = "") -> int | None:
    """Take the lead and give its fence; nothing while another has it who is not the one known to be `dead`."""
    row = tx.one("leaders.take", name=name, holder=holder, now=now, until=until, dead=dead)
    return codec.number(row[0]) if row else None


def keep(tx: Tx, leader: Leader) -> bool:
    """Say that who leads still does, until its `until`; False when the lead has passed on."""
    return tx.run("leaders.keep", name=leader.name, holder=leader.holder, fence=leader.fence, until=leader.until) == 1
