"""Does a statement end when the process that asked for it is told to end, or killed?"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psycopg
import pymysql

from tests.brokers import Served

TASK = """
import json, sys
from penstock.sdk.local import LocalContext
with LocalContext() as local:
    local.run("sql.query", json.loads(sys.argv[1]))
"""
POSTGRES = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep(300)%'"
MARIADB = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT BENCHMARK%'"
PATIENCE = 20


def wait_for(count: Callable[[], int], wanted: int) -> bool:
    """Wait until so many of the statements run; the server that is asked keeps the pace."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if count() == wanted:
            return True
    return False


def test_a_killed_task_leaves_no_statement_behind(database: str) -> None:
    asked = {"url": database, "sql": "SELECT pg_sleep(300), 'still here'"}
    with (
        psycopg.connect(database, autocommit=True) as session,
        subprocess.Popen([sys.executable, "-c", TASK, json.dumps(asked)]) as task,
    ):

        def running() -> int:
            session.execute("SELECT pg_sleep(0.05)")
            return int((session.execute(POSTGRES).fetchone() or [0])[0])

        started = wait_for(running, 1)

        task.kill()

        assert started
        assert wait_for(running, 0)


def test_a_task_that_is_told_to_end_leaves_no_statement_of_mariadb_behind(mariadb: Served) -> None:
    login = {"host": "127.0.0.1", "port": mariadb.port, "user": mariadb.user, "password": mariadb.password}
    url = f"jdbc:mariadb://127.0.0.1:{mariadb.port}/shop"
    who = {"url": url, "username": mariadb.user, "password": mariadb.password}
    asked = {**who, "sql": "SELECT BENCHMARK(1000000000000, MD5('still here'))"}
    with (
        pymysql.connect(**login) as session,
        session.cursor() as cursor,
        subprocess.Popen([sys.executable, "-c", TASK, json.dumps(asked)]) as task,
    ):

        def running() -> int:
            cursor.execute("SELECT SLEEP(0.05)")
            cursor.execute(MARIADB)
            return int((cursor.fetchone() or [0])[0])

        started = wait_for(running, 1)

        task.terminate()
        told = task.wait()
        ended = wait_for(running, 0)

        assert started
        assert ended
        assert told == -signal.SIGTERM
