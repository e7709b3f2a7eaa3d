"""Which databases and brokers of Debian's packages do tests start for themselves? One each per session, on free ports.

Fixtures `mariadb`, `redis_server`, `mosquitto`, `rabbitmq`; each is a fresh server with a user of its own, and gone
afterwards. What this machine does not have skips the test, except where the environment says CI: there it fails.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from projects.servers.child import await_ready, free_port, listens, spawn, stop
from tests.servers import DEMANDED

# RabbitMQ's own programs first: those that Debian puts before them run for one user alone.
SYSTEM = f"/usr/lib/rabbitmq/bin:{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
USER, PASSWORD = "shop", "not to be told"
INIT = f"""
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';
GRANT ALL ON shop.* TO '{USER}'@'%';
"""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A server that runs, and who may use it."""

    port: int
    user: str = USER
    password: str = PASSWORD


@pytest.fixture(scope="session")
def mariadb(server_folder: Path) -> Iterator[Served]:
    """MariaDB with an empty database `shop`."""
    program, install = wanted("mariadbd", "mariadb-server-core"), wanted("mariadb-install-db", "mariadb-server-core")
    folder = server_folder / "mariadb"
    (folder / "data").mkdir(parents=True)
    (folder / "init.sql").write_text(INIT)
    who = ["--user=root"] if os.geteuid() == 0 else []
    made = [install, "--no-defaults", f"--datadir={folder}/data", "--skip-test-db", "--skip-name-resolve", *who]
    subprocess.run([*made, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
    port = free_port()
    command = [
        program,
        "--no-defaults",
        *who,
        f"--datadir={folder}/data",
        f"--socket={folder}/socket",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--init-file={folder}/init.sql",
        "--skip-log-bin",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=8M",
    ]
    with running(command, folder, port):
        yield Served(port=port)


@pytest.fixture(scope="session")
def redis_server(server_folder: Path) -> Iterator[Served]:
    """Redis, which asks for a password."""
    program = wanted("redis-server", "redis-server")
    folder, port = server_folder / "redis", free_port()
    folder.mkdir()
    (folder / "conf").write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass "{PASSWORD}"\nsave ""\nappendonly no\ndir {folder}\n'
    )
    with running([program, str(folder / "conf")], folder, port):
        yield Served(port=port, user="")


@pytest.fixture(scope="session")
def mosquitto(server_folder: Path) -> Iterator[Served]:
    """Mosquitto, which asks for a user."""
    program, secret = wanted("mosquitto", "mosquitto"), wanted("mosquitto_passwd", "mosquitto")
    folder, port = server_folder / "mosquitto", free_port()
    folder.mkdir()
    subprocess.run([secret, "-b", "-c", str(folder / "users"), USER, PASSWORD], check=True, capture_output=True)
    (folder / "users").chmod(0o644)
    (folder / "conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/users\npersistence false\n"
    )
    with running([program, "-c", str(folder / "conf")], folder, port):
        yield Served(port=port)


@pytest.fixture(scope="session")
def rabbitmq(server_folder: Path) -> Iterator[Served]:
    """RabbitMQ with a virtual host `/` and its own user."""
    program, registrar = wanted("rabbitmq-server", "rabbitmq-server"), wanted("epmd", "erlang-base")
    folder, port, distribution, names = server_folder / "rabbitmq", free_port(), free_port(), free_port()
    folder.mkdir()
    (folder / "conf").write_text(
        f"listeners.tcp.local = 127.0.0.1:{port}\ndefault_user = {USER}\ndefault_pass = {PASSWORD}\n"
    )
    (folder / "plugins").write_text("[].\n")
    environment = {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"penstock-{port}@localhost",
        "RABBITMQ_CONFIG_FILE": str(folder / "conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    # Its node would start the one that knows the nodes' ports as a daemon, which nobody ends.
    names_of_nodes = running([registrar, "-port", str(names), "-address", "127.0.0.1"], folder, names)
    with names_of_nodes, running([program], folder, port, environment):
        yield Served(port=port)


def wanted(program: str, package: str) -> str:
    """Where a program is; without it the test is skipped, or fails in CI."""
    found = shutil.which(program, path=SYSTEM)
    if found is None:
        why = f"{program} is not here: make brokers (apt-get install {package})"
        if DEMANDED:
            pytest.fail(why)
        pytest.skip(why)
    return found


@contextlib.contextmanager
def running(
    command: list[str], folder: Path, port: int, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a server until the block ends."""
    log = folder / "log"
    process = spawn(command, log=log, env={**os.environ, "PATH": SYSTEM, **(environment or {})})
    try:
        await_ready(process, log, lambda: listens(port), what=Path(command[0]).name, seconds=90)
        yield
    finally:
        stop(process, signal.SIGTERM, seconds=10)
