"""Which attempts may be claimed, and who holds which? A row is ready or claimed, never both: two small tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from penstock.model.effect import Work
from penstock.model.policy import SECOND
from penstock.store import codec
from penstock.store.port import Row, Tx

DEFAULT_QUEUE = "default"
CURSOR_LIFE = SECOND
CURSOR_LAG = SECOND // 10
SEVERAL = 4


class Claim(msgspec.Struct, frozen=True):
    """An attempt that a worker holds; `killing` is empty, `graceful` or `force`. `lane` is what it shares its turn
    with, `place` where it stood in its queue.
    """

    run: str
    step: str
    attempt: int
    work: Work
    fence: int
    priority: int
    killing: str
    owner: str
    claimed_at: int
    worker: str
    queue: str = DEFAULT_QUEUE
    lane: str = ""
    place: int = 0


class Mark(msgspec.Struct, frozen=True):
    """Where the last row of a claim stood, and when it was claimed."""

    at: int
    priority: int
    place: int
    fence: int


class Cursor(msgspec.Struct, frozen=True):
    """From where a worker looks: before it are, for a moment, only rows that are gone.

    It stays behind what was claimed: who lines up while a claim is in flight still sees the rows of that claim and
    takes its place beside them. `whole` says that the next claim looks from the beginning.
    """

    since: int
    marks: tuple[Mark, ...]
    whole: bool = False

    def behind(self, now: int) -> Mark | None:
        """The mark to look from; nothing when all is to be looked at."""
        return None if self.whole or now - self.marks[0].at < CURSOR_LAG else self.marks[0]


Fronts = dict[tuple[str, str, int], int]


class Line(msgspec.Struct, frozen=True):
    """Where attempts line up: in which queue, and in which lane of it (a flow's, a backfill's).

    `fronts` is where this process has claimed last, by queue, owner and priority; it spares PostgreSQL the rows before.
    `gate` is the namespace of a run that begins: in maintenance, its attempts are put aside.
    """

    lane: str = ""
    queue: str = DEFAULT_QUEUE
    fronts: Fronts = {}
    gate: str = ""


Attempts = Iterable[tuple[str, int, Work]]
ALONE = Line()


def make_ready(
    tx: Tx, run_id: str, attempts: Attempts, priority: int, owner: str, now: int, line: Line = ALONE
) -> None:
    """Let attempts be claimed, by anyone or by their run's owner alone; said twice is said once."""
    where: dict[str, object] = {"queue": line.queue, "priority": priority, "owner": owner, "at": now}
    where |= {"lane": line.lane, "gate": line.gate, "front": line.fronts.get((line.queue, owner, priority), 0)}
    rows = [
        where | {"run_id": run_id, "step": step, "attempt": attempt, "work": work.value}
        for step, attempt, work in attempts
    ]
    if len(rows) < SEVERAL:
        if rows:
            tx.many("queue.make_ready", rows)
        return
    found = tx.one("queue.next_place", **{name: value for name, value in where.items() if name != "gate"})
    first = codec.number(found[0]) if found else now
    for row in rows:
        del row["front"]
    tx.many("queue.put_at", [row | {"place": first + number} for number, row in enumerate(rows)])


def claim(
    tx: Tx, worker: str, room: int, now: int, cursor: Cursor | None = None, queues: Sequence[str] = (DEFAULT_QUEUE,)
) -> list[Claim]:
    """Take up to `room` attempts for a worker: its own first, then highest priority, then in turn between lanes.

    Of several queues the first one is emptied first. Other processes' own attempts are left. With the cursor that
    `advance` gave after the claim before, PostgreSQL does not walk what was claimed since again.
    """
    claims: list[Claim] = []
    for queue in queues:
        if len(claims) < room:
            claims += _claim(tx, worker, room - len(claims), now, cursor, queue)
        cursor = None  # it is the first queue's
    if claims and tx.kind == "sqlite":
        tx.many("queue.hold", [_held(taken) for taken in claims])
    return claims


def _claim(tx: Tx, worker: str, room: int, now: int, cursor: Cursor | None, queue: str) -> list[Claim]:
    row: dict[str, object] = {"worker": worker, "room": room, "now": now, "queue": queue}
    rows: list[Row] = []
    if cursor and tx.kind == "postgres" and (mark := cursor.behind(now)):
        at = {"priority": mark.priority, "place": mark.place, "fence": mark.fence}
        rows = tx.all("queue.claim_after", **at, **row)
    if not rows:
        rows = tx.all("queue.claim", **row)
    # RETURNING promises no order. Of those at one place who has just come is first: of a full lane somebody always
    # stands there, and a claim that is done one after the other need not let the one who was quiet wait for it.
    return sorted(_claims(rows), key=lambda taken: (taken.owner == "", -taken.priority, taken.place, -taken.fence))


def advance(cursor: Cursor | None, claims: Sequence[Claim], room: int, now: int) -> Cursor | None:
    """Give the cursor for the next claim; once in CURSOR_LIFE it looks at all, and rows committed late are found."""
    if len(claims) < room or not claims or claims[-1].owner:
        return None
    last = claims[-1]
    mark = Mark(now, last.priority, last.place, last.fence)
    if cursor is None or now < cursor.marks[-1].at:
        return Cursor(now, (mark,))
    marks = cursor.marks if now - cursor.marks[-1].at < CURSOR_LAG else (cursor.marks[-1], mark)
    since = now if cursor.whole else cursor.since
    return Cursor(since, marks, whole=now - since >= CURSOR_LIFE)


def withdraw(tx: Tx, run_id: str, steps: Sequence[str]) -> list[tuple[str, int]]:
    """Delete what nobody has claimed yet; call `flag` for the same steps after it, or a claim in flight is missed."""
    if not steps:
        return []
    rows = tx.all("queue.withdraw", run_id=run_id, steps=list(steps))
    return [(str(step), codec.number(attempt)) for step, attempt in rows]


def recall(tx: Tx, run_id: str) -> list[tuple[str, int]]:
    """Take back what nobody has claimed yet of a run, the evaluation of its outputs aside."""
    return [(str(step), codec.number(attempt)) for step, attempt in tx.all("queue.recall", run_id=run_id)]


def flag(tx: Tx, run_id: str, steps: Sequence[str], force: bool) -> list[tuple[str, int, str]]:
    """Mark what is held as to be ended, and tell who holds it."""
    if not steps:
        return []
    word = "force" if force else "graceful"
    rows = tx.all("queue.flag", run_id=run_id, steps=list(steps), killing=word)
    return [(str(step), codec.number(attempt), str(worker)) for step, attempt, worker in rows]


def give_back(tx: Tx, run_id: str, step: str, attempt: int, fence: int) -> bool:
    """End a claim; False when it is not this one's any more, and what it reports is to be refused."""
    return tx.run("queue.give_back", run_id=run_id, step=step, attempt=attempt, fence=fence) == 1


def give_back_all(tx: Tx, run_id: str, fences: Sequence[int]) -> Callable[[], int]:
    """End several claims of one run by their fences, which are like no other's, with the next query; what is given
    tells how many were still held.
    """
    return tx.soon("queue.give_back_all", run_id=run_id, fences=list(fences))


def hand_back(tx: Tx, taken: Claim, now: int | None = None) -> bool:
    """Let an attempt be claimed anew whose process is proven dead; False when the claim is not this one's any more."""
    if not give_back(tx, taken.run, taken.step, taken.attempt, taken.fence):
        return False
    tx.many("queue.put_at", [_held(taken) | {"at": taken.claimed_at if now is None else now, "gate": ""}])
    return True


def holds(tx: Tx, taken: Claim) -> bool:
    """Tell whether a claim is still this one's."""
    row = {"run_id": taken.run, "step": taken.step, "attempt": taken.attempt, "fence": taken.fence}
    return tx.one("queue.holds", **row) is not None


def held(tx: Tx, worker: str) -> list[Claim]:
    """Give what a worker holds."""
    return _claims(tx.all("queue.held", worker=worker))


def flagged(tx: Tx, worker: str) -> list[Claim]:
    """Give what a worker holds and is to end."""
    return _claims(tx.all("queue.flagged", worker=worker))


def claims_of(tx: Tx, run_id: str) -> list[Claim]:
    """Give what is held of a run."""
    return _claims(tx.all("queue.claims_of", run_id=run_id))


def ready_of(tx: Tx, run_id: str) -> list[tuple[str, int, Work]]:
    """Give what may be claimed of a run."""
    rows = tx.all("queue.ready_of", run_id=run_id)
    return [(str(step), codec.number(attempt), Work(str(work))) for step, attempt, work in rows]


class Standing(msgspec.Struct, frozen=True):
    """Where a ready attempt stands."""

    id: int
    step: str
    attempt: int
    queue: str
    owner: str
    priority: int
    place: int
    at: int


def standing(tx: Tx, run_id: str) -> list[Standing]:
    """Tell where the ready attempts of a run stand."""
    return [codec.value(row, Standing) for row in tx.all("queue.standing", run_id=run_id)]


def ahead(tx: Tx, one: Standing) -> int:
    """Count who is claimed before a ready attempt, of those that the same workers may claim."""
    where: dict[str, object] = {"queue": one.queue, "owner": one.owner, "priority": one.priority}
    row = tx.one("queue.ahead", place=one.place, id=one.id, **where)
    return codec.number(row[0]) if row else 0


def lost(tx: Tx, before_beat: int, boot: str = "") -> list[Claim]:
    """Give what is held by workers that are gone or silent since `before_beat`, or of another boot than `boot`.

    Beats by a boot-time clock start anew with the machine: a store whose workers are all on one machine names its boot.
    """
    return _claims(tx.all("queue.lost", before=before_beat, boot=boot))


def unknown_owners(tx: Tx) -> list[str]:
    """Give the processes that ready attempts wait for although they are gone: one left while its run was folded."""
    return [str(owner) for (owner,) in tx.all("queue.unknown_owners")]


def adopt(tx: Tx, dead_workers: Sequence[str]) -> int:
    """Open to everybody what belonged to these processes, and tell how many ready attempts that freed."""
    owners = list(dead_workers)
    if not owners:
        return 0
    freed = tx.run("queue.adopt_ready", owners=owners)
    tx.run("queue.adopt_claimed", owners=owners)
    return freed


def depth(tx: Tx) -> tuple[int, int | None]:
    """Count the attempts that wait, and tell since when the oldest has."""
    row = tx.one("queue.depth")
    return (codec.number(row[0]), codec.maybe(row[1])) if row else (0, None)


def _claims(rows: list[Row]) -> list[Claim]:
    return [
        Claim(
            run=str(run),
            step=str(step),
            attempt=codec.number(attempt),
            work=Work(str(work)),
            fence=codec.number(fence),
            priority=codec.number(priority),
            killing=str(killing or ""),
            owner=str(owner),
            claimed_at=codec.number(claimed_at),
            worker=str(worker),
            queue=str(queue),
            lane=str(lane),
            place=codec.number(place),
        )
        for (
            run, step, attempt, work, fence, priority, killing, owner, claimed_at, worker, queue, lane, place,
        ) in rows
    ]  # fmt: skip


def _held(taken: Claim) -> dict[str, object]:
    return {
        "run_id": taken.run,
        "step": taken.step,
        "attempt": taken.attempt,
        "work": taken.work.value,
        "worker": taken.worker,
        "fence": taken.fence,
        "claimed_at": taken.claimed_at,
        "priority": taken.priority,
        "queue": taken.queue,
        "owner": taken.owner,
        "lane": taken.lane,
        "place": taken.place,
    }
