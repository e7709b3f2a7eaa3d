"""How little can a chain of isolated tasks cost? Claim, fork, run, report and fold on SQLite with synchronous=FULL.

A minimal script: one worker, one flow, no retries, no checks. It is what `chain_fresh` and `fan_out` stand beside.
"""

from __future__ import annotations

import gc
import json
import os
import select
import socket
import sqlite3
import struct
import tempfile
import time
from pathlib import Path

SCHEMA = """
create table runs(id text primary key, status text, version int) without rowid;
create table steps(run text, task text, status text, primary key(run, task)) without rowid;
create table ready(id integer primary key, run text, task text);
create table claimed(run text, task text, worker text, fence int, primary key(run, task)) without rowid;
create table events(id integer primary key, run text, body text);
create table attempts(run text, task text, started real, ended real, primary key(run, task)) without rowid;
create table outputs(run text, task text, body text, primary key(run, task)) without rowid;
create table logs(id integer primary key, run text, task text, body blob);
create table changes(id integer primary key, run text, body text);
"""


class Floor:
    """A forking child and a database; closes with both."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="penstock-floor-")
        self._db = sqlite3.connect(Path(self._folder.name) / "floor.db", isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=FULL")
        self._db.executescript(SCHEMA)
        self._ours, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            self._ours.close()
            _fork_for_ever(theirs)
        theirs.close()
        self._runs = 0

    def close(self) -> None:
        """End the child and remove the database."""
        self._ours.close()
        os.waitpid(self._pid, 0)
        self._db.close()
        self._folder.cleanup()

    def chain(self, length: int) -> float:
        """Do a chain of tasks, a process each; gives the seconds it took."""
        began = time.perf_counter()
        run = self._begin([f"t{number}" for number in range(length)], at_once=False)
        for number in range(length):
            self._claim(run)
            started = self._launch(f"t{number}")
            output, log = _listen([started])[0]
            self._report(run, f"t{number}", output, log, after=f"t{number + 1}" if number + 1 < length else "")
        return time.perf_counter() - began

    def inline(self, length: int, at_once: int = 25) -> float:
        """Do a chain of tasks that need no process, `at_once` of them to a commit; gives the seconds it took."""
        began = time.perf_counter()
        run = self._begin(["t0"], at_once=True)
        db = self._db
        for start in range(0, length, at_once):
            self._claim(run)
            db.execute("begin immediate")
            for number in range(start, min(start + at_once, length)):
                self._write_end(run, f"t{number}", json.dumps({"value": number}), after=f"t{number + 1}")
            db.execute("insert into ready(run,task) values(?,?)", (run, f"t{start + at_once}"))
            db.execute("commit")
        db.execute("delete from ready")
        return time.perf_counter() - began

    def fan_out(self, width: int, slots: int) -> float:
        """Do tasks side by side, at most `slots` at once, a process each; gives the seconds it took."""
        began = time.perf_counter()
        tasks = [f"t{number}" for number in range(width)]
        run = self._begin(tasks, at_once=True)
        for start in range(0, width, slots):
            batch = tasks[start : start + slots]
            for _ in batch:
                self._claim(run)
            for task, (output, log) in zip(batch, _listen([self._launch(task) for task in batch]), strict=True):
                self._report(run, task, output, log, after="")
        return time.perf_counter() - began

    def _begin(self, tasks: list[str], *, at_once: bool) -> str:
        self._runs += 1
        run = f"r{self._runs}"
        db = self._db
        db.execute("begin immediate")
        db.execute("insert into runs values(?,'running',1)", (run,))
        ready = tasks if at_once else tasks[:1]
        db.executemany("insert into steps values(?,?,'queued')", [(run, task) for task in ready])
        db.executemany("insert into ready(run,task) values(?,?)", [(run, task) for task in ready])
        db.execute("insert into changes(run,body) values(?,'{}')", (run,))
        db.execute("commit")
        return run

    def _claim(self, run: str) -> None:
        db = self._db
        db.execute("begin immediate")
        found = "delete from ready where id=(select id from ready order by id limit 1) returning task"
        (task,) = db.execute(found).fetchone()
        db.execute("insert into claimed values(?,?,'w',1)", (run, task))
        db.execute("insert into changes(run,body) values(?,'running')", (run,))
        db.execute("commit")

    def _launch(self, task: str) -> tuple[int, int, socket.socket]:
        out, out_child = os.pipe()
        err, err_child = os.pipe()
        mine, childs = socket.socketpair()
        socket.send_fds(self._ours, [json.dumps({"task": task}).encode()], [out_child, err_child, childs.fileno()])
        os.close(out_child)
        os.close(err_child)
        childs.close()
        return out, err, mine

    def _report(self, run: str, task: str, output: str, log: bytes, after: str) -> None:
        db = self._db
        db.execute("begin immediate")
        self._write_end(run, task, output, after)
        db.execute("insert into logs(run,task,body) values(?,?,?)", (run, task, log))
        if after:
            db.execute("insert into ready(run,task) values(?,?)", (run, after))
        db.execute("commit")

    def _write_end(self, run: str, task: str, output: str, after: str) -> None:
        db = self._db
        db.execute("delete from claimed where run=? and task=? and fence=1", (run, task))
        db.execute("insert into events(run,body) values(?,?)", (run, json.dumps({"ended": task})))
        db.execute("insert into attempts values(?,?,?,?)", (run, task, 0.0, time.time()))
        db.execute("insert into outputs values(?,?,?)", (run, task, output))
        db.execute("update steps set status='success' where run=? and task=?", (run, task))
        if after:
            db.execute("insert into steps values(?,?,'queued')", (run, after))
        db.execute("update runs set version=version+1 where id=?", (run,))
        db.execute("insert into changes(run,body) values(?,?)", (run, task))


def _listen(started: list[tuple[int, int, socket.socket]]) -> list[tuple[str, bytes]]:
    """Read every child's output, log and answer to their ends."""
    logs = [b""] * len(started)
    answers = [b""] * len(started)
    waiting: dict[int, int] = {}
    for place, (out, err, channel) in enumerate(started):
        waiting |= {out: place, err: place, channel.fileno(): place}
    channels = {channel.fileno() for _, _, channel in started}
    while waiting:
        for fd in select.select(list(waiting), [], [])[0]:
            data = os.read(fd, 65536)
            if fd in channels:
                answers[waiting[fd]] += data
            else:
                logs[waiting[fd]] += data
            if not data:
                del waiting[fd]
    for out, err, channel in started:
        os.close(out)
        os.close(err)
        channel.close()
    return [(answer[4:].decode(), log) for answer, log in zip(answers, logs, strict=True)]


def _fork_for_ever(sock: socket.socket) -> None:
    gc.collect()
    gc.freeze()
    while True:
        message, fds, *_ = socket.recv_fds(sock, 65536, 3)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            os.setsid()
            sock.close()
            os.dup2(fds[0], 1)
            os.dup2(fds[1], 2)
            print("hello from", json.loads(message)["task"], flush=True)
            body = json.dumps({"n": 1}).encode()
            os.write(fds[2], struct.pack(">I", len(body)) + body)
            os._exit(0)
        for fd in fds:
            os.close(fd)
        os.waitpid(-1, os.WNOHANG)
