"""How does a test run the warehouse's flow as people do, by the command line and in processes of its own?"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict

from projects.servers import S3Server

WAREHOUSE = Path(__file__).parents[3] / "projects" / "warehouse"
FLOW = "flows/phase2_orchestration.yml"


@dataclass(frozen=True)
class Run:
    """What a command about a run left: its exit code, the run's document where it printed one, and what it said."""

    code: int
    document: dict[str, Any]
    said: str

    @property
    def id(self) -> str:
        """The run's id."""
        return str(self.document["id"])

    @property
    def status(self) -> str:
        """The run's status."""
        return str(self.document.get("status", ""))

    def step(self, task: str) -> dict[str, Any]:
        """Give the step of one task."""
        (found,) = [step for step in self.document["steps"] if step["task"] == task]
        return dict(found)

    def tries(self, task: str) -> list[str]:
        """Give how the attempts of one task ended."""
        return [str(attempt["status"]) for attempt in self.step(task)["attempts"]]


@dataclass(frozen=True)
class Project:
    """A copy of the project with a history of its own, and with secrets that lead to the test's servers."""

    folder: Path

    @classmethod
    def copy(cls, folder: Path, dsn: str, s3: S3Server, bucket: str) -> Self:
        """Copy what a run needs, and point the flow at the test's bucket."""
        for name in ("flows", "scripts"):
            shutil.copytree(WAREHOUSE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(WAREHOUSE / "penstock.yaml", folder)
        flow = folder / FLOW
        flow.write_text(flow.read_text().replace("bucket: warehouse", f"bucket: {bucket}"))
        where = conninfo_to_dict(dsn)
        secrets = {
            "WAREHOUSE_URL": f"jdbc:postgresql://{where['host']}:{where['port']}/{where['dbname']}",
            "WAREHOUSE_USER": str(where["user"]),
            "WAREHOUSE_PASSWORD": str(where["password"]),
            "WAREHOUSE_DSN": dsn,
            "S3_ENDPOINT": s3.endpoint,
            "S3_ACCESS_KEY": s3.access_key,
            "S3_SECRET_KEY": s3.secret_key,
        }
        kept = folder / ".demo" / "secrets"
        kept.parent.mkdir()
        kept.touch(mode=0o600)
        kept.write_text("".join(f"{name}={value}\n" for name, value in secrets.items()))
        return cls(folder)

    def run(self, batch_date: datetime.date) -> Run:
        """Run the flow for one day and wait for its end."""
        return self.call("run", FLOW, "-i", f"batch_date={batch_date}", "--json")

    def restart(self, run: str) -> Run:
        """Restart a run from what did not succeed, and wait for its end."""
        return self.call("runs", "restart", run, "--json")

    def go_on(self, run: str) -> Run:
        """Let a worker take up a run whose process died; the run as it is when nothing is left to do."""
        worked = self.call("worker", "--until-idle")
        assert worked.code == 0, worked.said
        return self.call("runs", "show", run, "--json")

    def latest(self) -> str:
        """Give the id of the run that was started last."""
        done = self._penstock("runs", "list", "--json")
        listed = json.loads(done.stdout)
        return str((listed["runs"] if isinstance(listed, dict) else listed)[0]["id"])

    def call(self, *arguments: str) -> Run:
        """Call penstock, and read the document that it prints."""
        done = self._penstock(*arguments)
        document = json.loads(done.stdout) if done.stdout.strip().startswith("{") else {}
        return Run(done.returncode, document, done.stdout + done.stderr)

    @contextlib.contextmanager
    def started(self, batch_date: datetime.date) -> Iterator[subprocess.Popen[bytes]]:
        """Start the flow without waiting for it; nothing of it is left afterwards."""
        command = [sys.executable, "-m", "penstock", "run", FLOW, "-i", f"batch_date={batch_date}"]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _penstock(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "penstock", *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=90, check=False)


@contextlib.contextmanager
def held(dsn: str, lock: str) -> Iterator[Callable[[], int]]:
    """Hold what a statement locks, so that a step waits in its middle; gives how many wait."""
    with psycopg.connect(dsn) as session, psycopg.connect(dsn, autocommit=True) as onlooker:
        session.execute(lock.encode())

        def waiting() -> int:
            row = onlooker.execute(
                "SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database"
                " WHERE NOT granted AND d.datname = current_database()"
            ).fetchone()
            return int(row[0]) if row else 0

        yield waiting


def family(pid: int) -> set[int]:
    """Give a process and all its descendants."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def alive(pids: set[int]) -> set[int]:
    """Give those that still run; one that waits to be buried does not."""
    running = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                running.add(pid)
    return running


def until(true: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Wait until something is true; an assertion that names it when it is not in time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)
