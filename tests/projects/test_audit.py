"""Does the audit answer with reasons, and does it fail where a day should not be used?"""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.projects.conftest import Exports
from tests.projects.days import FIRST, load, rows, stage, write


def audit(dsn: str) -> int:
    """Ask all questions about the first day, as the flow does, and give how many there were."""
    with psycopg.connect(dsn, autocommit=True) as session:
        session.execute("CALL dq.sp_audit(%s)", [FIRST])
        answer = session.execute("SELECT dq.assert_audit(%s)", [FIRST]).fetchone()
    assert answer is not None
    return int(answer[0])


def test_a_good_day_passes_every_check(warehouse: str, exports: Exports) -> None:
    exports.make(FIRST)
    stage(warehouse, exports.folder, FIRST)
    load(warehouse, FIRST)

    asked = [audit(warehouse), audit(warehouse)]

    assert asked == [8, 8]
    assert rows(warehouse, "SELECT count(*) FROM dq.audit_checks WHERE passed") == [(8,)]


def test_a_day_that_is_mostly_garbage_fails_and_the_answers_stay(warehouse: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        FIRST,
        {"tenants": [["T1", "one", "free", "eu", ""]], "feature_usage": [["1", "T1", "U1", "x", "", "1"]]},
    )
    stage(warehouse, tmp_path, FIRST)
    load(warehouse, FIRST)

    with pytest.raises(psycopg.errors.RaiseException, match="audit of 2016-01-02 failed") as failed:
        audit(warehouse)

    assert "at least one event is loaded: expected > 0, found 0" in str(failed.value)
    wrong = rows(warehouse, "SELECT check_name FROM dq.audit_checks WHERE NOT passed ORDER BY 1")
    assert wrong == [("at least one event is loaded",), ("at most a tenth of the events is rejected",)]


def test_an_orphan_fails(warehouse: str, exports: Exports) -> None:
    exports.make(FIRST)
    stage(warehouse, exports.folder, FIRST)
    load(warehouse, FIRST)
    with psycopg.connect(warehouse) as session:
        session.execute("UPDATE dw.fact_feature_usage SET tenant_key = -1 WHERE event_id % 7 = 0")

    with pytest.raises(psycopg.errors.RaiseException, match="every fact has its dimensions: expected 0, found"):
        audit(warehouse)


def test_a_day_that_nobody_audited_does_not_pass(warehouse: str) -> None:
    with psycopg.connect(warehouse) as session, pytest.raises(psycopg.errors.RaiseException, match="nobody audited"):
        session.execute("SELECT dq.assert_audit(%s)", [FIRST])


def test_a_failure_is_noted_once_per_run(warehouse: str) -> None:
    with psycopg.connect(warehouse) as session:
        for message in ("first", "second"):
            session.execute("CALL dq.sp_record_failure('run-1', %s, %s)", [FIRST, message])

    noted = rows(warehouse, "SELECT run_id, step, status, message FROM dq.etl_run")
    assert noted == [("run-1", "run", "failed", "second")]
