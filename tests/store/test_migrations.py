"""Does a database come to today's schema from wherever it was, and is a wrong one refused?"""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from penstock.clock import ManualClock
from penstock.errors.store import MigrationChanged, NotAStore, StoreGone, StoreTooNew
from penstock.store import attempts, outputs, runs, steps
from penstock.store.migrations.carried import Migration, carried
from penstock.store.port import Store
from penstock.store.postgres import schema as postgres_schema
from penstock.store.postgres.lane import Lane
from penstock.store.postgres.store import open_postgres, postgres_status
from penstock.store.sqlite import schema as sqlite_schema
from penstock.store.sqlite.session import connect
from penstock.store.sqlite.store import open_sqlite, sqlite_status
from tests.store.makers import NOW, ready

NEWEST = len(carried("sqlite"))
MORE = Migration(NEWEST + 1, "more", "CREATE TABLE more (id BIGINT PRIMARY KEY);")
BROKEN = Migration(NEWEST + 1, "broken", "CREATE TABLE more (id BIGINT PRIMARY KEY); CREATE TABLE more (id BIGINT);")
WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'ready_attempts'::regclass"
# What a store of each version held, in the words of that version; a migration adds its own line.
DATA = {
    1: """
INSERT INTO runs VALUES ('r1', 3, 'shop', 'load', 1, 'running', 0, NULL, 1, 2, NULL, 'key', '', '{}',
 '{"id":"r1","namespace":"shop","flow":"load","revision":1,"status":"running","created_at":1,"version":3}');
INSERT INTO steps VALUES ('r1', 'a', 'a', 'success', 1, '{"key":"a","node":"a","status":"success","attempt":1}');
INSERT INTO attempts VALUES ('r1', 'a', 1, 'done', NULL, '{"step":"a","number":1,"outcome":"done"}');
INSERT INTO outputs VALUES ('r1', 'a', 1, 'a', '{"n":1}', NULL, 7);
INSERT INTO blocked_runs VALUES ('r2', 'shop.load', 1, 'queue', 3, 5);
INSERT INTO limits VALUES ('shop.load');
INSERT INTO admitted VALUES ('shop.load', 'r1');
INSERT INTO ready_attempts (run_id, step, attempt, work, queue, priority, owner, at)
VALUES ('r1', 'b', 1, 'task', 'default', 0, '', 9);
""",
    2: "INSERT INTO pools VALUES ('db', 3, 1);",
    3: "INSERT INTO leaders VALUES ('scheduler', 'one', 7, 9); INSERT INTO roles VALUES ('night', '[]', 1);",
    4: """
INSERT INTO namespace_files VALUES ('shop', 'a.sql', 'file', 1, 'penstock:///x', 1, 'd', 2, 'ann');
INSERT INTO alert_rules VALUES ('night', '', 'lost', 0, '', '', 'https://hooks.example.com/a', 1, 'ann');
""",
}


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
def test_a_file_of_an_earlier_version_keeps_its_data(tmp_path: Path, version: int) -> None:
    path = tmp_path / "penstock.db"
    with closing(connect(path)) as session:
        for number in range(1, NEWEST + 1):
            if number > version:
                break
            sqlite_schema.migrate(session, carried("sqlite")[:number], "it", NOW)
            session.executescript(DATA[number])

    store = open_sqlite(path)

    _assert_kept(store)
    store.close()
    assert sqlite_status(path).pending == ()


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
def test_a_database_of_an_earlier_version_keeps_its_data(dsn: str, version: int) -> None:
    with closing(Lane(dsn)) as lane:
        session = lane.session()
        for number in range(1, version + 1):
            postgres_schema.migrate(session, carried("postgres")[:number], "it", NOW)
            session.execute(DATA[number], prepare=False)

    store = open_postgres(dsn, migrate=True)

    _assert_kept(store)
    store.close()
    assert postgres_status(dsn).pending == ()


def test_the_snapshot_is_what_the_migrations_make_of_a_file() -> None:
    with closing(connect(None)) as stepwise, closing(connect(None)) as at_once:
        sqlite_schema.migrate(stepwise, carried("sqlite"), "it", NOW)
        sqlite_schema.bring_up(at_once, "it", NOW)

        assert sqlite_schema.dump(stepwise) == sqlite_schema.dump(at_once)
        assert sqlite_schema.look(stepwise, carried("sqlite"), "it") == sqlite_schema.look(
            at_once, carried("sqlite"), "it"
        )


def test_the_snapshot_is_what_the_migrations_make_of_a_database(dsn: str) -> None:
    with closing(Lane(dsn)) as lane:
        session = lane.session()
        session.execute("CREATE SCHEMA stepwise; SET search_path = stepwise", prepare=False)
        postgres_schema.migrate(session, carried("postgres"), "it", NOW)
        stepwise = postgres_schema.dump(session)
        session.execute("CREATE SCHEMA whole; SET search_path = whole", prepare=False)
        postgres_schema.run_snapshot(session, NOW)
        at_once = postgres_schema.dump(session)

    assert [line.replace("stepwise.", "whole.") for line in stepwise] == at_once


def test_a_store_of_a_newer_penstock_is_refused(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    open_sqlite(path).close()
    open_postgres(dsn).close()
    with closing(connect(path)) as session:
        sqlite_schema.migrate(session, [*carried("sqlite"), MORE], "it", NOW)
    with closing(Lane(dsn)) as lane:
        postgres_schema.migrate(lane.session(), [*carried("postgres"), MORE], "it", NOW)

    with pytest.raises(StoreTooNew, match=rf"version {NEWEST + 1}; .* up to {NEWEST}"):
        open_sqlite(path)
    with pytest.raises(StoreTooNew, match=rf"version {NEWEST + 1}; .* up to {NEWEST}"):
        open_postgres(dsn, migrate=True)


def test_a_store_that_a_newer_penstock_only_added_to_is_worked_with(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    adds = Migration(NEWEST + 1, "more", f"-- Runs with: {NEWEST}\n{MORE.text}")
    takes_away = Migration(NEWEST + 2, "less", f"-- Runs with: {NEWEST + 1}\nDROP TABLE more;")
    with closing(connect(path)) as file, closing(Lane(dsn)) as lane:
        sqlite_schema.migrate(file, [*carried("sqlite"), adds], "it", NOW)
        postgres_schema.migrate(lane.session(), [*carried("postgres"), adds], "it", NOW)

        for opened in (open_sqlite(path), open_postgres(dsn)):
            opened.write(lambda tx: ready(tx, "r", "a"))
            opened.close()
        found = [sqlite_status(path), postgres_status(dsn)]
        sqlite_schema.migrate(file, [*carried("sqlite"), adds, takes_away], "it", NOW)
        postgres_schema.migrate(lane.session(), [*carried("postgres"), adds, takes_away], "it", NOW)

    assert [(one.version, one.pending) for one in found] == [(NEWEST + 1, ()), (NEWEST + 1, ())]
    with pytest.raises(StoreTooNew, match=f"version {NEWEST + 2}; .* up to {NEWEST}"):
        open_sqlite(path)
    with pytest.raises(StoreTooNew, match=f"version {NEWEST + 2}; .* up to {NEWEST}"):
        open_postgres(dsn)


def test_a_migration_that_was_edited_is_seen() -> None:
    with closing(connect(None)) as session:
        sqlite_schema.bring_up(session, "it", NOW)
        edited = [Migration(1, "begin", "SELECT 1;"), *carried("sqlite")[1:]]

        with pytest.raises(MigrationChanged, match="Migration 1"):
            sqlite_schema.look(session, edited, "it")


def test_a_migration_that_fails_leaves_the_version_before_it(tmp_path: Path, dsn: str) -> None:
    with closing(connect(tmp_path / "p.db")) as session:
        sqlite_schema.bring_up(session, "it", NOW)
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            sqlite_schema.migrate(session, [*carried("sqlite"), BROKEN], "it", NOW)
        done = sqlite_schema.migrate(session, [*carried("sqlite"), MORE], "it", NOW)
        assert (done.version, done.pending) == (NEWEST + 1, ())

    with closing(Lane(dsn)) as lane:
        postgres_schema.migrate(lane.session(), carried("postgres"), "it", NOW)
        with pytest.raises(Exception, match="already exists"):
            postgres_schema.migrate(lane.session(), [*carried("postgres"), BROKEN], "it", NOW)
        done = postgres_schema.migrate(lane.session(), [*carried("postgres"), MORE], "it", NOW)
        assert (done.version, done.pending) == (NEWEST + 1, ())


def test_a_migration_that_waits_for_a_table_does_not_hold_up_who_works(dsn: str) -> None:
    open_postgres(dsn).close()
    alter = Migration(NEWEST + 1, "more", "ALTER TABLE ready_attempts ADD COLUMN more TEXT;")
    with closing(Lane(dsn)) as first, closing(Lane(dsn)) as second, closing(Lane(dsn)) as other:
        first.session().execute("BEGIN; SELECT count(*) FROM ready_attempts", prepare=False)
        with ThreadPoolExecutor(1) as crowd:
            migrating = crowd.submit(
                lambda: postgres_schema.migrate(second.session(), [*carried("postgres"), alter], "it", NOW)
            )
            while not other.session().execute(WAITING).fetchone():
                pass
            other.transact(lambda tx: ready(tx, "r", "a"))
            was_done = migrating.done()
            first.session().execute("COMMIT")
            done = migrating.result(20)

    assert not was_done
    assert (done.version, done.pending) == (NEWEST + 1, ())


def test_many_that_open_an_empty_store_at_once_migrate_it_once(tmp_path: Path, dsn: str) -> None:
    path = tmp_path / "penstock.db"
    gate = threading.Barrier(8)

    def opened(number: int) -> Store:
        gate.wait(20)
        return open_sqlite(path) if number % 2 else open_postgres(dsn, migrate=True)

    with ThreadPoolExecutor(8) as crowd:
        stores = list(crowd.map(opened, range(8)))

    for store in stores:
        store.close()
    for found in (sqlite_status(path), postgres_status(dsn)):
        assert [one.version for one in found.applied] == list(range(1, NEWEST + 1))
        assert found.pending == ()


def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    other, text = tmp_path / "other.db", tmp_path / "text.db"
    with closing(sqlite3.connect(other)) as session:
        session.execute("CREATE TABLE theirs (id)")
    text.write_text("not a database at all, but long enough to be taken for a damaged one" * 20)

    with pytest.raises(NotAStore, match=r"not one of Penstock's"):
        open_sqlite(other)
    with pytest.raises(NotAStore):
        open_sqlite(text)
    with closing(sqlite3.connect(other)) as session:
        assert session.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


def test_a_server_that_is_not_there_is_told_in_a_sentence() -> None:
    with pytest.raises(StoreGone, match=r'The database "penstock" at 127[.]0[.]0[.]1 cannot be reached'):
        open_postgres("postgresql://nobody:word@127.0.0.1:1/penstock")


def test_a_fresh_store_is_dated_by_the_clock_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"

    open_sqlite(path, ManualClock(NOW)).close()

    assert [one.applied_at for one in sqlite_status(path).applied] == [NOW] * NEWEST


def _assert_kept(store: Store) -> None:
    run = store.read(lambda tx: runs.load(tx, "r1"))
    assert run is not None and run.version == 3
    assert store.read(lambda tx: runs.by_key(tx, "key")) == "r1"
    assert [step.key for step in store.read(lambda tx: steps.every(tx, "r1"))] == ["a"]
    assert [one.number for one in store.read(lambda tx: attempts.every(tx, "r1"))] == [1]
    assert store.read(lambda tx: outputs.load(tx, "r1", ["a"]))["a"].values() == {"n": 1}
