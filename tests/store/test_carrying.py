"""Does all that a store keeps arrive in another one, whatever dies on the way, and is one of them always shut?"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from penstock.app.databases import alone_with, open_store
from penstock.clock import SystemClock
from penstock.errors.store import StoreInUse, StoreMoved, StoreNotEmpty, Unlike
from penstock.model.event import Begin
from penstock.store import codec, events, positions, queue, workers
from penstock.store.carrying import Carried, Side, Table, carry, every, undo
from penstock.store.feed import Position
from penstock.store.migrations import marks
from penstock.store.migrations.carried import snapshot
from penstock.store.port import Row, Store
from penstock.store.sqlite.logs import SCHEMA
from tests.servers import database
from tests.store.makers import NOW, a_worker, claimed, know, ready

__all__ = ["database"]

CLOCK: Final = SystemClock()
TABLES: Final = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+) \((.*?)^\)", re.DOTALL | re.MULTILINE)
ADDED: Final = re.compile(r"ALTER TABLE (\w+) ADD COLUMN (\w+) (\w+)")
COLUMN: Final = re.compile(
    r"^    (\w+) (TEXT|INTEGER|REAL|BLOB)\b(?:(?!CHECK|,$).)*(?:CHECK \(\w+ IN \(([^)]*)\))?", re.M
)
CHANGES: Final = ("set_mark", "put", "note", "set_counters", "finish", "empty", "forget")
ROWS: Final = 3


class Died(Exception):
    """What a process that was killed would not say."""


class Mortal:
    """A side whose process dies behind so many changes, of whichever of the sides that share `left`."""

    def __init__(self, real: Side, left: list[int]) -> None:
        self._real = real
        self._left = left

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in CHANGES:
            return found

        def change(*args: object) -> object:
            done = found(*args)
            self._left[0] -= 1
            if self._left[0] == 0:
                raise Died
            return done

        return change


class Forgetful:
    """A side that loses a row of a table."""

    def __init__(self, real: Side, table: str) -> None:
        self._real = real
        self._table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def put(self, table: Table, rows: Sequence[Row], reached: str) -> None:
        self._real.put(table, rows[1:] if table.name == self._table else rows, reached)


@pytest.fixture
def old(tmp_path: Path) -> str:
    """A store in a file with rows in each of its tables."""
    path = tmp_path / "old.db"
    open_store(str(path), CLOCK, migrate=True).close()
    for file, text in ((path, snapshot("sqlite")), (tmp_path / "old-logs.db", SCHEMA)):
        with closing(sqlite3.connect(file)) as session:
            if file != path:
                session.executescript(SCHEMA)
            for table, columns in tables_of(text):
                for number in range(ROWS if table != "schema_migrations" else 0):
                    values = [_value(table, column, number) for column in columns]
                    session.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
            session.commit()
    return str(path)


@pytest.mark.parametrize("back", [False, True])
def test_every_row_of_every_table_arrives_on_a_server_and_comes_back(
    old: str, dsn: str, tmp_path: Path, back: bool
) -> None:
    told: list[tuple[str, int]] = []

    carried = move(old, dsn, told=lambda table, rows: told.append((table, rows)))
    last = str(tmp_path / "new.db") if back else dsn
    if back:
        move(dsn, last)

    assert set(carried.rows.values()) == {ROWS} and len(carried.rows) > 40
    assert ("runs", ROWS) in told and ("runs", -ROWS) in told
    undone(old)
    shifted = {"workers", "leaders", "limits", "limit_starts", "positions"}
    assert {name: rows for name, rows in rows_of(last).items() if name not in shifted} == {
        name: rows for name, rows in rows_of(old).items() if name not in shifted
    }


@pytest.mark.parametrize("kind", ["file", "server"])
def test_a_move_that_dies_after_each_of_its_changes_goes_on_with_the_same_call(
    old: str, database: str, tmp_path: Path, kind: str
) -> None:
    new = database if kind == "server" else str(tmp_path / "new.db")
    before = rows_of(old)
    deaths = 0

    while True:
        left = [3 if kind == "file" else 8]  # two of them begin: the marks of both
        try:
            with alone_with(old, CLOCK) as source, alone_with(new, CLOCK) as target:
                carry(Mortal(source, left), Mortal(target, left))
            break
        except Died:
            deaths += 1
        assert (opens(old), opens(new)) in ((False, False), (False, True)), "rows may be told in one place alone"

    assert deaths > 5
    assert (opens(old), opens(new)) == (False, True)
    assert {name: len(rows) for name, rows in rows_of(new).items()} == {
        name: len(rows) for name, rows in before.items()
    }


def test_what_has_moved_is_opened_by_nobody_until_that_is_undone(old: str, tmp_path: Path) -> None:
    new = str(tmp_path / "new.db")
    move(old, new)

    with pytest.raises(StoreMoved, match=r"has moved to .*new\.db"):
        open_store(old, CLOCK, migrate=True)
    with pytest.raises(StoreMoved, match="has moved"):
        move(old, str(tmp_path / "third.db"))
    with closing(sqlite3.connect(old)) as session:
        assert session.execute("PRAGMA user_version").fetchone() == (marks.FIRST,), "older ones see a newer one's store"

    undone(old)

    assert opens(old) and opens(new)
    with pytest.raises(StoreMoved, match="Nothing has moved"):
        undone(old)


def test_a_move_that_is_given_up_is_begun_anew_with_what_there_is_then(old: str, tmp_path: Path) -> None:
    new = str(tmp_path / "new.db")
    with suppress(Died), alone_with(old, CLOCK) as source, alone_with(new, CLOCK) as target:
        left = [20]
        carry(Mortal(source, left), Mortal(target, left))
    with pytest.raises(StoreMoved, match="on its way to"):
        open_store(old, CLOCK, migrate=True)
    with pytest.raises(StoreMoved, match="being filled"):
        open_store(new, CLOCK, migrate=True)

    undone(old)
    with closing(open_store(old, CLOCK, migrate=True)) as store:
        store.write(lambda tx: tx.run("pools.set_slots", name="late", slots=1, now=NOW))
    carried = move(old, new)

    assert carried.rows["pools"] == ROWS + 1


def test_a_store_that_somebody_works_with_is_not_moved(old: str, database: str, tmp_path: Path) -> None:
    with closing(open_store(old, CLOCK, migrate=True)), pytest.raises(StoreInUse, match="worker workers-id-0"):
        move(old, database)
    with closing(open_store(database, CLOCK, migrate=True)) as store:
        store.read(queue.depth)
        with pytest.raises(StoreInUse, match="connections of Penstock"):
            move(database, str(tmp_path / "new.db"))
        store.write(lambda tx: know(tx, a_worker(beat_at=store.lease_now())))
    with pytest.raises(StoreInUse, match="1 workers said"):
        move(database, str(tmp_path / "new.db"))
    assert opens(old) and opens(database)


def test_nothing_is_put_beside_what_is_there(old: str, database: str) -> None:
    with closing(open_store(database, CLOCK, migrate=True)) as store:
        store.write(lambda tx: tx.run("pools.set_slots", name="theirs", slots=1, now=NOW))

    with pytest.raises(StoreNotEmpty, match='rows in "pools"'):
        move(old, database)

    assert opens(old) and opens(database)


def test_a_row_that_is_lost_on_the_way_is_missed(old: str, tmp_path: Path) -> None:
    new = str(tmp_path / "new.db")

    with (
        alone_with(old, CLOCK) as source,
        alone_with(new, CLOCK) as target,
        pytest.raises(Unlike, match=r'"tokens" has 3 rows in .* and 2'),
    ):
        carry(source, Forgetful(target, "tokens"))

    assert not opens(new)
    undone(old)
    assert opens(old)


def test_numbers_and_leases_go_on_where_they_were(tmp_path: Path, database: str) -> None:
    old = str(tmp_path / "old.db")

    def fill(store: Store) -> int:
        store.write(lambda tx: know(tx, a_worker("w1", beat_at=store.lease_now() - 7_000_000)))
        store.write(lambda tx: ready(tx, "r", "a"))
        (claim,) = claimed(store)
        store.write(lambda tx: queue.hand_back(tx, claim))
        waited = Position(7, ((5, store.lease_now() - 3_000_000),))
        store.write(lambda tx: positions.put(tx, "somebody", waited))
        return claim.fence

    with closing(open_store(old, CLOCK, migrate=True)) as store:
        fence = fill(store)

    move(old, database)
    with closing(open_store(database, CLOCK, migrate=True)) as store:
        store.write(lambda tx: events.append(tx, "r", [(Begin(by="ann"), NOW, True, "", 0)]))
        store.write(lambda tx: tx.run("prune.events", runs=["r"]))
    back = str(tmp_path / "back.db")
    move(database, back)
    undone(database)

    with closing(open_store(database, CLOCK, migrate=True)) as store:
        (known,) = store.read(workers.list_workers)
        position = store.read(lambda tx: positions.get(tx, "somebody"))
        store.write(lambda tx: ready(tx, "other", "a"))
        again = claimed(store, room=2)
        now = store.lease_now()
    assert known.beat_at == 0, "who worked there works no more"
    assert position is not None and 3_000_000 <= now - position.holes[0][1] < 60_000_000
    assert min(claim.fence for claim in again) > fence, "a fence that was given out is never given out again"


def move(old: str, new: str, told: Callable[[str, int], None] = lambda _table, _rows: None) -> Carried:
    """Carry a store to another address."""
    with alone_with(old, CLOCK) as source, alone_with(new, CLOCK) as target:
        return carry(source, target, told)


def undone(address: str) -> None:
    """Take a move back."""
    with alone_with(address, CLOCK) as side:
        undo(side)


def opens(address: str) -> bool:
    """Whether a store can be worked with."""
    try:
        open_store(address, CLOCK, migrate=True).close()
    except StoreMoved:
        return False
    return True


def rows_of(address: str) -> dict[str, list[Row]]:
    """All rows of a store by table, columns and rows in one order."""
    found: dict[str, list[Row]] = {}
    with alone_with(address, CLOCK) as side:
        for table in side.tables():
            ordered = Table(table.name, tuple(sorted(table.columns)), table.key)
            found[table.name] = sorted(every(side, ordered), key=codec.text if table.name != "log_chunks" else repr)
    return found


def tables_of(text: str) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """The tables that a schema makes: columns with their types and the values that they are held to."""
    found = {name: COLUMN.findall(body) for name, body in TABLES.findall(text)}
    for table, column, kind in ADDED.findall(text):
        found[table].append((column, kind, ""))
    return list(found.items())


def _value(table: str, column: tuple[str, str, str], number: int) -> object:
    """A value that no other row of the table has, where its column may hold that."""
    name, kind, allowed = column
    if allowed:
        words = [word.strip().strip("'") for word in allowed.split(",")]
        return words[number % len(words)] if kind == "TEXT" else int(words[number % len(words)])
    if (table, name) == ("outputs", "uri"):
        return None
    if (table, name) == ("positions", "body"):
        return codec.text(Position(number, ((1, number),)))
    match kind:
        case "INTEGER":
            return number + 1
        case "REAL":
            return number + 0.1
        case "BLOB":
            return bytes([0, 255, number])
        case _:
            return f"{table}-{name}-{number}" if name == "id" else f"{table} é\n'{name}' \\N {number}"
