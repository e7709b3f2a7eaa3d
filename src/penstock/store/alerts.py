"""Which alerts are kept, and which stand open? A rule each; of what it found, a row from beginning to end."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from penstock.store import codec
from penstock.store.port import Tx

AT_ONCE = 1_000


class Watches(enum.StrEnum):
    """What an alert watches: flows whose newest run failed, or missed a service level, runs that take too long,
    triggers that are behind, or have missed a date for good, workers that were found gone.
    """

    FAILED = "failed"
    BREACHED = "breached"
    LATE = "late"
    BEHIND = "behind"
    MISSED = "missed"
    LOST = "lost"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: what it watches in a namespace and below it (empty: everywhere), for how many microseconds it waits with
    the word, and who tells: a run of a flow, a call of the address `url` that the leading server makes, or both.
    """

    id: str
    namespace: str
    watches: Watches
    patience: int
    tells_namespace: str
    tells: str
    made_at: int
    made_by: str
    url: str = ""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call that an alert wants made: what is said, since when, how often that was tried and when it is next."""

    id: str
    alert: str
    body: str
    made_at: int
    tries: int = 0
    next_at: int = 0


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
    tx.run("alerts.drop_old", id=alert.id)
    tx.run("alerts.put", **(msgspec.structs.asdict(alert) | {"watches": str(alert.watches)}))


def drop(tx: Tx, alert_id: str) -> bool:
    """Forget a rule, what it told of, and calls that are not made yet; False when there was none."""
    tx.run("alerts.close_all", alert=alert_id)
    tx.run("alerts.drop_calls", alert=alert_id)
    return tx.run("alerts.drop_old", id=alert_id) + tx.run("alerts.drop", id=alert_id) > 0


def every(tx: Tx) -> list[Alert]:
    """Give the rules by id."""
    return [codec.value((*row[:2], Watches(str(row[2])), *row[3:]), Alert) for row in tx.all("alerts.every")]


def call(tx: Tx, wanted: Iterable[Call]) -> None:
    """Want calls made; each once, whoever says it again."""
    for each in wanted:
        tx.run("alerts.call", **msgspec.structs.asdict(each))


def due_calls(tx: Tx, now: int, limit: int) -> list[Call]:
    """Give calls that are to be made now, those first that wait longest."""
    return [codec.value(row, Call) for row in tx.all("alerts.due_calls", now=now, limit=limit)]


def waiting_calls(tx: Tx) -> int:
    """Count the calls that are still to be made."""
    row = tx.one("alerts.waiting_calls")
    return codec.number(row[0]) if row else 0


def called(tx: Tx, call_id: str) -> None:
    """Forget a call: it was taken, or is given up."""
    tx.run("alerts.called", id=call_id)


def put_off(tx: Tx, call_id: str, tries: int, next_at: int) -> None:
    """Have a call tried again at an instant."""
    tx.run("alerts.put_off", id=call_id, tries=tries, next_at=next_at)


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
