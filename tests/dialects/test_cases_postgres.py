"""Do the flows of the cases end on PostgreSQL as they do on SQLite? Some of them each time, all of them in `long`."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator

import psycopg
import pytest

from penstock.clock import Clock
from penstock.store.port import Store
from penstock.store.postgres.store import open_postgres
from tests.servers import Postgres, postgres, server_folder
from tests.store.conftest import CLEAN
from tools.oracle.cases import Case, allowed, topics
from tools.oracle.comparable import Told
from tools.oracle.flows import Seen, kept_answers, ours, shown

__all__ = ["postgres", "server_folder"]

Opener = Callable[[Clock], Store]
NAMES = [topic.name for topic in topics()]
# Of the cases that nobody has marked for every database, one in so many is run each time.
SHARE = 12


@pytest.fixture(scope="module")
def opener(postgres: Postgres) -> Iterator[Opener]:
    """What opens one store again and again, empty each time."""
    name = f"cases_{os.getpid()}"
    address = postgres.create_database(name)
    open_postgres(address).close()
    with psycopg.connect(address, autocommit=True) as session:

        def fresh(clock: Clock) -> Store:
            session.execute(CLEAN)
            return open_postgres(address, clock)

        yield fresh
    postgres.drop_database(name)


@pytest.mark.parametrize("name", NAMES)
def test_some_cases_of_a_topic_end_on_postgresql_as_they_ended_there(name: str, opener: Opener) -> None:
    chosen = [each for each in to_be_run(name) if each[0].everywhere or zlib.crc32(each[0].id.encode()) % SHARE == 0]

    differing = differing_of(name, chosen, opener)

    assert not differing, "\n".join(map(shown, differing))


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_every_case_of_a_topic_ends_on_postgresql_as_it_ended_there(name: str, opener: Opener) -> None:
    differing = differing_of(name, to_be_run(name), opener)

    assert not differing, "\n".join(map(shown, differing))


def to_be_run(name: str) -> list[tuple[Case, str, Told]]:
    """What runs at all, each under the last version it is about: what is refused never comes to a database."""
    (topic,) = topics([name])
    answered = [(case, kept_answers(topic, case)[-1:]) for case in topic.cases]
    return [(case, version, said) for case, last in answered for version, said in last if "refused" not in said]


def differing_of(name: str, chosen: list[tuple[Case, str, Told]], opener: Opener) -> list[Seen]:
    accounted = allowed()
    found = [Seen(name, case.case, version, said, ours(case, version, opener)) for case, version, said in chosen]
    return [seen for seen in found if seen.differing and (name, seen.case) not in accounted]
