"""How fast can PostgreSQL do two-task runs at all? The same commits as ours, in as few statements, and nothing else.

One transaction starts a run, one claims up to sixteen, one ends both tasks of a run: what `throughput` stands beside.
"""

from __future__ import annotations

import json
import time

import psycopg

SCHEMA = """
drop table if exists runs, steps, ready, claimed, events, attempts, outputs, changes;
create table runs(id bigint primary key, status text, version int, body text, ended timestamptz);
create table steps(run bigint, task text, status text, body text, primary key(run, task));
create table ready(id bigserial primary key, run bigint, task text, attempt int);
create table claimed(run bigint, task text, attempt int, worker text, fence bigint, primary key(run, task));
create table events(id bigserial primary key, run bigint, body text);
create table attempts(run bigint, task text, attempt int, body text, primary key(run, task, attempt));
create table outputs(run bigint, task text, body text, primary key(run, task));
create table changes(id bigserial primary key, what text, key bigint);
"""
CLAIM = """
with next as (select id from ready order by id limit 16 for update skip locked),
     taken as (delete from ready using next where ready.id = next.id returning ready.*)
insert into claimed select run, task, attempt, 'w', id from taken returning run, fence
"""
BODY = json.dumps({"status": "success", "queued_at": 1, "started_at": 2, "ended_at": 3, "value": "value 1"})


class Plain:
    """A connection to the floor's own tables; closes with it."""

    def __init__(self, dsn: str, *, make: bool = True) -> None:
        self._db = psycopg.connect(dsn, autocommit=True, prepare_threshold=0)
        self._last = 0
        if make:
            self._db.execute(SCHEMA, prepare=False)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def start(self, count: int) -> None:
        """Start runs, one to a transaction."""
        db = self._db
        for _ in range(count):
            self._last += 1
            run = self._last
            with db.pipeline(), db.transaction():
                db.execute("insert into runs values (%s, 'running', 1, %s)", (run, BODY))
                db.execute("insert into steps values (%s, 'a', 'queued', %s)", (run, BODY))
                db.execute("insert into ready(run, task, attempt) values (%s, 'a', 1)", (run,))
                db.execute("insert into changes(what, key) values ('run', %s)", (run,))

    def work(self, count: int) -> None:
        """Claim and end runs until so many have ended."""
        db = self._db
        while count:
            with db.transaction():
                claimed = db.execute(CLAIM).fetchall()
            if not claimed:
                time.sleep(0.001)
            for run, fence in claimed:
                self._end(run, fence)
            count -= len(claimed)

    def _end(self, run: int, fence: int) -> None:
        db = self._db
        with db.transaction():
            given = db.execute("delete from claimed where run = %s and task = 'a' and fence = %s", (run, fence))
            assert given.rowcount == 1
            with db.pipeline():
                db.execute("update runs set status = 'success', version = 2, body = %s where id = %s", (BODY, run))
                db.execute("update steps set status = 'success', body = %s where run = %s and task = 'a'", (BODY, run))
                db.execute("insert into steps values (%s, 'b', 'success', %s)", (run, BODY))
                for task in ("a", "b"):
                    db.execute("insert into events(run, body) values (%s, %s)", (run, BODY))
                    db.execute("insert into attempts values (%s, %s, 1, %s)", (run, task, BODY))
                    db.execute("insert into outputs values (%s, %s, %s)", (run, task, BODY))
                db.execute("insert into changes(what, key) values ('run', %s)", (run,))
