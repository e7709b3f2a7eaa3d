"""Are logs kept whole when the store is slow, locked or away for a while?"""

from __future__ import annotations

import sqlite3
import threading

from penstock.model.status import RunStatus
from penstock.services.worker.logs import FULL, Log, LogWriter
from penstock.store.chunks import Piece, Stream, cut
from tests.worker.workshop import Workshop, shell


def test_logs_that_the_store_cannot_take_are_kept_for_when_it_can(workshop: Workshop) -> None:
    worker = workshop.worker()
    locked = sqlite3.connect(workshop.state / "penstock-logs.db", isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    run_id = workshop.start(shell("talk", "echo one"), shell("more", "echo two"))

    def ended() -> bool:
        if not workshop.of(run_id).status.ended:
            return False
        locked.execute("ROLLBACK")
        locked.close()
        return True

    workshop.until(worker, ended)

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert workshop.log(run_id) == "one\ntwo\n"


def test_a_full_writer_says_so_and_says_when_it_is_relieved(workshop: Workshop) -> None:
    relieved = threading.Event()
    writer = LogWriter(workshop.store, relieved.set)
    log = Log("r", "s", 1)
    piece = Piece(1, Stream.OUT, b"0123456789\n" * 100_000)
    count = FULL // len(piece.text) + 1

    for _ in range(count):
        writer.put(log, piece)
    was_full = writer.full
    writer.start()

    assert was_full
    assert relieved.wait(30)
    writer.close()
    assert sum(len(kept.text) for kept in cut(workshop.store.logs.read("r"))) == count * len(piece.text)


def test_hundreds_of_thousands_of_lines_are_all_there_in_order(workshop: Workshop) -> None:
    run_id = workshop.run(shell("count", "seq 300000"))

    assert workshop.log(run_id) == "".join(f"{number}\n" for number in range(1, 300_001))
