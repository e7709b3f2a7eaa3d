"""Does the flow bring every event into the tables, once, however often it runs?"""

from __future__ import annotations

from pathlib import Path

import pytest

from projects.lakehouse.services.stack import Stack
from tests.lakehouse import lineages
from tests.lakehouse.pipeline import FLOW, LINEAGE, PROJECT, Pipeline, cancelled, copied

PICTURE = PROJECT / "lineage.svg"
pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]


@pytest.fixture
def pipeline(lakehouse: Stack, tmp_path: Path) -> Pipeline:
    """The project, pointed at the running servers."""
    return copied(lakehouse, tmp_path)


def test_events_become_tables_once_and_more_of_them_are_added(pipeline: Pipeline, lakehouse: Stack) -> None:
    first = pipeline.run(events=6_000, name="flowing")
    pipeline.check(first["id"], "flowing")
    picture = lineages.shown(PICTURE.read_text(), "trips")
    assert lineages.drawn(lineages.told(pipeline.folder / LINEAGE), "flowing") == picture
    second = pipeline.run(events=10_000, name="flowing")
    assert "10,000    10,000" in pipeline.check(second["id"], "flowing")
    again = lineages.told(pipeline.folder / LINEAGE)
    assert lineages.drawn(again, "flowing") == picture, "of jobs that lived already it is told, too"
    for job in ("flowing-bronze", "flowing-silver"):
        cancelled(lakehouse, job)


def test_what_is_there_is_read_to_its_end_and_written_over_the_next_time(pipeline: Pipeline) -> None:
    first = pipeline.run(events=2_000, name="ended", mode="bounded")
    pipeline.check(first["id"], "ended")
    told = lineages.told(pipeline.folder / LINEAGE)
    assert lineages.drawn(told, "ended") == lineages.shown(PICTURE.read_text(), "trips")
    other = pipeline.begin("run", FLOW, name="ended", mode="streaming")
    assert other.ended() == 2
    assert "a name keeps its mode" in other.said
    second = pipeline.run(events=2_000, name="ended", mode="bounded", target="postgres")
    pipeline.check(second["id"], "ended", "postgres")
    assert "Dollars a mile; null where no trip begins." in pipeline.text(second["outputs"]["docs"])
    _, arrows = lineages.drawn(lineages.told(pipeline.folder / LINEAGE), "ended")
    assert {("submit_flink_silver", "silver"), ("silver", "silver"), ("silver", "revenue_by_day")} <= arrows
