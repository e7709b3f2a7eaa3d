"""Can days be filled in from the command line: seen first, begun, looked at, paused, cancelled, tried again?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Penstock

DAILY = """
id: daily
namespace: play
inputs:
  - id: day
    type: DATE
tasks:
  - id: say
    type: return
    format: "{{ inputs.day }}"
"""
SPAN = ("daily.yml", "--from", "2016-01-01", "--to", "2016-01-03", "-i", "day={{ date }}")


@pytest.fixture(autouse=True)
def flow(penstock: Penstock) -> None:
    """A flow in the folder that commands are called in."""
    Path("daily.yml").write_text(DAILY)


def begun(penstock: Penstock) -> str:
    done = penstock("backfill", *SPAN)
    assert done.code == 0, done.err
    assert "3 runs of play.daily are to start, 4 at once" in done.err
    assert "No server stands" in done.err
    return done.out.strip()


def test_what_would_run_is_shown_and_nothing_starts(penstock: Penstock) -> None:
    done = penstock("backfill", *SPAN, "--dry-run", "--newest-first")

    assert [line.split() for line in done.out.splitlines()[1:]] == [
        ["2016-01-03", "day=2016-01-03"],
        ["2016-01-02", "day=2016-01-02"],
        ["2016-01-01", "day=2016-01-01"],
    ]
    assert penstock("backfills", "list", "--json").json() == []


def test_it_is_begun_listed_and_shown(penstock: Penstock) -> None:
    made = begun(penstock)
    unknown = penstock("backfills", "show", "nothing")

    listed = penstock("backfills", "list")
    shown = penstock("backfills", "show", made, "--json").json()

    assert 'no backfill "nothing"' in unknown.err
    assert "0 of 3 done" in listed.out
    assert (shown["status"], shown["progress"]["waiting"], shown["atOnce"]) == ("running", 3, 4)
    assert [run["planned"]["name"] for run in shown["runs"]] == ["2016-01-01", "2016-01-02", "2016-01-03"]


def test_it_is_paused_resumed_cancelled_and_tried_again(penstock: Penstock) -> None:
    made = begun(penstock)

    told = [
        penstock("backfills", *words).err.strip()
        for words in (("pause", made), ("resume", made, "--at-once", "9"), ("cancel", made), ("retry", made))
    ]

    assert told == [
        "The backfill of play.daily is paused.",
        "The backfill of play.daily is running.",
        "The backfill of play.daily is cancelled.",
        "3 runs of play.daily are to start again.",
    ]
    assert penstock("backfills", "show", made, "--json").json()["atOnce"] == 9


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("days.csv", "day\n2016-01-01\n2016-02-01\n"),
        ("days.jsonl", '{"day": "2016-01-01"}\n{"day": "2016-02-01"}\n'),
        ("days.json", '[{"day": "2016-01-01"}, {"day": "2016-02-01"}]'),
    ],
)
def test_sets_of_inputs_come_from_a_file(penstock: Penstock, name: str, text: str) -> None:
    Path(name).write_text(text)

    planned = penstock("backfill", "daily.yml", "--sets", name, "--dry-run", "--json").json()

    assert [one["inputs"]["day"] for one in planned] == ["2016-01-01", "2016-02-01"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("backfill", "daily.yml"), "--from and --to, or --sets"),
        (("backfill", "daily.yml", "--from", "soon", "--to", "2016-01-01"), "is no instant"),
        (("backfill", "daily.yml", "--from", "2016-01-01", "--to", "2016-01-02"), '"day" (DATE) is required'),
    ],
)
def test_what_is_wrong_is_told(penstock: Penstock, words: tuple[str, ...], told: str) -> None:
    done = penstock(*words)

    assert done.code != 0
    assert told in done.err
