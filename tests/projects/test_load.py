"""Do the procedures leave what the files say, in whatever order, however often, whatever failed in between?"""

from __future__ import annotations

import datetime
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.warehouse.check import main
from tests.projects.conftest import Exports
from tests.projects.days import FIRST, day, empty, load, phase1, rows, small_day, stage, write, wrong

FACTS = "SELECT * FROM dw.fact_feature_usage ORDER BY event_id"
VERSIONS = (
    "SELECT user_id, role, valid_from::text, valid_to::text, is_current FROM dw.dim_user ORDER BY user_id, valid_from"
)
REASONS = "SELECT batch_date, row_no, reason FROM dq.rejected_rows WHERE source_table = 'feature_usage' ORDER BY 1, 2"


def test_one_day_leaves_what_its_files_say(either_warehouse: str, exports: Exports) -> None:
    exports.send(FIRST)

    done = phase1(exports.s3, exports.bucket, either_warehouse, FIRST)
    load(either_warehouse, FIRST)

    assert done.returncode == 0, done.stderr
    assert wrong(either_warehouse, exports.folder, [FIRST]) == []


def test_the_same_day_twice_changes_nothing(either_warehouse: str, exports: Exports) -> None:
    exports.make(FIRST)
    for _ in range(2):
        stage(either_warehouse, exports.folder, FIRST)
        load(either_warehouse, FIRST, FIRST)

    assert wrong(either_warehouse, exports.folder, [FIRST]) == []
    assert rows(either_warehouse, "SELECT count(*) FROM dq.etl_run WHERE step = 'load'") == [(1,)]


def test_a_week_out_of_order_leaves_the_same_tables(either_warehouse: str, exports: Exports) -> None:
    week = [day(offset) for offset in range(7)]
    exports.make(*week)

    for one in random.Random(5).sample(week, 7):
        stage(either_warehouse, exports.folder, one)
        load(either_warehouse, one)

    assert wrong(either_warehouse, exports.folder, week) == []


def test_a_load_that_fails_in_the_middle_leaves_nothing_and_goes_well_again(warehouse: str, exports: Exports) -> None:
    exports.make(FIRST)
    stage(warehouse, exports.folder, FIRST)
    with psycopg.connect(warehouse) as session:
        session.execute("ALTER TABLE dw.fact_feature_usage ADD CONSTRAINT broken CHECK (event_id < 0)")

    with pytest.raises(psycopg.errors.CheckViolation):
        load(warehouse, FIRST)
    left = [rows(warehouse, f"SELECT count(*) FROM {table}") for table in ("dw.dim_user", "dw.loaded_batch")]
    with psycopg.connect(warehouse) as session:
        session.execute("ALTER TABLE dw.fact_feature_usage DROP CONSTRAINT broken")
    load(warehouse, FIRST)

    assert left == [[(0,)], [(0,)]]
    assert wrong(warehouse, exports.folder, [FIRST]) == []


def test_a_day_that_nobody_staged_is_refused(warehouse: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="staging holds no row of 2016-01-02"):
        load(warehouse, FIRST)


def test_a_user_who_changes_has_a_version_for_each_state_and_events_keep_theirs(warehouse: str, tmp_path: Path) -> None:
    for offset, role in enumerate(["viewer", "editor", "viewer"]):
        write(tmp_path, day(offset), _one_user(day(offset), role))

    for offset in (2, 0, 1):
        stage(warehouse, tmp_path, day(offset))
        load(warehouse, day(offset))

    assert rows(warehouse, VERSIONS) == [
        ("U1", "viewer", "2016-01-02", "2016-01-03", False),
        ("U1", "editor", "2016-01-03", "2016-01-04", False),
        ("U1", "viewer", "2016-01-04", "infinity", True),
    ]
    facts = rows(
        warehouse, "SELECT event_ts::date, valid_from FROM dw.fact_feature_usage JOIN dw.dim_user USING (user_key)"
    )
    assert len(facts) == 3 and all(happened == since for happened, since in facts)


def test_an_event_that_came_before_its_user_is_loaded_when_the_user_comes(warehouse: str, tmp_path: Path) -> None:
    early = _one_user(FIRST, "viewer") | {"users": []}
    write(tmp_path, FIRST, early)
    write(tmp_path, day(1), _one_user(day(1), "viewer"))
    stage(warehouse, tmp_path, FIRST)
    load(warehouse, FIRST)
    before = rows(warehouse, REASONS)

    stage(warehouse, tmp_path, day(1))
    load(warehouse, day(1))

    assert before == [(FIRST, 1, "UNKNOWN_FK")]
    assert rows(warehouse, REASONS) == []
    assert rows(warehouse, "SELECT count(*) FROM dw.fact_feature_usage") == [(2,)]


def test_of_an_event_sent_on_two_days_the_earlier_row_counts_even_when_it_is_loaded_later(
    warehouse: str, tmp_path: Path
) -> None:
    for offset in (0, 1):
        once = _one_user(day(offset), "viewer")
        event = ["77", "T1", "U1", "editor.open", f"{FIRST} 10:00:00", str(offset)]
        write(tmp_path, day(offset), once | {"feature_usage": [event]})

    for offset in (1, 0):
        stage(warehouse, tmp_path, day(offset))
        load(warehouse, day(offset))

    assert rows(warehouse, "SELECT batch_date, duration_ms FROM dw.fact_feature_usage") == [(FIRST, 0)]
    assert rows(warehouse, REASONS) == [(day(1), 1, "DUPLICATE")]


def test_a_day_sent_again_without_a_user_takes_the_user_and_its_events_away(warehouse: str, tmp_path: Path) -> None:
    write(tmp_path, FIRST, _one_user(FIRST, "viewer"))
    write(tmp_path, day(1), _one_user(day(1), "viewer") | {"users": []})
    for offset in (0, 1):
        stage(warehouse, tmp_path, day(offset))
        load(warehouse, day(offset))
    assert len(rows(warehouse, FACTS)) == 2

    write(tmp_path, FIRST, _one_user(FIRST, "viewer") | {"users": []})
    stage(warehouse, tmp_path, FIRST)
    load(warehouse, FIRST)

    assert rows(warehouse, FACTS) == rows(warehouse, VERSIONS) == []
    assert rows(warehouse, REASONS) == [(FIRST, 1, "UNKNOWN_FK"), (day(1), 1, "UNKNOWN_FK")]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), order=st.lists(st.integers(0, 3), min_size=2, max_size=6))
def test_any_days_in_any_order_sent_again_with_other_content_leave_what_the_last_files_say(
    warehouse: str, tmp_path: Path, seed: int, order: list[int]
) -> None:
    empty(warehouse)
    shutil.rmtree(tmp_path / "exports", ignore_errors=True)
    chance = random.Random(seed)
    loaded: set[datetime.date] = set()

    for one in map(day, order):
        write(tmp_path, one, small_day(chance, one))
        stage(warehouse, tmp_path, one)
        load(warehouse, one)
        loaded.add(one)

    assert wrong(warehouse, tmp_path, loaded) == []


def test_the_checker_sees_a_row_too_many_and_a_changed_one(
    warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, FIRST, _one_user(FIRST, "viewer"))
    stage(warehouse, tmp_path, FIRST)
    load(warehouse, FIRST)
    monkeypatch.setattr("sys.argv", ["check", str(tmp_path), "--dsn", warehouse])
    fine = main()
    with psycopg.connect(warehouse) as session:
        session.execute("UPDATE dw.fact_feature_usage SET duration_ms = duration_ms + 1")
        session.execute("INSERT INTO dw.dim_feature VALUES (19, 'editor.fly', 'Fly', 'Editor')")
        session.execute("UPDATE dq.etl_run SET rows_read = 7 WHERE step = 'extract' AND source_table = 'user'")

    broken = main()

    said = capsys.readouterr().out
    assert (fine, broken) == (0, 1)
    assert "dw.fact_feature_usage             1 rows  1 missing, 1 too many" in said
    assert "+ editor.fly, Editor" in said
    assert f"+ {FIRST}, user, 7, 1, 0" in said


def _one_user(batch_date: datetime.date, role: str) -> dict[str, list[list[str]]]:
    """A day with one tenant, one user of this role and one event."""
    return {
        "tenants": [["T1", "one", "free", "eu", "2015-01-01"]],
        "users": [["U1", "T1", "u1@example.com", role, "2015-01-01"]],
        "feature_usage": [[f"{batch_date:%Y%m%d}1", "T1", "U1", "editor.open", f"{batch_date} 10:00:00", "5"]],
    }


def test_days_extracted_and_loaded_at_once_neither_block_each_other_for_good_nor_differ(
    warehouse: str, exports: Exports
) -> None:
    week = [day(offset) for offset in range(5)]
    exports.make(*week)
    load(warehouse)

    def bring(one: datetime.date) -> None:
        for _ in range(2):
            stage(warehouse, exports.folder, one)
            load(warehouse, one)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(bring, week))

    assert wrong(warehouse, exports.folder, week) == []
