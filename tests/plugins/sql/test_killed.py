"""Does a statement end when the process that asked for it is killed?"""

from __future__ import annotations

import subprocess
import sys
import time

import psycopg

TASK = """
import sys
from penstock.sdk.local import LocalContext
with LocalContext() as local:
    local.run("sql.query", {"url": sys.argv[1], "sql": "SELECT pg_sleep(300), 'still here'"})
"""
RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep(300)%'"
PATIENCE = 20


def wait_for(session: psycopg.Connection[tuple[int]], count: int) -> bool:
    """Wait until so many of the statements run; the server keeps the pace."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        row = session.execute(RUNNING).fetchone()
        if row == (count,):
            return True
        session.execute("SELECT pg_sleep(0.05)")
    return False


def test_a_killed_task_leaves_no_statement_behind(database: str) -> None:
    with (
        psycopg.connect(database, autocommit=True) as session,
        subprocess.Popen([sys.executable, "-c", TASK, database]) as task,
    ):
        started = wait_for(session, 1)

        task.kill()

        assert started
        assert wait_for(session, 0)
