"""Is a run that has ended counted once, on its day, whatever becomes of it, and are sums what the runs come to?"""

from __future__ import annotations

from functools import partial

from penstock.model.access import EVERYWHERE, Scope
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.store import runs, stats
from penstock.store.port import Store, Tx
from penstock.store.stats import DAY, Ends, Place, Span
from tests.store.conftest import Opener
from tests.store.makers import NOW, a_run

TODAY = NOW // DAY
WEEK = Span(since=TODAY - 6, until=TODAY + 1)


def ended(took: int, status: RunStatus = RunStatus.SUCCESS, **changes: object) -> Run:
    """A run that has ended after so many microseconds."""
    return a_run(status=status, started_at=NOW, ended_at=NOW + took, **changes)


def keep(tx: Tx, *several: Run) -> None:
    """Write runs, and count them."""
    for run in several:
        runs.insert(tx, run)
        stats.turn(tx, None, run)


def everything(tx: Tx) -> list[Ends]:
    """All that is counted."""
    return stats.page(tx, EVERYWHERE, WEEK, Place())[0]


def summed(store: Store) -> int:
    """Sum up what waits."""
    return store.write(lambda tx: stats.sum_up(tx) if stats.hold(tx) or stats.begin(tx) else 0)


def test_what_is_told_is_the_same_before_and_after_it_is_summed_up(store: Store) -> None:
    several = [ended(1_200_000), ended(1_290_000), ended(9_000, RunStatus.FAILED), ended(5, flow="other")]
    store.write(lambda tx: keep(tx, *several))

    before = store.read(everything)
    moved = summed(store)

    assert before == store.read(everything)
    assert moved == 4 and summed(store) == 0
    assert [(each.flow, each.status, each.runs, each.took) for each in before] == [
        ("load", "failed", 1, 9_000),
        ("load", "success", 2, 2_490_000),
        ("other", "success", 1, 5),
    ]


def test_a_run_that_goes_on_is_taken_away_again(store: Store) -> None:
    first = ended(1_200_000, RunStatus.FAILED)
    store.write(lambda tx: keep(tx, first))
    summed(store)

    again = a_run(id=first.id)
    store.write(lambda tx: stats.turn(tx, first, again))
    summed(store)
    store.write(lambda tx: stats.turn(tx, again, ended(3_000_000, id=first.id)))

    assert [(each.status, each.runs, each.took) for each in store.read(everything) if each.runs] == [
        ("success", 1, 3_000_000)
    ]


def test_runs_that_look_or_go_on_are_not_counted(store: Store) -> None:
    store.write(lambda tx: keep(tx, a_run(), ended(5, flow="load~poll")))

    assert store.read(everything) == []


def test_what_is_counted_anew_is_what_was_counted(store: Store) -> None:
    lengths = [0, 999, 1_000, 9_999, 10_000, 19_999, 20_000, 49_000, 50_000, 99_999, 123_456, 987_654_321]
    several = [
        ended(took, status, created_at=NOW - day * DAY)
        for took in lengths for status in (RunStatus.SUCCESS, RunStatus.KILLED) for day in (0, 3)
    ]  # fmt: skip
    several.append(a_run(status=RunStatus.CANCELLED, ended_at=NOW))
    store.write(lambda tx: keep(tx, *several))
    summed(store)
    store.write(lambda tx: keep(tx, ended(7_000_000)))
    before = store.read(everything)

    count = store.write(lambda tx: stats.recount(tx, 0))

    assert count == len(several) + 1
    assert store.read(everything) == before
    assert summed(store) == 0, "what waited has been counted with the rest"


def test_runs_that_were_removed_stay_counted(store: Store) -> None:
    store.write(lambda tx: keep(tx, ended(5, created_at=NOW - 3 * DAY), ended(6)))
    before = store.read(everything)

    store.write(lambda tx: stats.removing(tx, NOW - 2 * DAY))
    store.write(lambda tx: tx.many("prune.runs", [{"runs": [run.id for run in runs.list_runs(tx, runs.Filter())[1:]]}]))
    store.write(lambda tx: stats.recount(tx, stats.first_whole(tx)))

    assert store.read(everything) == before


def test_a_page_goes_on_behind_its_place_and_keeps_to_its_scope(store: Store) -> None:
    store.write(lambda tx: keep(tx, ended(5), ended(5, flow="other"), ended(5, namespace="shop.us")))

    behind, _ = store.read(lambda tx: stats.page(tx, EVERYWHERE, WEEK, Place("shop.eu", "load", TODAY)))
    mine = store.read(lambda tx: stats.days(tx, Scope(namespaces=("shop.us",)), WEEK))
    none, _ = store.read(lambda tx: stats.page(tx, EVERYWHERE, Span(since=0, until=TODAY, namespace="shop"), Place()))

    assert [(each.namespace, each.flow) for each in behind] == [("shop.eu", "other"), ("shop.us", "load")]
    assert [(each.day, each.runs) for each in mine] == [(TODAY, 1)]
    assert none == []


def test_only_one_sums_up_at_a_time_and_who_comes_second_leaves_it(opener: Opener) -> None:
    first, second = opener(), opener()
    if first.kind == "sqlite":
        return  # there a transaction that writes is alone anyway
    first.write(stats.begin)
    first.write(lambda tx: keep(tx, ended(5)))

    def work(tx: Tx) -> tuple[bool, bool, int]:
        mine = stats.hold(tx)
        other = second.write(lambda late: stats.hold(late) or stats.begin(late))
        second.write(lambda late: keep(late, ended(6)))
        return mine, other, stats.sum_up(tx)

    assert first.write(work) == (True, False, 2)
    assert summed(second) == 0 and sum(each.runs for each in first.read(everything)) == 2


def test_what_is_cut_off_comes_with_the_next_page(store: Store) -> None:
    several = [ended(took, flow=flow) for flow in ("a", "b", "c") for took in (1_000, 20_000, 300_000)]
    store.write(lambda tx: keep(tx, *several))
    summed(store)
    store.write(lambda tx: keep(tx, ended(9_000_000, flow="a"), ended(9_000_000, flow="bb")))
    whole = store.read(everything)

    pages, place, over = [], Place(), False
    while not over:
        found, over = store.read(partial(stats.page, scope=EVERYWHERE, span=WEEK, after=place, most=5))
        pages.append(found)
        place = Place(found[-1].namespace, found[-1].flow, found[-1].day)

    assert [each for page in pages for each in page] == whole
    assert len(pages) > 1 and {each.flow for each in pages[0]} == {"a"}


def test_a_duration_lies_within_its_length() -> None:
    for took in [*range(0, 3_000_000, 777), 86_400_000_000, 123_456_789_012]:
        low, high = stats.bounds_of(stats.length_of(took))

        assert low <= took < high
        assert took < 20_000 or high - low <= low / 9
