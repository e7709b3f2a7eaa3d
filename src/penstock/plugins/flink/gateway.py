"""How does SQL go through Flink's gateway? In a session: a statement is an operation, whose result comes page by page.

The REST of the SQL gateway, version 1 and newer: nightlies.apache.org/flink → SQL Gateway → REST Endpoint.
"""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Final

import msgspec

from penstock.errors.task import AnswerRefused, Forgotten
from penstock.plugins.flink.causes import is_gone
from penstock.plugins.flink.script import Statement
from penstock.plugins.rest.patient import Patient
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.task import TaskFailed

UNDER_WAY: Final = frozenset({"PENDING", "RUNNING", "INITIALIZED"})
# Kinds of rows that are there; the others take rows away again.
ADDS: Final = frozenset({"INSERT", "UPDATE_AFTER"})
ALIVE_EVERY: Final = 60.0
LATEST: Final = 0.5
FROM: Final = "execution.state-recovery.path"
UNCLAIMED: Final = "execution.state-recovery.ignore-unclaimed-state"
FIXED_ID: Final = "$internal.pipeline.job-id"


class Told(msgspec.Struct, kw_only=True):
    """What one page of a result holds."""

    columns: list[str] = []
    rows: list[list[object]] = []
    kinds: list[str] = []
    job: str = ""


class Session:
    """A session of the gateway: what is set and created in it is there for the statements that follow."""

    def __init__(self, rest: Patient, waiting: Waiting, properties: Mapping[str, str], timeout: float) -> None:
        self._rest, self._waiting, self._timeout = rest, waiting, timeout
        body = {"sessionName": "penstock", "properties": dict(properties)}
        self._path = f"/v1/sessions/{rest.say('/v1/sessions', waiting, body)['sessionHandle']}"
        # what was set for one job, and is none of the next statement's business
        self._stale: tuple[str, ...] = ()

    def close(self) -> None:
        """End the session; jobs that it began go on."""
        with contextlib.suppress(TaskFailed):
            self._rest.say(self._path, self._waiting, method="DELETE")

    def within(self, seconds: float) -> Session:
        """The same session, for what may be given up after a while: a statement, or a gateway that is away."""
        made = copy.copy(self)
        made._timeout = seconds
        made._rest = msgspec.structs.replace(self._rest, timeout=min(seconds, self._rest.timeout), patience=0.0)
        return made

    def set(self, name: str, value: str) -> None:
        """Set something for the statements that follow."""
        quoted = value.replace("'", "''")
        self.done(Statement(f"SET '{name}' = '{quoted}'", 1, False))

    def submit(
        self, statement: Statement, name: str, job: str, savepoint: str = "", ignore_unclaimed: bool = False
    ) -> str:
        """Make a job of a statement, under a name and an id, from a savepoint where one is given; gives the id. State
        that no part of the job takes up is an error, unless it is to be ignored.

        Two jobs of one id cannot be: who submits again is refused by Flink.
        """
        unclaimed = "true" if savepoint and ignore_unclaimed else ""
        given = {"pipeline.name": name, FIXED_ID: job, FROM: savepoint, UNCLAIMED: unclaimed}
        self._forget()
        for key, value in given.items():
            if value:
                self.set(key, value)
        try:
            told = self.done(statement)
        finally:
            self._stale = tuple(key for key in (FIXED_ID, FROM, UNCLAIMED) if given[key])
        if "job id" in told.columns and told.rows:
            return str(told.rows[0][told.columns.index("job id")])
        return told.job or job

    def _forget(self) -> None:
        """Take back what was set for a job, once another statement follows; most often the session ends instead."""
        stale, self._stale = self._stale, ()
        for key in stale:
            with contextlib.suppress(TaskFailed):
                self.done(Statement(f"RESET '{key}'", 1, False))

    def done(self, statement: Statement) -> Told:
        """Do a statement, and give all that it answers."""
        whole = Told()
        for page in self.pages(statement):
            whole.columns = whole.columns or page.columns
            whole.rows += page.rows
            whole.job = whole.job or page.job
        return whole

    def pages(self, statement: Statement) -> Generator[Told, None, None]:
        """Do a statement, and give its answer as it comes; who leaves early cancels it."""
        self._forget()
        asked = {"statement": statement.text}
        operation, ended = "", False
        try:
            handle = self._rest.say(f"{self._path}/statements", self._waiting, asked)["operationHandle"]
            operation = f"{self._path}/operations/{handle}"
            self._await(operation)
            yield from self._results(operation)
            ended = True
        except AnswerRefused as refused:
            ended = True
            if is_gone(refused.told):
                where = f"Flink's SQL gateway at {self._rest.address}"
                raise Forgotten(f"{where} does not know the session any more: it was started again.") from refused
            raise AnswerRefused(statement.place(refused.sentence), refused.status, refused.told) from refused
        finally:
            with contextlib.suppress(TaskFailed):
                if operation and not ended:
                    self._rest.say(f"{operation}/cancel", self._waiting)
                if operation:
                    self._rest.say(f"{operation}/close", self._waiting, method="DELETE")

    def _await(self, operation: str) -> None:
        began = alive = time.monotonic()
        while self._rest.get(f"{operation}/status", self._waiting)["status"] in UNDER_WAY:
            now = time.monotonic()
            if now - began > self._timeout:
                raise TaskFailed(f"The statement was not done within {self._timeout:.0f} s.")
            if now - alive > ALIVE_EVERY:
                self._rest.say(f"{self._path}/heartbeat", self._waiting)
                alive = now
            self._waiting.pace(began, LATEST)

    def _results(self, operation: str) -> Iterator[Told]:
        token: str | None = "0"
        began = alive = time.monotonic()
        while token is not None:
            page = self._rest.get(f"{operation}/result/{token}", self._waiting, rowFormat="JSON")
            kind = page["resultType"]
            if kind == "PAYLOAD" or "results" in page:
                yield _read(page)
            if kind == "EOS":
                return
            following = page.get("nextResultUri")
            token = following.rsplit("/", 1)[1].partition("?")[0] if following else None
            now = time.monotonic()
            if kind == "NOT_READY" or not page.get("results", {}).get("data"):
                if now - began > self._timeout:
                    raise TaskFailed(f"The statement answered nothing more within {self._timeout:.0f} s.")
                self._waiting.pace(began, LATEST)
            else:
                began = now
            if now - alive > ALIVE_EVERY:
                self._rest.say(f"{self._path}/heartbeat", self._waiting)
                alive = now


def _read(page: dict[str, Any]) -> Told:
    results = page["results"]
    return Told(
        columns=[column["name"] for column in results.get("columns", [])],
        rows=[row["fields"] for row in results.get("data", [])],
        kinds=[row["kind"] for row in results.get("data", [])],
        job=page.get("jobID") or "",
    )
