"""Which alerts are kept, and which stand open? A rule each; of what it found, a row from beginning to end."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from penstock.store import codec
from penstock.store.port import Tx

AT_ONCE = 1_000


class Watches(enum.StrEnum):
    """What an alert watches: flows whose newest run failed, runs that take too long, triggers that are behind."""

    FAILED = "failed"
    LATE = "late"
    BEHIND = "behind"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: what it watches in a namespace and below it (empty: everywhere), for how many microseconds it waits with
    the word, and the flow that a run of tells.
    """

    id: str
    namespace: str
    watches: Watches
    patience: int
    tells_namespace: str
    tells: str
    made_at: int
    made_by: str


class Open(msgspec.Struct, frozen=True):
    """Something that an alert found and told, and that is not over yet."""

    alert: str
    object: str
    since: int


class End(msgspec.Struct, frozen=True):
    """A run that ended."""

    id: str
    namespace: str
    flow: str
    status: str
    at: int


class Found(msgspec.Struct, frozen=True):
    """What an alert may be about: a run or a trigger, by its name, in its namespace."""

    object: str
    namespace: str
    flow: str


def put(tx: Tx, alert: Alert) -> None:
    """Keep a rule, new or changed."""
    tx.run("alerts.put", **(msgspec.structs.asdict(alert) | {"watches": str(alert.watches)}))


def drop(tx: Tx, alert_id: str) -> bool:
    """Forget a rule, and what it told of; False when there was none."""
    tx.run("alerts.close_all", alert=alert_id)
    return tx.run("alerts.drop", id=alert_id) == 1


def every(tx: Tx) -> list[Alert]:
    """Give the rules by id."""
    return [codec.value((*row[:2], Watches(str(row[2])), *row[3:]), Alert) for row in tx.all("alerts.every")]


def standing(tx: Tx) -> list[Open]:
    """Give what was told of and is not over."""
    return [codec.value(row, Open) for row in tx.all("alerts.standing")]


def begin(tx: Tx, opened: Iterable[Open]) -> None:
    """Keep what was told of."""
    for each in opened:
        tx.run("alerts.begin", alert=each.alert, object=each.object, since=each.since)


def close(tx: Tx, closed: Iterable[Open]) -> None:
    """Forget what is over."""
    for each in closed:
        tx.run("alerts.close", alert=each.alert, object=each.object)


def ends(tx: Tx, since: int) -> list[End]:
    """Give runs that ended from an instant on, in the order of their ends."""
    return [codec.value(row, End) for row in tx.all("alerts.ends", since=since, limit=AT_ONCE)]


def late(tx: Tx, before: int) -> list[Found]:
    """Give runs that began before an instant and have not ended."""
    return [codec.value(row, Found) for row in tx.all("alerts.late", before=before, limit=AT_ONCE)]


def behind(tx: Tx, before: int) -> list[Found]:
    """Give triggers whose time came before an instant."""
    return [codec.value(row, Found) for row in tx.all("alerts.behind", before=before, limit=AT_ONCE)]
