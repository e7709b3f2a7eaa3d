"""What travels with what? BEGIN and COMMIT with the statements beside them, and a question behind COMMIT."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest

from penstock.model.event import Kill
from penstock.store import feed, inbox, queue, runs, steps
from penstock.store.port import Row, Store, Tx
from penstock.store.postgres.lane import Lane, PostgresTx
from penstock.store.postgres.store import PostgresStore, open_postgres
from tests.store.makers import NOW, a_run, a_step

KILL_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'penstock'
"""


def test_what_goes_out_with_the_next_query_tells_what_it_touched(store: Store) -> None:
    run = a_run()

    def work(tx: Tx) -> tuple[int, int]:
        inbox.put(tx, run.id, Kill("x", force=False), NOW)
        first, none = tx.soon("inbox.drop", ids=[0]), queue.give_back_all(tx, run.id, [1])
        inbox.any_for(tx, run.id)
        return first(), none()

    assert store.write(work) == (0, 0)
    gone = store.write(lambda tx: tx.soon("inbox.drop", ids=[one.id for one in inbox.take(tx, run.id)]))
    assert gone() == 1


def test_what_is_asked_behind_commit_sees_it_or_is_left_to_whoever_asked(store: Store) -> None:
    run, step = a_run(), a_step("a")

    def work(tx: Tx) -> tuple[Callable[[], bool | None], runs.Seen]:
        waits, seen = inbox.any_behind(tx, run.id), runs.with_step_behind(tx, run.id, step.key)
        runs.insert(tx, run)
        steps.save(tx, run.id, [step])
        inbox.put(tx, run.id, Kill("x", force=False), NOW)
        return waits, seen

    waits, seen = store.write(work)

    there = isinstance(store, PostgresStore) and not store._writer.session().pooled
    assert waits() is (True if there else None)
    assert seen() == ((run, step) if there else None)


def test_a_question_behind_commit_that_fails_undoes_nothing(store: Store) -> None:
    run = a_run()

    def work(tx: Tx) -> Callable[[], list[Row] | None]:
        runs.insert(tx, run)
        return tx.afterwards("feed.read_after", after="no number", limit=1)

    told = store.write(work)

    assert told() is None
    assert store.read(lambda tx: runs.load(tx, run.id)) == run


def test_a_connection_that_was_lost_before_is_no_unknown_commit(dsn: str) -> None:
    with closing(open_postgres(dsn)) as store, psycopg.connect(dsn, autocommit=True) as other:
        other.execute(KILL_OTHERS)

        store.write(lambda tx: feed.append(tx, [("run", "r", 1)], NOW))

        assert len(store.read(lambda tx: feed.read_after(tx, 0))) == 1


def test_a_statement_that_fails_is_told_and_those_beside_it_are_prepared_again(dsn: str) -> None:
    with closing(open_postgres(dsn)), closing(Lane(dsn)) as lane:

        def wrong(tx: Tx) -> None:
            feed.append(tx, [("run", "r", 1)], NOW)
            tx.soon("feed.read_after", after="no number", limit=1)
            tx.one("feed.floor")

        for _ in range(2):
            with pytest.raises(psycopg.errors.InvalidTextRepresentation):
                lane.transact(wrong)

        lane.transact(lambda tx: feed.append(tx, [("run", "r", 1)], NOW))
        assert len(lane.look(lambda tx: feed.read_after(tx, 0))) == 1
        assert lane.look(feed.floor) > 0


def test_a_transaction_in_which_nothing_is_said_is_none(dsn: str) -> None:
    with closing(open_postgres(dsn)), closing(Lane(dsn)) as lane:

        def nothing(tx: Tx) -> bool:
            assert isinstance(tx, PostgresTx)
            return tx.begun

        assert not lane.transact(nothing)
        assert lane.transact(lambda tx: runs.version(tx, "r")) is None


def test_packets_larger_than_what_the_sockets_hold_come_through(dsn: str) -> None:
    big = "x" * 3_000_000
    with closing(open_postgres(dsn)) as store:
        many = [("run", f"{big}{number}", 1) for number in range(4)]
        store.write(lambda tx: feed.append(tx, many, NOW))

        assert [len(item.key) for item in store.read(lambda tx: feed.read_after(tx, 0))] == [len(big) + 1] * 4
