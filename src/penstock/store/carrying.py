"""How does all that a store keeps get into another one, of whichever kind, so that it is in exactly one at any moment?

Both are shut by a mark first. Rows go over table by table, in batches that are committed with how far they have come,
so that what died goes on where it was. Then both are read again and compared, the new one is opened, and the old one
stays shut, with where its rows have gone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from penstock.errors.store import StoreMoved, StoreNotEmpty, Unlike
from penstock.store import codec
from penstock.store.feed import Position
from penstock.store.migrations.marks import FILLING, MOVED, MOVING, Mark, refusal
from penstock.store.port import Row

BATCH: Final = 500
CLOCKS: Final = "what the clocks of leases showed"
DONE: Final = "which move has ended"
# What is counted by the clock of leases, which is another one there. Nobody works any more, or this could not be done.
OVER: Final = {"workers": "beat_at", "leaders": "until"}
MODULUS: Final = 1 << 128


class Table(msgspec.Struct, frozen=True):
    """A table: its columns, and those of them that tell its rows apart, in the order of an index."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


class Clocks(msgspec.Struct, frozen=True):
    """What both clocks of leases showed at one moment."""

    here: int
    there: int

    def moved(self, at: object) -> object:
        """An instant on the other clock; one that has not come yet is of another boot, and as good as now."""
        return None if at is None else min(codec.number(at), self.here) - self.here + self.there


class Side(Protocol):
    """A store that nobody else works with, as bare tables."""

    @property
    def where(self) -> str:
        """The store as people know it."""

    def mark(self) -> Mark | None:
        """What keeps it shut."""

    def set_mark(self, mark: Mark | None) -> None:
        """Shut it, or open it."""

    def tables(self) -> list[Table]:
        """All its tables but that of migrations, by name."""

    def batch(self, table: Table, after: Row | None, limit: int) -> list[Row]:
        """The rows behind a key, in its order."""

    def put(self, table: Table, rows: Sequence[Row], reached: str) -> None:
        """Add rows, and remember how far that is, together."""

    def progress(self) -> dict[str, str]:
        """How far each table has come, and what else was noted."""

    def note(self, name: str, text: str) -> None:
        """Remember something beside how far the tables have come."""

    def counters(self) -> dict[str, int]:
        """The newest number that was given out, by table."""

    def set_counters(self, counters: dict[str, int]) -> set[str]:
        """Give out higher numbers only, and name the tables for which that is kept; elsewhere the newest row tells."""

    def finish(self, move: str) -> None:
        """Open it, and remember which move has ended, in one."""

    def empty(self) -> None:
        """Remove every row, and how far they had come."""

    def forget(self) -> None:
        """Remove what was remembered of a move."""

    def lease_now(self) -> int:
        """Microseconds on its clock of leases."""


class Carried(msgspec.Struct, frozen=True):
    """What was carried: rows by table, and the sum of their digests, which both sides agree about."""

    rows: dict[str, int]
    digest: str


Told = Callable[[str, int], None]


def carry(source: Side, target: Side, told: Told = lambda _table, _rows: None) -> Carried:
    """Carry everything, or go on with what was begun; `told` hears of each table, and again when it is compared.

    Raises StoreMoved, StoreNotEmpty, Unlike. Whatever happens, one of the two can be opened, or both are shut and a
    further call ends it.
    """
    move = _begin(source, target)
    if target.progress().get(DONE) != move:
        _copy(source, target, told)
        counted = target.set_counters(source.counters())
        carried = _compare(source, target, told, counted)
        target.finish(move)
    else:
        carried = Carried({}, "")
    source.set_mark(Mark(MOVED, move, target.where))
    target.forget()
    return carried


def undo(source: Side) -> Mark:
    """Open a store again that has moved or was about to, as it was; gives what kept it shut. Raises StoreMoved."""
    mark = source.mark()
    if mark is None or mark.name not in (MOVING, MOVED):
        raise StoreMoved(f"Nothing has moved from {source.where}.")
    source.set_mark(None)
    return mark


def _begin(source: Side, target: Side) -> str:
    """Shut both, unless something forbids it; the name of the move."""
    begun, filled = source.mark(), target.mark()
    if begun is not None and (begun.name != MOVING or begun.other != target.where):
        raise refusal(begun.name, begun.text, source.where)
    move = begun.move if begun is not None else os.urandom(8).hex()
    if filled is None and target.progress().get(DONE) == move:
        return move
    if filled is not None and filled.name != FILLING:
        raise refusal(filled.name, filled.text, target.where)
    if filled is None and (full := _first_full(target)):
        raise StoreNotEmpty(f'There are rows in "{full}" of {target.where}.')
    source.set_mark(Mark(MOVING, move, target.where))
    if filled is None or filled.move != move:
        target.set_mark(Mark(FILLING, move, source.where))
        target.empty()
    return move


def _first_full(side: Side) -> str:
    return next((table.name for table in side.tables() if side.batch(table, None, 1)), "")


def _copy(source: Side, target: Side, told: Told) -> None:
    tables = source.tables()
    if [(one.name, sorted(one.columns)) for one in tables] != [
        (one.name, sorted(one.columns)) for one in target.tables()
    ]:
        raise Unlike(f"Other tables are in {target.where} than in {source.where}.")
    reached = target.progress()
    if CLOCKS not in reached:
        target.note(CLOCKS, codec.text(Clocks(source.lease_now(), target.lease_now())))
        reached = target.progress()
    clocks = msgspec.json.decode(reached[CLOCKS], type=Clocks)
    for table in tables:
        after = _key(reached[table.name]) if table.name in reached else None
        count = 0
        while rows := source.batch(table, after, BATCH):
            after = key_of(table, rows[-1])
            target.put(table, [moved(table, row, clocks) for row in rows], codec.text(after))
            count += len(rows)
            told(table.name, count)


def _compare(source: Side, target: Side, told: Told, counted: set[str]) -> Carried:
    """Read both again, each in its own order: every table has the same rows. Raises Unlike."""
    clocks = msgspec.json.decode(target.progress()[CLOCKS], type=Clocks)
    counts, whole = {}, 0
    theirs = {table.name: table for table in target.tables()}
    for table in source.tables():
        sent, sent_digest = digest(moved(table, row, clocks) for row in every(source, table))
        # In the order of the source's columns, whatever the target's is.
        there = msgspec.structs.replace(theirs[table.name], columns=table.columns)
        arrived, arrived_digest = digest(every(target, there))
        if (sent, sent_digest) != (arrived, arrived_digest):
            raise Unlike(
                f'The table "{table.name}" has {sent} rows in {source.where}, and {arrived}'
                f"{' others' if sent == arrived else ''} in {target.where}."
            )
        counts[table.name] = sent
        whole = (whole + sent_digest) % MODULUS
        told(table.name, -sent)
    given, kept = source.counters(), target.counters()
    if low := sorted(name for name in counted if kept[name] < given[name]):
        raise Unlike(f"Numbers would be given out a second time in {target.where}: {', '.join(low)}.")
    return Carried(counts, f"{whole:032x}")


def every(side: Side, table: Table) -> Iterator[Row]:
    """Give all rows of a table."""
    after: Row | None = None
    while rows := side.batch(table, after, BATCH):
        yield from rows
        after = key_of(table, rows[-1])


def digest(rows: Iterator[Row]) -> tuple[int, int]:
    """Count rows, and add up a digest of each: the same for the same rows in any order."""
    count, total = 0, 0
    encode = msgspec.msgpack.Encoder().encode
    for row in rows:
        count += 1
        total += int.from_bytes(hashlib.blake2b(encode(row), digest_size=16).digest(), "big")
    return count, total % MODULUS


def key_of(table: Table, row: Row) -> Row:
    """The values of a row's key."""
    return tuple(row[table.columns.index(name)] for name in table.key)


def moved(table: Table, row: Row, clocks: Clocks) -> Row:
    """A row as it is to stand in the other store: instants of leases are those of the clock there."""
    values = dict(zip(table.columns, row, strict=True))
    match table.name:
        case "workers" | "leaders":
            values[OVER[table.name]] = 0
        case "limits":
            values["free_at"] = clocks.moved(values["free_at"])
        case "limit_starts":
            open_for = codec.number(values["until"]) - codec.number(values["at"])
            values["at"] = clocks.moved(values["at"])
            values["until"] = codec.number(values["at"]) + open_for
        case "positions":
            position = msgspec.json.decode(str(values["body"]), type=Position)
            holes = tuple((number, codec.number(clocks.moved(since))) for number, since in position.holes)
            values["body"] = codec.text(msgspec.structs.replace(position, holes=holes))
        case _:
            return row
    return tuple(values.values())


def _key(text: str) -> Row:
    return tuple(msgspec.json.decode(text, type=list[object]))
