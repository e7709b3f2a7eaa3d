"""How does a flow begin a job of Flink's that goes on, once and not twice, whatever dies meanwhile?

A cluster has at most one job of a name that lives. Its id is made of the name and a number; the number is remembered
(in the namespace, under `flink.NAME`) before the job is submitted, and Flink refuses a second job of an id. So who
comes again, or at the same time, finds the job that is there.
"""

from __future__ import annotations

import enum
from functools import partial
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from penstock.plugins.flink.beginning import Beginning, Wanted
from penstock.plugins.flink.jobs import JobManager
from penstock.plugins.flink.known import Keeper, Version
from penstock.plugins.flink.options import MINUTE, NAMED, OnKill, Url, ended, manager
from penstock.plugins.flink.script import statements
from penstock.plugins.flink.sql import Scripted
from penstock.plugins.flink.watch import Watch
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration


class IfRunning(enum.StrEnum):
    """What is done where a job of the name lives already."""

    ATTACH = "ATTACH"
    REPLACE = "REPLACE"
    FAIL = "FAIL"


class Until(enum.StrEnum):
    """When the task is done: when all tasks of the job run, or when it has come to its end."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"


class Submit(Scripted, frozen=True, kw_only=True):
    """Begin a job that goes on, from a script whose last statement becomes one (INSERT …, or a STATEMENT SET); those
    before it prepare it. Done once all its tasks run, or when it has ended, as `until` says. A job of the name that
    lives already is taken for it.
    """

    type_name: ClassVar[str] = "flink.submit"
    aliases: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[dict[str, str]] = {
        "jobId": "Id of the job.",
        "name": "Its name.",
        "attached": "Whether it was there already.",
        "from": "The savepoint or checkpoint that it began from; empty where it began anew.",
    }
    example: ClassVar[dict[str, object]] = {
        "gatewayUrl": "http://localhost:8083",
        "jobManagerUrl": "http://localhost:8081",
        "name": "orders-bronze",
        "from": "latest",
        "sql": "CREATE TEMPORARY TABLE orders (…) WITH (…);\nINSERT INTO bronze SELECT * FROM orders;\n",
    }

    job_manager_url: Url
    name: Annotated[
        str, Meta(description="Name of the job, of letters, digits, `.`, `_`, `-`: one of a name lives at a time.")
    ]
    if_running: Annotated[
        IfRunning, Meta(description="Where one lives: take it, stop it with a savepoint and go on from there, or fail.")
    ] = IfRunning.ATTACH
    from_: Annotated[
        str,
        Meta(description="Where to begin: a savepoint's or checkpoint's address, or `latest`, that of the job before."),
    ] = msgspec.field(default="", name="from")
    allow_non_restored_state: Annotated[
        bool, Meta(description="Whether state may be left behind that no part of the new SQL takes up.")
    ] = False
    savepoint_directory: Annotated[str, Meta(description="Where REPLACE writes the savepoint; else Flink's own.")] = ""
    until: Annotated[Until, Meta(description="When this is done; FINISHED for jobs over sources that end.")] = (
        Until.RUNNING
    )
    until_running: Annotated[
        Duration, Meta(description="How long it may take until all its tasks run.", extra=SPAN)
    ] = Duration(3 * MINUTE)  # fmt: skip
    on_kill: Annotated[
        OnKill, Meta(description="What becomes of the job when the run is killed while this begins it.")
    ] = OnKill.LEAVE

    def run(self, context: Context) -> dict[str, object]:
        """Begin it."""
        if not NAMED.fullmatch(self.name):
            raise TaskFailed(f'"{self.name}" is no name of a job: letters, digits, `.`, `_`, `-`, at most 150.')
        self._look_at_script()
        waiting = Waiting(context)
        jobs = manager(self, self.job_manager_url, waiting)
        with waiting.ends_with(lambda: ended(jobs, [self.name], self.on_kill, self.savepoint_directory)):
            if self.if_running is IfRunning.FAIL:
                self._refuse(context, jobs)
            if self.until is Until.FINISHED and self.if_running is IfRunning.ATTACH:
                self._refuse_other(context, jobs)
            begun = Beginning(self._wanted(), waiting, jobs, partial(self.begun, waiting)).begin()
            if self.until is Until.FINISHED:
                Watch(waiting, jobs).finished(begun.job.id)
        told = {"jobId": begun.job.id, "name": begun.job.name}
        return {**told, "attached": begun.attached, "from": begun.begin}

    def _look_at_script(self) -> None:
        script = statements(self.sql)
        made = [each for each in script if each.becomes_job]
        if len(made) != 1 or script[-1] is not made[0]:
            raise TaskFailed(
                f"{len(made)} statements of sql become jobs; it must be one, the last. "
                "Several INSERTs make one job by EXECUTE STATEMENT SET BEGIN …; …; END;"
            )

    def _refuse(self, context: Context, jobs: JobManager) -> None:
        """Fail where a job lives that no earlier attempt of this step has begun."""
        live, known = jobs.live(self.name), Keeper(context, self.name).recall()
        if live is not None and (live.id, context.idempotency_key) != (known.job, known.by):
            raise TaskFailed(f'A job "{self.name}" lives already: {live.id}.')

    def _refuse_other(self, context: Context, jobs: JobManager) -> None:
        """Fail where a job lives that was begun from other SQL: its end is not what is waited for, or never comes."""
        live, known = jobs.live(self.name), Keeper(context, self.name).recall()
        if live is not None and live.id == known.job and known.mark not in ("", Version(self.sql, self.session).mark):
            raise TaskFailed(
                f'The job "{self.name}" that lives ({live.id}) was begun from other SQL or settings, and may not end: '
                "stop it first, or give this one another name."
            )

    def _wanted(self) -> Wanted:
        return Wanted(
            name=self.name,
            version=Version(self.sql, self.session),
            begin=self.from_,
            replace=self.if_running is IfRunning.REPLACE,
            savepoints=self.savepoint_directory,
            ignore_unclaimed=self.allow_non_restored_state,
            timeout=self.timeout.seconds,
            until_running=self.until_running.seconds,
        )
