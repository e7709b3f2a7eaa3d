"""Who waits for a limit, and who is in? Slots used are counted from rows each time, never kept in a counter.

A waiter is an attempt (or a run: the empty step, attempt 0) with a row for each limit that it wants.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from penstock.model.effect import Want
from penstock.model.policy import Limit, WhenFull
from penstock.store import codec
from penstock.store.port import Row, Tx

ALL = 1 << 31


class Waiter(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: an attempt of a run, or the run itself; what it shares its turn with, and since when it asks."""

    run: str
    step: str = ""
    attempt: int = 0
    priority: int = 0
    lane: str = ""
    since: int


class Waiting(msgspec.Struct, frozen=True):
    """One thing that a waiter wants."""

    name: str
    run: str
    step: str
    attempt: int
    limit: Limit
    priority: int
    lane: str
    place: int
    since: int


class InUse(msgspec.Struct, frozen=True):
    """Slots that somebody has: which limit's, how many, since when; `at` is 0 where an older store did not know."""

    name: str
    run: str
    step: str
    attempt: int
    weight: int
    lane: str
    at: int


def block(tx: Tx, waiter: Waiter, wants: Iterable[Want]) -> None:
    """Let a run or an attempt wait for limits; locks nothing but its own rows."""
    rows: list[dict[str, object]] = [
        {
            "limit_name": want.name,
            "run_id": waiter.run,
            "step": waiter.step,
            "attempt": waiter.attempt,
            "count": want.limit.count or None,
            "span": want.limit.window,
            "weight": want.limit.weight,
            "when_full": want.limit.when_full.value,
            "priority": waiter.priority,
            "lane": waiter.lane,
            "since": waiter.since,
        }
        for want in wants
    ]
    if rows:
        tx.many("limits.block", rows)


def lock_limits(tx: Tx, names: Iterable[str]) -> None:
    """Lock limits, in the order of their names, until the transaction ends; who does this locks no run in it."""
    wanted = sorted(set(names))
    # One that is tidied away between the two statements is made anew.
    while True:
        tx.many("limits.ensure", [{"name": name} for name in wanted])
        if len(tx.all("limits.lock", names=wanted)) == len(wanted):
            return


def used(tx: Tx, name: str) -> dict[str, int]:
    """Count the slots that a limit has given away, by lane."""
    return {str(lane): int(str(weight)) for lane, weight in tx.all("limits.used", name=name)}


def live(tx: Tx, name: str) -> int:
    """Count the slots that a limit has given away."""
    return sum(used(tx, name).values())


def started(tx: Tx, name: str, window: int, now: int) -> list[tuple[int, int]]:
    """Give what a rate has let start in the window that ends now: instants of the lease clock and weights."""
    rows = tx.all("limits.started", name=name, after=now - window, until=now + window)
    return [(codec.number(at), codec.number(weight)) for at, weight in rows]


def waiting(tx: Tx, name: str, limit: int = 100, full: Sequence[str] = ()) -> list[Waiting]:
    """Give who waits for a limit, in turn: priority first, then round the lanes, then age.

    Left out is who also wants one of the limits that are `full`.
    """
    return _waiting(tx.all("limits.waiting", name=name, limit=limit, full=list(full)))


def impatient(tx: Tx, name: str) -> list[Waiting]:
    """Give who has asked for a limit and does not want to wait for it."""
    return _waiting(tx.all("limits.impatient", name=name))


def wants_of(tx: Tx, run_id: str, step: str = "", attempt: int = 0) -> list[Waiting]:
    """Give all that a waiter wants."""
    return _waiting(tx.all("limits.wants_of", run_id=run_id, step=step, attempt=attempt))


def waits_of(tx: Tx, run_id: str) -> list[Waiting]:
    """Give all that a run and its attempts wait for."""
    return _waiting(tx.all("limits.waits_of", run_id=run_id))


def ahead(tx: Tx, one: Waiting) -> int:
    """Count who stands before a waiter at a limit."""
    where: dict[str, object] = {"name": one.name, "priority": one.priority, "place": one.place, "since": one.since}
    row = tx.one("limits.ahead", run_id=one.run, step=one.step, **where)
    return codec.number(row[0]) if row else 0


def admit(tx: Tx, one: Waiting, wants: Sequence[Waiting], now: int, lease_now: int) -> bool:
    """Let a waiter in: it waits no longer, uses slots until released, and counts as started; False when it is gone."""
    if not unblock(tx, one.run, one.step, one.attempt):
        return False
    who: dict[str, object] = {"run_id": one.run, "step": one.step, "attempt": one.attempt}
    slots = [
        who | {"name": want.name, "weight": want.limit.weight, "lane": want.lane, "at": now}
        for want in wants
        if want.limit.window is None
    ]
    starts = [
        who | {"name": want.name, "weight": want.limit.weight, "at": lease_now, "until": lease_now + want.limit.window}
        for want in wants
        if want.limit.window is not None
    ]
    if slots:
        tx.many("limits.admit", slots)
    if starts:
        tx.many("limits.start", starts)
    return True


def unblock(tx: Tx, run_id: str, step: str = "", attempt: int = 0) -> bool:
    """Let a waiter wait no longer without letting it in (killed, refused); False when it did not wait."""
    return tx.run("limits.unblock", run_id=run_id, step=step, attempt=attempt) > 0


def withdraw(tx: Tx, run_id: str, steps: Sequence[str]) -> list[tuple[str, int]]:
    """Let attempts of these steps wait no longer, and tell which did."""
    rows = tx.all("limits.withdraw", run_id=run_id, steps=list(steps)) if steps else []
    return sorted({(str(step), codec.number(attempt)) for step, attempt in rows})


def release(tx: Tx, run_id: str, step: str = "", attempt: int = 0) -> list[str]:
    """Free what an attempt (or a run itself) uses, and name the limits that have room now."""
    return [str(name) for (name,) in tx.all("limits.release", run_id=run_id, step=step, attempt=attempt)]


def in_use(tx: Tx, name: str, limit: int = 100) -> list[InUse]:
    """Give who is in, the longest first."""
    return [codec.value(row, InUse) for row in tx.all("limits.in_use", name=name, limit=limit)]


def left_behind(tx: Tx, before: int) -> list[InUse]:
    """Give slots, taken before an instant, of attempts and runs that are over."""
    return [codec.value(row, InUse) for row in tx.all("limits.left_behind", before=before)]


def waiting_names(tx: Tx, limit: int = ALL, after: str = "") -> list[str]:
    """Name the limits that somebody waits for, in order, from `after` on."""
    return [str(name) for (name,) in tx.all("limits.waiting_names", limit=limit, after=after)]


def free_at(tx: Tx, name: str, at: int | None) -> None:
    """Remember when a rate's window has room again (lease clock), or that nobody waits for that."""
    tx.many("limits.free_at", [{"name": name, "at": at}])


def next_free(tx: Tx) -> int | None:
    """Tell when the next rate that somebody waits for has room (lease clock)."""
    row = tx.one("limits.next_free")
    return codec.maybe(row[0]) if row else None


def free_by(tx: Tx, now: int) -> list[str]:
    """Name the rates whose window has room by now (lease clock)."""
    return [str(name) for (name,) in tx.all("limits.free_by", now=now)]


def tidy(tx: Tx, lease_now: int) -> None:
    """Forget starts whose window is over, and limits that nobody wants or uses."""
    tx.many("limits.forget_starts", [{"now": lease_now}])
    tx.run("limits.forget_idle")


def _waiting(rows: list[Row]) -> list[Waiting]:
    return [
        Waiting(
            str(name), str(run), str(step), codec.number(attempt),
            Limit(
                codec.maybe(count) or 0, WhenFull(str(when_full)), weight=codec.number(weight), window=codec.maybe(span)
            ),
            codec.number(priority), str(lane), codec.number(place), codec.number(since),
        )
        for name, run, step, attempt, count, span, weight, when_full, priority, lane, place, since in rows
    ]  # fmt: skip
