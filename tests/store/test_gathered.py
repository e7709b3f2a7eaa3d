"""Are rows that were gathered all written, and seen by whoever asks in the same transaction?"""

from __future__ import annotations

from penstock.store import feed
from penstock.store.gathered import Gathered
from penstock.store.port import Store, Tx


def test_rows_of_several_kinds_are_written_whatever_came_between(store: Store) -> None:
    def work(tx: Tx) -> None:
        gathered = Gathered(tx)
        for number in range(70):
            feed.append(gathered, [("run", f"r{number}", number)], 1)
            gathered.many("timers.clear", [{"run_id": f"r{number}"}])
        gathered.flush()

    store.write(work)

    found = store.read(lambda tx: feed.read_after(tx, 0))
    assert [(item.key, item.version) for item in found] == [(f"r{number}", number) for number in range(70)]


def test_what_is_asked_sees_what_was_gathered_before(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        gathered = Gathered(tx)
        seen = []
        for number in range(3):
            feed.append(gathered, [("run", f"r{number}", number)], 1)
            seen.append(len(feed.read_after(gathered, 0)))
        return seen

    assert store.write(work) == [1, 2, 3]
