"""Are generated exports the same each time, and do they hold everything that real ones get wrong?"""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from obstore.store import LocalStore

from projects.warehouse.generate import Recipe, upload, write_days
from projects.warehouse.model import expect
from tests.projects.days import FIRST, day


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    recipe = Recipe(events=300)

    one = write_days(recipe, [FIRST, day(1)], tmp_path / "one")
    two = write_days(recipe, [day(1), FIRST], tmp_path / "two")

    assert {path.relative_to(tmp_path / "one"): path.read_bytes() for path in one} == {
        path.relative_to(tmp_path / "two"): path.read_bytes() for path in two
    }


def test_another_seed_writes_other_events(tmp_path: Path) -> None:
    (*_, one) = write_days(Recipe(events=50), [FIRST], tmp_path / "one")

    (*_, two) = write_days(Recipe(events=50, seed=7), [FIRST], tmp_path / "two")

    assert one.name == two.name and one.read_bytes() != two.read_bytes()


def test_every_day_of_the_month_has_every_kind_of_bad_row(tmp_path: Path) -> None:
    recipe = Recipe(events=200)
    write_days(recipe, recipe.days, tmp_path)

    for one in recipe.days[:-1]:
        reasons = {row[3] for row in expect(tmp_path, [one]).rejects if row[1] == "feature_usage"}
        assert reasons == {"NULL", "DUPLICATE", "UNKNOWN_FK", "NEGATIVE_DURATION", "BAD_FORMAT"}


def test_users_change_and_change_back_and_events_come_late_and_before_their_users(tmp_path: Path) -> None:
    recipe = Recipe(events=4_000, bad_every=0)
    write_days(recipe, recipe.days, tmp_path)

    whole = expect(tmp_path, recipe.days)
    first_day = expect(tmp_path, [recipe.days[0]])

    late = [fact for fact in whole.facts if str(fact[1]) < str(fact[8]).replace("-", "")]
    assert max(row[1] for row in whole.users if isinstance(row[1], int)) >= 3
    assert 0.005 < len(late) / len(whole.facts) < 0.02
    assert {row[3] for row in first_day.rejects} == {"UNKNOWN_FK"}  # those of users who join the day after


def test_a_day_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    recipe = Recipe(events=50)
    before = {path: path.stat().st_mtime_ns for path in write_days(recipe, [FIRST], tmp_path)}

    again = write_days(recipe, [FIRST, day(1)], tmp_path)

    assert {path: path.stat().st_mtime_ns for path in again if path in before} == before
    assert len(again) == 2 * len(before)


def test_only_what_the_bucket_lacks_is_sent(tmp_path: Path) -> None:
    files = write_days(Recipe(events=50), [FIRST], tmp_path / "files")
    store = LocalStore(tmp_path / "bucket", mkdir=True)
    first = upload(store, tmp_path / "files", files)

    files += write_days(Recipe(events=50), [day(1)], tmp_path / "files")
    second = upload(store, tmp_path / "files", files)

    assert (first, second) == (3, 3)


def test_a_large_day_is_written_part_by_part(tmp_path: Path) -> None:
    small = Recipe(events=2_000, part_lines=1_000)
    large = Recipe(events=20_000, part_lines=1_000)
    peaks = []

    for recipe in (small, large):
        tracemalloc.start()
        files = write_days(recipe, [FIRST], tmp_path / str(recipe.events))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert len(files) > 20
    assert peaks[1] < peaks[0] * 2
