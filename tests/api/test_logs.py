"""Do logs come by page, level and text, forwards and back, and as the text that was written?"""

from __future__ import annotations

from penstock.store.chunks import Level, Piece, Stream, Tail, pack
from tests.api.house import House

LEVELS = (Level.INFO, Level.ERROR)


def log(house: House) -> str:
    """A run with two chunks of ten lines each, every other one an error."""
    run_id = house.start(house.push())
    tail = Tail()
    for chunk in range(2):
        pieces = [
            Piece(1_000_000 * (10 * chunk + n), Stream.LOG, f"line {10 * chunk + n}\n".encode(), LEVELS[n % 2])
            for n in range(10)
        ]
        packed, tail = pack(run_id, "say", 1, tail, pieces)
        house.core.store.logs.append([packed])
    return run_id


def pages(house: House, run_id: str, **asked: str | int) -> list[str]:
    """The texts of all pages."""
    found: list[str] = []
    cursor = ""
    while True:
        page = house.client.get(f"/v1/runs/{run_id}/logs", params={**asked, "cursor": cursor}).json()
        found += [each["text"] for each in page["items"]]
        cursor = page["next"]
        if not cursor:
            return found


def test_lines_come_once_each_in_order_and_back(either: House) -> None:
    run_id = log(either)
    every = [f"line {number}" for number in range(20)]

    assert pages(either, run_id, limit=7) == every
    assert pages(either, run_id, limit=7, sort="newest") == every[::-1]
    assert pages(either, run_id, limit=10) == every
    assert pages(either, run_id, limit=100) == every


def test_lines_are_chosen_by_level_text_step_and_attempt(either: House) -> None:
    run_id = log(either)

    assert pages(either, run_id, level="warning", limit=3) == [f"line {number}" for number in range(1, 20, 2)]
    assert pages(either, run_id, text="LINE 1", limit=4) == ["line 1", *(f"line {n}" for n in range(10, 20))]
    assert pages(either, run_id, step="say", attempt=1, text="line 7") == ["line 7"]
    assert pages(either, run_id, step="give") == []


def test_the_text_comes_whole_or_in_part(either: House) -> None:
    run_id = log(either)
    where = f"/v1/runs/{run_id}/logs/text"

    whole = either.client.get(where)
    part = either.client.get(where, params={"step": "say", "attempt": 1, "start": 7, "end": 14})

    assert whole.text == "".join(f"line {number}\n" for number in range(20))
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert whole.headers["content-disposition"] == f'attachment; filename="{run_id}.log"'
    assert part.text == "line 1\n"
    assert either.client.get(where, params={"start": 7}).status_code == 422
