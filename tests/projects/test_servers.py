"""Do the servers that demos and tests start for themselves keep what they hold, and leave nothing behind?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import obstore
import psycopg
import pytest
from obstore.store import S3Store

from projects.servers import PostgresServer, S3Server, postgres_server, s3_server
from projects.servers.child import listens

PARENT = """
import pathlib, sys, time
from projects.servers import postgres_server, s3_server
folder = pathlib.Path(sys.argv[1])
with postgres_server(folder / "postgres", fsync=False) as postgres, s3_server(folder / "s3") as s3:
    print(postgres.port, s3.port, flush=True)
    time.sleep(60)
"""


def test_a_restart_by_kill_keeps_what_was_committed(server_folder: Path) -> None:
    with postgres_server(server_folder / "crash") as server:
        dsn = server.create_database("one")
        with psycopg.connect(dsn) as session:
            session.execute("create table kept as select 42 as answer")

        server.restart(kill=True)

        with psycopg.connect(dsn) as session:
            assert session.execute("select answer from kept").fetchall() == [(42,)]


def test_a_second_server_over_a_folder_closed_to_others_finds_the_data(tmp_path: Path) -> None:
    with postgres_server(tmp_path / "postgres") as server:
        server.create_database("one")

    with postgres_server(tmp_path / "postgres") as server, psycopg.connect(server.dsn_of("one")) as session:
        answer = session.execute("select 1").fetchone()

    assert answer == (1,)
    server.destroy()


def test_a_killed_parent_leaves_no_server(server_folder: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells a child that its parent died")
    folder = server_folder / "orphan"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, folder], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    ports = [int(port) for port in parent.stdout.readline().split()]
    assert len(ports) == 2 and all(listens(port) for port in ports)

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    until = time.monotonic() + 10
    while any(listens(port) for port in ports):
        assert time.monotonic() < until, "a server outlived its parent"
    parent.stdout.close()


def test_the_store_keeps_objects_while_it_is_down(s3: S3Server, bucket: str) -> None:
    store = _store(s3, bucket)
    obstore.put(store, "a/b.txt", b"water")

    s3.stop()
    down = listens(s3.port)
    s3.start()

    assert not down
    assert bytes(obstore.get(store, "a/b.txt").bytes()) == b"water"


def test_both_versions_answer_as_what_they_are(postgres: PostgresServer, postgres15: PostgresServer) -> None:
    seen = []

    for server in (postgres, postgres15):
        with psycopg.connect(server.dsn) as session:
            seen.append(session.info.server_version // 10000)

    assert seen == [postgres.version, 15]


def test_without_versitygw_s3_is_motos_server_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with s3_server(tmp_path / "s3") as server:
        server.create_bucket("water")
        server.create_bucket("water")
        obstore.put(_store(server, "water"), "a.txt", b"drop")
        found = bytes(obstore.get(_store(server, "water"), "a.txt").bytes())

    assert (server.kind, found) == ("moto", b"drop")


def _store(server: S3Server, bucket: str) -> S3Store:
    return S3Store(
        bucket,
        endpoint=server.endpoint,
        access_key_id=server.access_key,
        secret_access_key=server.secret_key,
        region=server.region,
        client_options={"allow_http": True},
    )
