"""Is a write whole or nothing, whatever happens to it on the way?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from penstock.clock import ManualClock
from penstock.errors.store import CommitUnknown, StoreBusy, StoreError, StoreFull, StoreGone
from penstock.store import runs, workers
from penstock.store.port import Store, Tx
from penstock.store.postgres.store import open_postgres
from penstock.store.sqlite import ticket
from penstock.store.sqlite.session import SqliteTx
from penstock.store.sqlite.store import open_sqlite, ticket_path
from projects.servers import PostgresServer
from tests.store.makers import NOW, a_run, a_worker, know

KILL_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'penstock'
"""
# A trigger that waits for COMMIT and ends its own connection there: nobody hears how the commit went.
DIE_AT_COMMIT = """
CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON runs DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION die();
"""


def test_an_error_in_the_work_leaves_nothing(store: Store) -> None:
    run = a_run()

    def fail(tx: Tx) -> None:
        runs.insert(tx, run)
        raise ValueError("on the way")

    with pytest.raises(ValueError, match="on the way"):
        store.write(fail)
    assert store.read(lambda tx: runs.load(tx, run.id)) is None
    assert store.write(lambda tx: runs.insert(tx, run))


def test_a_transaction_does_not_begin_inside_another(store: Store) -> None:
    run = a_run()

    def nest(tx: Tx) -> None:
        runs.insert(tx, run)
        store.write(lambda inner: runs.insert(inner, a_run()))

    with pytest.raises(StoreError, match="inside another"):
        store.write(nest)
    assert store.read(lambda tx: runs.load(tx, run.id)) is None


def test_readers_see_what_was_committed_and_one_moment_of_it(opener: Callable[[], Store]) -> None:
    store, other = opener(), opener()
    run = a_run()

    def look_twice(tx: Tx) -> tuple[bool, bool]:
        before = runs.load(tx, run.id) is not None
        other.write(lambda inner: runs.insert(inner, run))
        return before, runs.load(tx, run.id) is not None

    assert store.read(look_twice) == (False, False)
    assert store.read(lambda tx: runs.load(tx, run.id)) == run


def test_a_closed_store_says_so(opener: Callable[[], Store]) -> None:
    store = opener()
    store.close()
    store.close()

    with pytest.raises(StoreGone, match="closed"):
        store.read(runs.counts)
    with pytest.raises(StoreGone, match="closed"):
        store.write(lambda tx: runs.insert(tx, a_run()))


def test_the_lease_clock_of_a_file_is_not_the_wall_clock(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    with closing(open_sqlite(tmp_path / "p.db", clock)) as store:
        clock.set_wall(3_600_000_000)
        clock.advance(5)

        assert store.lease_now() == NOW + 5


def test_the_lease_clock_of_a_server_is_its_own(dsn: str) -> None:
    with closing(open_postgres(dsn, ManualClock(NOW))) as store:
        first, second = store.lease_now(), store.lease_now()

    assert NOW < first <= second


def test_a_full_disk_is_told_and_the_store_goes_on_after_it(tmp_path: Path) -> None:
    with closing(open_sqlite(tmp_path / "p.db")) as store:
        room = store.write(lambda tx: _pragma(tx, "page_count")) + 20
        limit = store.write(lambda tx: _pragma(tx, f"max_page_count = {room}"))
        big = a_run(inputs={"text": "x" * 500_000})

        with pytest.raises(StoreFull, match="no room left"):
            store.write(lambda tx: runs.insert(tx, big))
        store.write(lambda tx: _pragma(tx, "max_page_count = 100000"))

        assert limit == room
        assert store.write(lambda tx: runs.insert(tx, big))


def test_a_writer_that_never_ends_is_told_as_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticket, "PATIENCE", 0.02)
    path = tmp_path / "p.db"
    with closing(open_sqlite(path)) as store, closing(ticket.Ticket(ticket_path(path))) as other:
        other.take()

        with pytest.raises(StoreBusy, match="Another process has held"):
            store.write(lambda tx: runs.insert(tx, a_run()))
        other.leave()

        assert store.write(lambda tx: runs.insert(tx, a_run()))


def test_a_connection_lost_before_commit_runs_the_work_again(dsn: str) -> None:
    run, tries = a_run(), []
    with closing(open_postgres(dsn)) as store, psycopg.connect(dsn, autocommit=True) as assassin:

        def work(tx: Tx) -> bool:
            tries.append(1)
            if len(tries) == 1:
                assassin.execute(KILL_OTHERS)
            return runs.insert(tx, run)

        assert store.write(work)
        assert len(tries) == 2
        assert store.read(lambda tx: runs.load(tx, run.id)) == run


def test_a_server_that_went_and_came_back_is_used_again(postgres15: PostgresServer) -> None:
    address = postgres15.create_database("leaving")
    before, after = a_run(), a_run()
    with closing(open_postgres(address)) as store, closing(store.listener()) as listener:
        store.write(lambda tx: runs.insert(tx, before))
        store.read(runs.counts)

        postgres15.restart(kill=False)
        kept = store.read(lambda tx: runs.load(tx, before.id))
        written = store.write(lambda tx: runs.insert(tx, after))
        while not listener.drain():
            pass

        assert kept == before and written
        assert listener.drain()


def test_a_connection_lost_at_commit_is_said_to_be_unknown_and_settled_by_looking(dsn: str) -> None:
    run, tries = a_run(), []
    with closing(open_postgres(dsn)) as store, psycopg.connect(dsn, autocommit=True) as session:
        session.execute(DIE_AT_COMMIT)

        def work(tx: Tx) -> bool:
            tries.append(1)
            return runs.insert(tx, run)

        with pytest.raises(CommitUnknown):
            store.write(work)
        session.execute("DROP TRIGGER dies ON runs")

        assert len(tries) == 1
        assert store.read(lambda tx: runs.load(tx, run.id)) is None
        assert store.write(work)


def test_two_that_lock_each_other_out_are_both_done_in_the_end(opener: Callable[[], Store]) -> None:
    stores = [opener(), opener()]
    stores[0].write(lambda tx: know(tx, a_worker("a"), a_worker("b")))
    if stores[0].kind == "sqlite":
        # One writer at a time: there is nobody to quarrel with.
        meet = threading.Barrier(1)
    else:
        meet = threading.Barrier(2)
    done: list[str] = []

    def beat(store: Store, names: list[str]) -> None:
        first = [True]

        def work(tx: Tx) -> None:
            workers.beat(tx, names[0], NOW + 1)
            if first.pop() if first else False:
                meet.wait(30)
            workers.beat(tx, names[1], NOW + 1)

        store.write(work)
        done.append(names[0])

    threads = [
        threading.Thread(target=beat, args=(stores[0], ["a", "b"])),
        threading.Thread(target=beat, args=(stores[1], ["b", "a"])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(done) == ["a", "b"]


def test_a_swallowed_error_is_not_taken_for_a_commit(dsn: str) -> None:
    with closing(open_postgres(dsn)) as store:

        def swallow(tx: Tx) -> None:
            with pytest.raises(psycopg.errors.CheckViolation):
                tx.run("attempts.append", run_id="r", step="a", number=1, outcome="none", state=None, body="{}")

        with pytest.raises(StoreError, match="rolled back instead"):
            store.write(swallow)


def _pragma(tx: Tx, text: str) -> int:
    assert isinstance(tx, SqliteTx)
    return int(tx._session.execute(f"PRAGMA {text}").fetchone()[0])


def test_a_file_that_is_deleted_or_replaced_is_not_written_any_more(tmp_path: Path) -> None:
    path, clock = tmp_path / "penstock.db", ManualClock()
    with closing(open_sqlite(path, clock)) as store:
        store.write(lambda tx: runs.insert(tx, a_run()))
        for replaced in (False, True):
            path.unlink(missing_ok=True)
            if replaced:
                open_sqlite(path).close()
            clock.advance(1_000_000)

            with pytest.raises(StoreGone, match="deleted or replaced"):
                store.write(lambda tx: runs.insert(tx, a_run()))
            with pytest.raises(StoreGone, match="deleted or replaced"):
                store.read(lambda tx: runs.list_runs(tx, runs.Filter(), 1))
