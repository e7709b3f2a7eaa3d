"""Does every row of the tables print what the engine of its version printed, but for those that differ on purpose?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.oracle.tables import Seen, allowed, compared, differences, tables

MIGRATING = Path(__file__).resolve().parents[2] / "docs" / "en" / "migrate-from-kestra.md"
LEAST = 3_000


@pytest.mark.parametrize("name", [table.name for table in tables()])
def test_every_row_of_a_table_prints_what_the_engine_printed(name: str) -> None:
    accounted = allowed()

    differing = [seen for seen in compared([name]) if not seen.same and (seen.table, seen.row) not in accounted]

    assert not differing, "\n".join(map(told, differing))


def test_every_row_has_an_answer_of_both_engines() -> None:
    asked = {(table.name, version): len(rows) for table in tables() for version, rows in table.answers.items()}

    assert sum(len(table.rows) for table in tables()) >= LEAST
    assert asked == {(table.name, version): len(table.rows) for table in tables() for version in ("1", "2")}


def test_every_row_that_is_said_to_differ_still_does() -> None:
    differing = {(seen.table, seen.row) for seen in compared() if not seen.same}

    assert allowed() <= differing, sorted(allowed() - differing)


def test_every_reason_to_differ_is_told_to_those_who_migrate() -> None:
    page = MIGRATING.read_text(encoding="utf-8")

    missing = [one.reason for one in differences() if f"| {one.reason} |" not in page]

    assert not missing


def told(seen: Seen) -> str:
    return f"{seen.version}: {seen.row}\n  theirs {seen.theirs}\n  ours   {seen.ours}"
