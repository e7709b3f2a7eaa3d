"""What does a writer know when the way to PostgreSQL breaks at its COMMIT, and whom does it hold up?"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from penstock.errors.store import CommitUnknown
from penstock.store import kv
from penstock.store.port import Tx
from penstock.store.postgres.session import ANSWER, IDLE
from penstock.store.postgres.store import PostgresStore, open_postgres
from tests.chaos.proxy import Faults, Proxy

NONE = Faults(cut_before=0, cut_after=0, lost_before=0, lost_after=0, cut=0, lost=0, delayed=0)
ONE_OF_THEM = [
    pytest.param(replace(NONE, cut_before=1), False, id="cut before"),
    pytest.param(replace(NONE, cut_after=1), True, id="cut after"),
    pytest.param(replace(NONE, lost_before=1), False, id="silent before"),
    pytest.param(replace(NONE, lost_after=1), True, id="silent after"),
]
SOON = 2.0


@pytest.fixture
def address(database: str) -> str:
    """A database with a store in it."""
    open_postgres(database, migrate=True).close()
    return database


@pytest.fixture
def direct(address: str) -> Iterator[PostgresStore]:
    """The store by a way that is good."""
    with contextlib.closing(open_postgres(address)) as store:
        yield store


@pytest.mark.parametrize(("faults", "happened"), ONE_OF_THEM)
def test_a_commit_without_an_answer_is_unknown_and_holds_nobody_up(
    address: str, direct: PostgresStore, faults: Faults, happened: bool
) -> None:
    with through(address, faults) as store:
        began = time.monotonic()
        with pytest.raises(CommitUnknown):
            store.write(keep)
        took = time.monotonic() - began

        again = time.monotonic()
        there = direct.read(lambda tx: kv.get(tx, "way", "value", 0))
        direct.write(keep)

    assert (there is not None) is happened
    assert took < ANSWER + SOON
    assert time.monotonic() - again < SOON, "what it had locked is free"


def test_who_stands_still_in_a_transaction_is_not_waited_for(direct: PostgresStore, address: str) -> None:
    inside, go_on = threading.Event(), threading.Event()
    tries: list[float] = []

    def stand_still(tx: Tx) -> None:
        tries.append(time.monotonic())
        keep(tx)
        inside.set()
        go_on.wait(30)
        keep(tx)

    with contextlib.closing(open_postgres(address)) as other:
        standing = threading.Thread(target=other.write, args=(stand_still,))
        standing.start()
        inside.wait(10)

        began = time.monotonic()
        direct.write(keep)
        waited = time.monotonic() - began
        go_on.set()
        standing.join(20)

    assert waited < IDLE + SOON
    assert not standing.is_alive()
    assert len(tries) == 2, "what it had begun was rolled back, and done again"


@contextlib.contextmanager
def through(address: str, faults: Faults) -> Iterator[PostgresStore]:
    """The store by a way on which these things happen, once it has been opened."""
    proxy = Proxy(address, faults, random.Random(1))
    proxy.calm = True
    proxy.start()
    with contextlib.closing(proxy), contextlib.closing(open_postgres(proxy.dsn)) as store:
        proxy.calm = False
        yield store
        proxy.calm = True


def keep(tx: Tx) -> None:
    """Write something that another may want to write, too."""
    kv.set_value(tx, "way", "value", 1, now=0)
