"""How does a test lose the machine of its PostgreSQL? A primary, and a replica that follows and can take its place."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import psycopg

from projects.servers import PostgresServer, ServerFailed
from projects.servers.child import spawn, tail
from projects.servers.postgres import USER

DATABASE: Final = "pair"


class Pair:
    """A primary and its replica, which is `synchronous` or follows as it can; opens with both, closes both."""

    def __init__(self, folder: Path, binaries: Path, *, synchronous: bool) -> None:
        self.primary = PostgresServer(folder / "primary", binaries, fsync=False)
        self.primary.start()
        self._replica: PostgresServer | None = None
        try:
            self.primary.create_database(DATABASE)
            self._replica = self._copied(folder / "replica", binaries)
            self._replica.start()
            if synchronous:
                with psycopg.connect(self.primary.dsn, autocommit=True) as session:
                    session.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                    session.execute("SELECT pg_reload_conf()")
            self._follows("sync" if synchronous else "async")
        except BaseException:
            self.close()
            raise
        self.failed_over = 0.0

    @property
    def replica(self) -> PostgresServer:
        """The one that follows."""
        assert self._replica is not None
        return self._replica

    @property
    def address(self) -> str:
        """Both, of which the one is meant that can be written to."""
        word, ports = self.primary.password, (self.primary.port, self.replica.port)
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        return f"postgresql://{USER}:{word}@{hosts}/{DATABASE}?target_session_attrs=read-write"

    def fail_over(self) -> None:
        """Kill the primary as a power cut would, and let the replica take its place."""
        self.primary.crash()
        self.promote()

    def promote(self) -> None:
        """Let the replica take the place of the primary, which is gone."""
        with psycopg.connect(self.replica.dsn, autocommit=True) as session:
            session.execute("SELECT pg_promote()")
        self.failed_over = time.monotonic()

    def cut_off(self) -> None:
        """Let the replica hear nothing any more."""
        with psycopg.connect(self.replica.dsn, autocommit=True) as session:
            session.execute("ALTER SYSTEM SET primary_conninfo = ''")
            session.execute("SELECT pg_reload_conf()")
            until = time.monotonic() + 30
            while session.execute("SELECT pid FROM pg_stat_wal_receiver").fetchone():
                assert time.monotonic() < until, "the replica still hears"
                time.sleep(0.05)

    def close(self) -> None:
        """Stop both; safe to call twice."""
        if self._replica is not None:
            self._replica.close()
        self.primary.close()

    def _copied(self, folder: Path, binaries: Path) -> PostgresServer:
        """A server on a copy of the primary that goes on to follow it."""
        place = self.primary._folder.parent / folder.name if not folder.exists() else folder
        place.mkdir(parents=True, exist_ok=True)
        user = self.primary._user
        if user is not None:
            os.chown(place, user.pw_uid, user.pw_gid)
        word = place / "password"
        word.write_text(self.primary.password)
        word.chmod(0o600)
        log = place / "copy.log"
        command = [str(binaries / "pg_basebackup"), "-D", str(place / "data"), "-R", "-X", "stream", "-c", "fast"]
        made = spawn([*command, "--no-sync", "-d", self.primary.dsn], log=log, user=user)
        if made.wait(60) != 0:
            raise ServerFailed(f"pg_basebackup ended with code {made.returncode}.\n{tail(log)}")
        return PostgresServer(place, binaries, fsync=False)

    def _follows(self, how: str) -> None:
        """Wait until the replica has said to the primary that it follows."""
        until = time.monotonic() + 30
        with psycopg.connect(self.primary.dsn, autocommit=True) as session:
            while session.execute("SELECT sync_state FROM pg_stat_replication").fetchone() != (how,):
                assert time.monotonic() < until, "the replica does not follow"
                time.sleep(0.05)
