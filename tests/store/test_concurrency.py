"""Do two processes on one store keep out of each other's way?"""

from __future__ import annotations

import fcntl
import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from penstock.model.effect import Want, Work
from penstock.model.policy import Limit
from penstock.store import feed, limits, queue, runs
from penstock.store.port import Store, Tx
from penstock.store.postgres.store import open_postgres
from penstock.store.sqlite.store import open_sqlite
from penstock.store.sqlite.ticket import Ticket
from tests.store.makers import NOW, a_run, ready

Opener = Callable[[], Store]


def test_claims_of_two_workers_are_disjoint_and_leave_nothing(opener: Opener) -> None:
    stores = [opener(), opener(), opener()]
    names = [f"s{number}" for number in range(60)]
    stores[0].write(lambda tx: ready(tx, "r", *names))
    taken: list[queue.Claim] = []

    def work(store: Store, worker: str) -> None:
        while some := store.write(lambda tx: queue.claim(tx, worker, 3, NOW)):
            taken.extend(some)

    _side_by_side([functools.partial(work, stores[i], f"w{i}") for i in range(3)])

    assert sorted(one.step for one in taken) == sorted(names)
    assert len({one.fence for one in taken}) == 60
    assert len(stores[0].read(lambda tx: queue.claims_of(tx, "r"))) == 60


def test_of_saves_upon_one_version_one_wins(opener: Opener) -> None:
    stores = [opener() for _ in range(4)]
    run = a_run()
    stores[0].write(lambda tx: runs.insert(tx, run))
    won: list[int] = []

    def save(number: int) -> None:
        if stores[number].write(lambda tx: runs.save(tx, msgspec.structs.replace(run, priority=number), 0)):
            won.append(number)

    _side_by_side([functools.partial(save, i) for i in range(4)])

    kept = stores[0].read(lambda tx: runs.load(tx, run.id))
    assert len(won) == 1
    assert kept is not None and (kept.version, kept.priority) == (1, won[0])


def test_a_locked_run_is_passed_by_and_its_children_rows_are_not(dsn_opener: Opener) -> None:
    holder, other = dsn_opener(), dsn_opener()
    run, free = a_run(), a_run()
    holder.write(lambda tx: [runs.insert(tx, one) for one in (run, free)])

    with _holding(holder, lambda tx: runs.lock(tx, run.id)):
        passed = other.write(lambda tx: (runs.lock(tx, run.id), runs.lock(tx, free.id)))
    after = other.write(lambda tx: runs.lock(tx, run.id))

    assert passed == (None, 0)
    assert after == 0


def test_a_claim_passes_by_rows_that_another_is_just_taking(dsn_opener: Opener) -> None:
    holder, other = dsn_opener(), dsn_opener()
    holder.write(lambda tx: ready(tx, "r", "a", "b"))

    with _holding(holder, lambda tx: queue.claim(tx, "w1", 1, NOW)):
        taken = other.write(lambda tx: queue.claim(tx, "w2", 9, NOW))

    assert [one.step for one in taken] == ["b"]


def test_who_lines_up_while_a_claim_is_in_flight_is_claimed_soon_after(dsn_opener: Opener) -> None:
    worker, other = dsn_opener(), dsn_opener()
    worker.write(lambda tx: ready(tx, "r", *(f"s{number}" for number in range(9))))
    now, cursor = NOW, None
    held: list[queue.Claim] = []

    for _ in range(4):
        now += queue.CURSOR_LAG // 2
        taken = worker.write(functools.partial(queue.claim, worker="w", room=1, now=now, cursor=cursor))
        cursor = queue.advance(cursor, taken, 1, now)
    with _holding(worker, lambda tx: held.extend(queue.claim(tx, "w", 2, now, cursor))):
        # It sees what is being claimed, and takes its place there.
        click = queue.Line("click")
        other.write(lambda tx: queue.make_ready(tx, "r", [("click", 1, Work.TASK)], 0, "", NOW, click))
    cursor = queue.advance(cursor, held, 2, now)

    assert cursor is not None and cursor.behind(now), "it does not look at all"
    assert [one.step for one in worker.write(lambda tx: queue.claim(tx, "w", 1, now, cursor))] == ["click"]


def test_of_two_admissions_at_once_one_takes_the_last_slot(opener: Opener) -> None:
    stores = [opener(), opener(), opener()]

    def wait(tx: Tx) -> None:
        for name in ("r0", "r1", "r2"):
            limits.block(tx, limits.Waiter(run=name, since=NOW), [Want("shop.load", Limit(1))])

    stores[0].write(wait)

    def admit(tx: Tx) -> None:
        limits.lock_limits(tx, ["shop.load"])
        for waiting in limits.waiting(tx, "shop.load"):
            if limits.live(tx, waiting.name) < waiting.limit.count:
                limits.admit(tx, waiting, [waiting], NOW, NOW)

    _side_by_side([functools.partial(stores[i].write, admit) for i in range(3)])

    assert stores[0].read(lambda tx: limits.live(tx, "shop.load")) == 1
    assert len(stores[0].read(lambda tx: limits.waiting(tx, "shop.load"))) == 2


def test_a_row_of_the_feed_that_is_committed_late_is_still_read(dsn_opener: Opener) -> None:
    slow, fast = dsn_opener(), dsn_opener()
    place = fast.read(feed.start)

    with _holding(slow, lambda tx: feed.append(tx, [("run", "slow", 1)], NOW)):
        fast.write(lambda tx: feed.append(tx, [("run", "fast", 1)], NOW))
        early, place = fast.read(lambda tx: feed.read(tx, place, NOW))
    late, _ = fast.read(lambda tx: feed.read(tx, place, NOW + 1))

    assert [one.key for one in early][-1:] == ["fast"]
    assert [one.key for one in late] == ["slow"]


def test_who_waits_for_the_ticket_is_not_overtaken(tmp_path: Path) -> None:
    with closing(Ticket(tmp_path / "t")) as greedy, closing(Ticket(tmp_path / "t")) as patient:
        order: list[str] = []

        def come() -> None:
            patient.take()
            order.append("patient")
            patient.leave()

        greedy.take()
        thread = threading.Thread(target=come)
        thread.start()
        _wait_for_lock(tmp_path / "t-door")
        greedy.leave()
        greedy.take()
        order.append("greedy")
        greedy.leave()
        thread.join()

    assert order == ["patient", "greedy"]


def test_a_crowd_of_writers_all_come_to_their_turn(tmp_path: Path) -> None:
    stores = [open_sqlite(tmp_path / "penstock.db") for _ in range(4)]
    counts = [0] * 4

    def write(number: int) -> None:
        for _ in range(25):
            stores[number].write(lambda tx: runs.insert(tx, a_run()))
            counts[number] += 1

    _side_by_side([functools.partial(write, i) for i in range(4)])
    kept = stores[0].read(lambda tx: sum(runs.counts(tx).values()))
    for store in stores:
        store.close()

    assert counts == [25] * 4
    assert kept == 100


@pytest.fixture
def dsn_opener(dsn: str) -> Iterator[Opener]:
    """What opens the same empty store on PostgreSQL again each time."""
    opened: list[Store] = []

    def one() -> Store:
        opened.append(open_postgres(dsn))
        return opened[-1]

    yield one
    for store in opened:
        store.close()


@contextmanager
def _holding(store: Store, act: Callable[[Tx], object]) -> Iterator[None]:
    """Do something in a transaction of another thread, and leave it open while the block runs."""
    inside, leave = threading.Event(), threading.Event()

    def work(tx: Tx) -> None:
        act(tx)
        inside.set()
        assert leave.wait(30)

    thread = threading.Thread(target=lambda: store.write(work))
    thread.start()
    assert inside.wait(30)
    try:
        yield
    finally:
        leave.set()
        thread.join(30)


def _side_by_side(acts: list[Callable[[], object]]) -> None:
    """Run all at once, and raise what any of them raised."""
    start = threading.Barrier(len(acts))
    errors: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        start.wait(30)
        try:
            act()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]


def _wait_for_lock(path: Path) -> None:
    """Return once somebody holds the lock on a file."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)
