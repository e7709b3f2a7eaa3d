"""Does every flow of the cases end as it ended in the engine of its version, but for those that differ on purpose?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dialects.ending import ABOUT_FLOWS, check_topic
from tools.oracle.cases import allowed, differences, topics

MIGRATING = Path(__file__).resolve().parents[2] / "docs" / "en" / "migrate-from-kestra.md"
LEAST = 1_500


@pytest.mark.parametrize("name", ABOUT_FLOWS)
def test_every_case_of_a_topic_ends_as_it_ended_there(name: str) -> None:
    check_topic(name)


def test_every_case_has_an_answer_of_each_engine_it_is_about() -> None:
    lacking = [
        (topic.name, version, case.case)
        for topic in topics()
        for case in topic.cases
        for version in case.versions
        if case.case not in topic.answers.get(version, {})
    ]

    assert not lacking
    assert sum(len(topic.cases) for topic in topics()) >= LEAST


def test_no_two_cases_have_one_name() -> None:
    names = [case.id for topic in topics() for case in topic.cases]

    assert len(names) == len(set(names))


def test_every_case_that_is_said_to_differ_exists() -> None:
    known = {(topic.name, case.case) for topic in topics() for case in topic.cases}

    assert allowed() <= known, sorted(allowed() - known)


def test_every_reason_to_differ_is_told_to_those_who_migrate() -> None:
    page = MIGRATING.read_text(encoding="utf-8")

    missing = [one.reason for one in differences() if f"| {one.reason} |" not in page]

    assert not missing
