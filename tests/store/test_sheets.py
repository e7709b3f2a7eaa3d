"""How do rows travel to PostgreSQL? As few statements as can be, each of them prepared once for many sizes."""

from __future__ import annotations

from penstock.store.postgres.lane import MOST_ROWS, sheets
from penstock.store.statements import spread


def test_rows_go_out_in_statements_of_one_two_four_and_so_on() -> None:
    rows: list[dict[str, object]] = [
        {"what": "run", "key": str(n), "version": n, "at": 0} for n in range(MOST_ROWS + 7)
    ]

    written = list(sheets("feed.append", rows))

    assert [len(values) // 4 for _, values in written] == [MOST_ROWS, 4, 2, 1]
    assert [value for _, values in written for value in values[1::4]] == [row["key"] for row in rows]
    assert written[2][0].endswith("VALUES ($1, $2, $3, $4), ($5, $6, $7, $8)")


def test_of_two_rows_for_the_same_the_later_one_goes_out() -> None:
    def row(attempt: int, body: str) -> dict[str, object]:
        return {"run_id": "r", "step": "a", "attempt": attempt, "node": "a", "body": body, "uri": None, "size": 1}

    ((_, values),) = sheets("outputs.put", [row(1, "old"), row(2, "other"), row(1, "new")])

    assert [values[4], values[11]] == ["new", "other"]


def test_statements_that_are_no_plain_inserts_go_out_row_by_row() -> None:
    rows: list[dict[str, object]] = [{"run_id": "r"}, {"run_id": "s"}]

    assert [values for _, values in sheets("timers.clear", rows)] == [["r"], ["s"]]


def test_large_bodies_travel_alone() -> None:
    rows: list[dict[str, object]] = [dict.fromkeys(spread_names("logs.append"), b"x") for _ in range(3)]

    assert len(list(sheets("logs.append", rows))) == 3


def spread_names(query: str) -> tuple[str, ...]:
    """The values that a row of a query has."""
    found = spread(query, 1)
    assert found is not None
    return found.names
