"""How does a test put a pooler before PostgreSQL? PgBouncer, which gives each transaction whichever connection is free.

The fixture `pooler` stands before PostgreSQL 15 with as few connections as make it give others' to us all the time.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from psycopg.conninfo import conninfo_to_dict

from projects.servers import PostgresServer
from projects.servers.child import await_ready, free_port, listens, spawn, stop
from tests.brokers import wanted

CONNECTIONS = 3
SETTINGS = """
[databases]
* = host=127.0.0.1 port={behind}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
max_client_conn = 500
default_pool_size = {connections}
server_login_retry = 0.2
logfile = {folder}/log
"""


class Pooler(msgspec.Struct, frozen=True):
    """A PgBouncer in the mode that keeps nothing beyond a transaction."""

    port: int

    def before(self, dsn: str) -> str:
        """The address of a database by way of it."""
        known = conninfo_to_dict(dsn)
        return f"postgresql://{known['user']}:{known['password']}@127.0.0.1:{self.port}/{known['dbname']}"


@pytest.fixture(scope="session")
def pooler(postgres15: PostgresServer, server_folder: Path) -> Iterator[Pooler]:
    """A pooler before PostgreSQL 15."""
    program = wanted("pgbouncer", "pgbouncer")
    folder, port = server_folder / "pooler", free_port()
    folder.mkdir()
    known = conninfo_to_dict(postgres15.dsn)
    (folder / "users").write_text(f'"{known["user"]}" "{known["password"]}"\n')
    (folder / "settings").write_text(
        SETTINGS.format(behind=known["port"], port=port, folder=folder, connections=CONNECTIONS)
    )
    (folder / "log").touch(mode=0o666)
    (folder / "log").chmod(0o666)
    who = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = spawn([program, *who, str(folder / "settings")], log=folder / "said")
    try:
        await_ready(process, folder / "said", lambda: listens(port), what="pgbouncer")
        yield Pooler(port)
    finally:
        stop(process, signal.SIGINT)
