"""Is what is old removed, what is kept copied, and history handed out whole?"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from penstock.clock import ManualClock
from penstock.errors.store import StoreError
from penstock.model.event import Begin
from penstock.model.ids import child_run_id, run_id
from penstock.model.run import Attempt, Parent, Run
from penstock.model.status import Outcome, RunStatus, StepStatus
from penstock.store import attempts, events, exporting, feed, flows, kv, metrics, outputs, prune, runs, steps
from penstock.store.chunks import Piece, Stream, Tail, pack
from penstock.store.port import Store, Tx
from penstock.store.postgres.days import DAY, day_of, first_id, name_of
from penstock.store.postgres.store import open_postgres
from penstock.store.sqlite.store import open_sqlite
from tests.store.makers import NOW, a_run, a_step

Opener = Callable[[], Store]


def test_runs_ended_before_an_instant_go_with_all_that_is_theirs(store: Store) -> None:
    old, young = _ended(NOW), _ended(NOW + 10)
    running = a_run()
    _fill(store, old, young, running)

    gone = prune.prune(store, NOW + 5, NOW + 20)

    assert gone == prune.Pruned((old.id,), (f"blob:///{old.id}",), 1)
    assert [run.id for run in store.read(lambda tx: runs.list_runs(tx, runs.Filter()))] == [running.id, young.id]
    assert store.read(lambda tx: steps.every(tx, old.id)) == []
    assert store.read(lambda tx: attempts.every(tx, old.id)) == []
    assert store.read(lambda tx: events.every(tx, old.id)) == []
    assert store.read(lambda tx: outputs.every(tx, old.id)) == {}
    assert list(store.logs.read(old.id)) == []
    assert store.read(lambda tx: len(steps.every(tx, young.id))) == 1
    assert len(list(store.logs.read(young.id))) == 1


def test_a_child_is_kept_while_its_parent_goes_on(store: Store) -> None:
    parent = a_run()
    child = _ended(NOW, id=child_run_id(parent.id, "sub", 1), parent=Parent(parent.id, "sub", 1))
    _fill(store, parent, child)

    gone = prune.prune(store, NOW + 5, NOW)

    assert gone.runs == ()


def test_pruning_forgets_old_rows_of_the_feed_and_expired_values(store: Store) -> None:
    def keep(tx: Tx) -> None:
        feed.append(tx, [("run", "old", 1)], NOW)
        feed.append(tx, [("run", "new", 1)], NOW + 2 * DAY)
        kv.set_value(tx, "shop", "k", 1, now=NOW, expires_at=NOW + 1)

    store.write(keep)

    prune.prune(store, NOW + DAY, NOW + DAY)

    assert [one.key for one in store.read(lambda tx: feed.read_after(tx, 0))] == ["new"]
    assert store.read(lambda tx: kv.list_values(tx, "shop", NOW)) == []
    store.compact()


def test_a_day_of_history_is_dropped_once_none_of_its_runs_is_kept(dsn: str) -> None:
    clock = ManualClock(NOW)
    with closing(open_postgres(dsn, clock)) as store:
        old, kept = _ended(NOW), _ended(NOW + DAY, id=run_id((NOW + DAY) // 1000, bytes(10)))
        _fill(store, old, kept)
        clock.advance(5 * DAY)

        prune.prune(store, NOW + 1, clock.now())

        days = _partitions(dsn)
        assert name_of("events", day_of(NOW)) not in days
        assert name_of("log_chunks", day_of(NOW)) not in days
        assert name_of("events", day_of(NOW) + 1) in days
        assert name_of("events", day_of(NOW) + 12) in days
        assert len(store.read(lambda tx: events.every(tx, kept.id))) == 1


def test_logs_of_a_run_that_is_kept_can_be_removed_from_within_its_day(dsn: str) -> None:
    run = _ended(NOW)
    with closing(open_postgres(dsn, ManualClock(NOW))) as store:
        _fill(store, run)

        gone = store.logs.delete([run.id])

        assert gone == 1
        assert list(store.logs.read(run.id)) == []


def test_history_lies_in_the_day_of_its_run_and_opening_later_makes_the_days_ahead(dsn: str) -> None:
    with closing(open_postgres(dsn, ManualClock(NOW))) as store:
        _fill(store, _ended(NOW))
    with closing(open_postgres(dsn, ManualClock(NOW + 30 * DAY))):
        days = _partitions(dsn)

    with psycopg.connect(dsn) as session:
        counts = session.execute(
            f"SELECT (SELECT count(*) FROM {name_of('events', day_of(NOW))}), (SELECT count(*) FROM events_rest)"
        ).fetchone()
    assert counts == (1, 0)
    assert {name_of("changes", day_of(NOW) + 30), name_of("changes", day_of(NOW) + 37)} <= days


def test_the_ids_of_a_day_lie_between_its_bounds() -> None:
    day = day_of(NOW)

    first, last = run_id(day * DAY // 1000, bytes(10)), run_id((day + 1) * DAY // 1000 - 1, b"\xff" * 10)

    assert first_id(day) <= first < last < first_id(day + 1)
    assert name_of("events", day_of(0)) == "events_d19700101"


def test_a_copy_of_a_store_in_use_is_a_whole_store(tmp_path: Path) -> None:
    run = _ended(NOW)
    with closing(open_sqlite(tmp_path / "penstock.db")) as store:
        _fill(store, run)

        def copy_in_the_middle(tx: Tx) -> list[Path]:
            runs.insert(tx, a_run())
            return store.backup(tmp_path / "copies" / "monday.db")

        made = store.write(copy_in_the_middle)

    with closing(open_sqlite(tmp_path / "copies" / "monday.db")) as copy:
        assert [one.id for one in copy.read(lambda tx: runs.list_runs(tx, runs.Filter()))] == [run.id]
        assert len(list(copy.logs.read(run.id))) == 1
    assert made == [tmp_path / "copies" / "monday.db", tmp_path / "copies" / "monday-logs.db"]
    with closing(sqlite3.connect(made[0])) as session:
        assert session.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_server_is_copied_by_its_own_tools(dsn: str, tmp_path: Path) -> None:
    with closing(open_postgres(dsn)) as store, pytest.raises(StoreError, match="pg_dump"):
        store.backup(tmp_path / "copy")


def test_history_is_handed_out_line_by_line(store: Store) -> None:
    run, other = _ended(NOW), _ended(NOW)
    _fill(store, run, other)
    text = flows.Written(namespace="shop", id="load", dialect="kestra", digest="1", source="a", model="{}")
    store.write(lambda tx: flows.push(tx, text, NOW))

    lines = [json.loads(line) for line in exporting.lines(store, logs=True)]

    assert [line["what"] for line in lines] == ["revision"] + 2 * [
        "run",
        "step",
        "attempt",
        "event",
        "outputs",
        "metric",
        "log",
    ]
    assert [line["run"] for line in lines if line["what"] == "run"] == [other.id, run.id]
    assert lines[-1]["value"]["text"] == "hello\n"
    assert next(line for line in lines if line["what"] == "event")["value"]["event"] == {"type": "begin", "by": "ann"}


def _ended(at: int, **changes: object) -> Run:
    return a_run(**{"status": RunStatus.SUCCESS, "ended_at": at, **changes})


def _fill(store: Store, *made: Run) -> None:
    def keep(tx: Tx) -> None:
        for run in made:
            runs.insert(tx, run)
            steps.save(tx, run.id, [a_step("a", StepStatus.SUCCESS)])
            attempts.append(tx, run.id, [Attempt(step="a", number=1, outcome=Outcome.DONE)])
            events.append(tx, run.id, [(Begin(by="ann"), NOW, True, "", 0)])
            outputs.put(tx, run.id, "a", 1, uri=f"blob:///{run.id}")
            metrics.append(tx, run.id, [metrics.Metric(step="a", attempt=1, name="rows", value=1, at=NOW)])

    store.write(keep)
    store.logs.append([pack(run.id, "a", 1, Tail(), [Piece(NOW, Stream.OUT, b"hello\n")])[0] for run in made])


def _partitions(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as session:
        return {name for (name,) in session.execute("SELECT relname FROM pg_class WHERE relispartition")}
