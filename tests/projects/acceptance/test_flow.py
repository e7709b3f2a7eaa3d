"""Does the warehouse's flow, run by the command line, leave the right tables whatever fails on the way?"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.projects.acceptance.project import Project, alive, family, held, until
from tests.projects.conftest import Exports
from tests.projects.days import FIRST, day, load, rows, wrong

NOTED = "SELECT step, status FROM dq.etl_run WHERE status = 'failed'"
LOCKS = {
    "extract": f"SELECT pg_advisory_xact_lock(hashtext('staging.day'), {FIRST.toordinal()})",
    "load_staging_to_dw": "LOCK TABLE dw.dim_tenant IN EXCLUSIVE MODE",
}


@pytest.fixture
def project(warehouse: str, exports: Exports, tmp_path: Path) -> Iterator[Project]:
    """The project, with runs of its own; each is what its events make it."""
    made = Project.copy(tmp_path / "project", warehouse, exports.s3, exports.bucket)
    yield made
    verified = made.call("runs", "verify", "--all")
    assert verified.code == 0, verified.said


def test_one_day_runs_to_success_and_hands_on_what_it_loaded(
    project: Project, warehouse: str, exports: Exports
) -> None:
    exports.send(FIRST)

    run = project.run(FIRST)

    assert (run.code, run.status) == (0, "success"), run.said
    assert wrong(warehouse, exports.folder, [FIRST]) == []
    loaded = rows(warehouse, "SELECT count(*) FROM dw.fact_feature_usage")[0][0]
    assert run.document["outputs"]["events_loaded"] == loaded
    assert run.step("extract")["outputs"]["vars"]["feature_usage"]["staged"] > loaded
    assert rows(warehouse, "SELECT DISTINCT run_id FROM dq.etl_run") == [(run.id,)]


def test_the_same_day_run_twice_doubles_nothing(project: Project, warehouse: str, exports: Exports) -> None:
    exports.send(FIRST)

    runs = [project.run(FIRST), project.run(FIRST)]

    assert [run.status for run in runs] == ["success", "success"], runs[-1].said
    assert wrong(warehouse, exports.folder, [FIRST]) == []


def test_a_week_run_out_of_order_leaves_the_same_tables(project: Project, warehouse: str, exports: Exports) -> None:
    week = [day(offset) for offset in range(7)]
    exports.send(*week)

    runs = [project.run(one) for one in random.Random(3).sample(week, 7)]

    assert {run.status for run in runs} == {"success"}
    assert wrong(warehouse, exports.folder, week) == []


def test_with_s3_down_the_run_fails_after_its_retries_and_a_restart_ends_it_well(
    project: Project, warehouse: str, exports: Exports
) -> None:
    exports.send(FIRST)
    exports.s3.stop()

    failed = project.run(FIRST)
    noted = rows(warehouse, NOTED)
    exports.s3.start()
    again = project.restart(failed.id)

    assert (failed.code, failed.status) == (1, "failed"), failed.said
    assert failed.tries("extract") == ["failed", "failed", "failed"]
    assert noted == [("run", "failed")]
    assert (again.code, again.status) == (0, "success"), again.said
    assert wrong(warehouse, exports.folder, [FIRST]) == []


def test_after_a_procedure_that_raises_the_restart_does_not_extract_again(
    project: Project, warehouse: str, exports: Exports
) -> None:
    exports.send(FIRST)
    with psycopg.connect(warehouse) as session:
        session.execute("ALTER TABLE dw.fact_feature_usage ADD CONSTRAINT broken CHECK (event_id < 0)")

    failed = project.run(FIRST)
    noted = rows(warehouse, "SELECT message FROM dq.etl_run WHERE status = 'failed'")
    with psycopg.connect(warehouse) as session:
        session.execute("ALTER TABLE dw.fact_feature_usage DROP CONSTRAINT broken")
    again = project.restart(failed.id)

    assert (failed.code, failed.status) == (1, "failed"), failed.said
    assert len(noted) == 1 and "broken" in str(noted[0][0])
    assert (again.code, again.status) == (0, "success"), again.said
    assert again.tries("extract") == ["success"]
    assert again.tries("load_staging_to_dw") == ["failed", "success"]
    assert wrong(warehouse, exports.folder, [FIRST]) == []


def test_an_audit_that_fails_fails_the_run_and_its_answers_stay(
    project: Project, warehouse: str, exports: Exports
) -> None:
    exports.send(FIRST)
    with psycopg.connect(warehouse) as session:
        session.execute("ALTER TABLE dw.dim_feature DROP CONSTRAINT dim_feature_category_check")
        session.execute("INSERT INTO dw.dim_feature VALUES (19, 'editor.fly', 'Fly', 'None')")

    run = project.run(FIRST)

    assert (run.code, run.status) == (1, "failed"), run.said
    assert run.tries("data_quality")[-1] == "failed"
    assert rows(warehouse, "SELECT check_name, actual FROM dq.audit_checks WHERE NOT passed") == [
        ("all features are known", "19")
    ]
    assert rows(warehouse, NOTED) == [("run", "failed")]


@pytest.mark.parametrize("step", ["extract", "load_staging_to_dw"])
def test_killed_with_9_in_the_middle_the_run_goes_on_and_the_tables_are_right(
    project: Project, warehouse: str, exports: Exports, step: str
) -> None:
    exports.send(FIRST)
    load(warehouse)
    with held(warehouse, LOCKS[step]) as waiting, project.started(FIRST) as process:
        until(waiting, f"{step} is at work")
        whole = family(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        until(lambda: not alive(whole), "every process of the killed run is gone")

    again = project.go_on(project.latest())

    assert (again.code, again.status) == (0, "success"), again.said
    assert again.tries(step)[-1] == "success"
    assert step == "extract" or again.tries("extract") == ["success"]
    assert wrong(warehouse, exports.folder, [FIRST]) == []
