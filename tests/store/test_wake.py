"""Is a sleeper woken, whoever wakes and wherever it sleeps, and is nobody harmed who is gone?"""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg

from penstock.store.port import Listener, Store
from penstock.store.postgres.store import open_postgres
from penstock.store.sqlite.store import open_sqlite

Opener = Callable[[], Store]


def test_a_wake_makes_every_listener_readable(opener: Opener) -> None:
    store, other = opener(), opener()
    listeners = [store.listener(), other.listener()]

    store.wake()

    assert [_readable(one) for one in listeners] == [True, True]
    assert [one.drain() for one in listeners] == [True, True]
    assert [one.drain() for one in listeners] == [False, False]
    _close(listeners)


def test_a_store_in_memory_wakes_its_own(tmp_path: Path) -> None:
    with closing(open_sqlite(":memory:")) as store:
        with closing(store.listener()) as listener:
            store.wake()
            assert _readable(listener) and listener.drain() and not listener.drain()
        store.wake()


def test_who_is_awake_on_a_server_is_not_told(dsn: str) -> None:
    with closing(open_postgres(dsn)) as store, closing(store.listener()) as listener:
        listener.arm()
        listener.drain()

        store.wake()
        while_awake = listener.drain()
        listener.arm()
        store.wake()

        assert not while_awake
        assert _readable(listener) and listener.drain()


def test_a_listener_whose_connection_was_lost_comes_back(dsn: str) -> None:
    with closing(open_postgres(dsn)) as store, closing(store.listener()) as listener:
        with psycopg.connect(dsn, autocommit=True) as assassin:
            assassin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%advisory%'"
                " AND pid <> pg_backend_pid() AND datname = current_database()"
            )
        assert _readable(listener)

        # First comes the server's farewell, then the end of the connection.
        while not listener.drain():
            assert _readable(listener)
        back = listener.drain()
        store.wake()

        assert back
        assert _readable(listener) and listener.drain()


def test_a_socket_of_a_dead_process_is_removed(tmp_path: Path) -> None:
    with closing(open_sqlite(tmp_path / "p.db")) as store, closing(store.listener()) as listener:
        (tmp_path / "wake" / "1-dead").touch()

        store.wake()

        assert listener.drain()
        assert len(list((tmp_path / "wake").iterdir())) == 1


def test_a_deep_folder_is_no_hindrance(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with closing(open_sqlite(deep / "p.db")) as store, closing(store.listener()) as listener:
        store.wake()

        assert _readable(listener)


def test_a_sleeper_that_never_looks_does_not_stop_others(tmp_path: Path) -> None:
    with closing(open_sqlite(tmp_path / "p.db")) as store, closing(store.listener()) as listener:
        for _ in range(1000):
            store.wake()

        assert listener.drain() and not listener.drain()


def _readable(listener: Listener) -> bool:
    return bool(select.select([listener], [], [], 10)[0])


def _close(listeners: list[Listener]) -> None:
    for listener in listeners:
        listener.close()
        listener.close()
