"""How does a flow begin a job of Flink's that goes on, once and not twice, whatever dies meanwhile?

A cluster has at most one job of a name that lives. Its id is made of the name and a number; the number is remembered
(in the namespace, under `flink.NAME`) before the job is submitted, and Flink refuses a second job of an id. So who
comes again, or at the same time, finds the job that is there.
"""

from __future__ import annotations

import enum
from typing import Annotated, Any, ClassVar, cast

import msgspec
from msgspec import Meta

from penstock.errors.task import AnswerRefused
from penstock.plugins.flink import checkpoints, lineage
from penstock.plugins.flink.jobs import Format, Job, JobManager, digest
from penstock.plugins.flink.options import MINUTE, NAMED, OnKill, Url, manager, savepoint_asked
from penstock.plugins.flink.script import Statement, statements
from penstock.plugins.flink.sql import Scripted, is_twin, shown
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Ask, Context
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration

# So many jobs of a name may have ended while the JobManager still knows them.
MOST_NUMBERS = 1_000
LATEST = "latest"


class IfRunning(enum.StrEnum):
    """What is done where a job of the name lives already."""

    ATTACH = "ATTACH"
    REPLACE = "REPLACE"
    FAIL = "FAIL"


class Until(enum.StrEnum):
    """When the task is done: when all tasks of the job run, or when it has come to its end."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"


class Known(msgspec.Struct, kw_only=True):
    """What a namespace remembers of the jobs of a name; `directory` is where their checkpoints are."""

    number: int = 0
    job: str = ""
    directory: str = ""
    savepoint: str = ""
    submitted: bool = False


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
        *before, last = self._script()
        waiting = Waiting(context)
        jobs = manager(self, self.job_manager_url, waiting)
        with waiting.ends_with(lambda: self._end(jobs)):
            live = next((job for job in jobs.named(self.name) if job.live), None)
            known = remembered(context, self.name)
            begin = self._begin(context, jobs, live, known)
            if live is not None and self.if_running is IfRunning.ATTACH:
                context.log(f'The job "{self.name}" lives already: {live.id}.')
                lineage.tell_again(context, self.name)
                return self._works(jobs, live.id, attached=True, begin="")
            with self.begun(waiting) as session:
                for number, statement in enumerate(before, 1):
                    with shown(context, number, statement):
                        session.done(statement)
                with shown(context, len(before) + 1, last):
                    job, attached = self._submitted(context, jobs, session, last, known, begin)
                lineage.tell(waiting, session, last, jobs, job, name=self.name)
            return self._works(jobs, job, attached=attached, begin="" if attached else begin)

    def _script(self) -> list[Statement]:
        script = statements(self.sql)
        made = [each for each in script if each.becomes_job]
        if len(made) != 1 or script[-1] is not made[0]:
            raise TaskFailed(
                f"{len(made)} statements of sql become jobs; it must be one, the last. "
                "Several INSERTs make one job by EXECUTE STATEMENT SET BEGIN …; …; END;"
            )
        return script

    def _begin(self, context: Context, jobs: JobManager, live: Job | None, known: Known) -> str:
        """Where the job is to begin; what lives is stopped first where it is to be replaced."""
        match self.if_running:
            case IfRunning.FAIL if live is not None:
                raise TaskFailed(f'A job "{self.name}" lives already: {live.id}.')
            case IfRunning.REPLACE if live is not None:
                asked = savepoint_asked(self.savepoint_directory, Format.CANONICAL, drain=False)
                found = jobs.stop(live.id, asked, context.idempotency_key, self.timeout.seconds)
                context.log(f"The job {live.id} has stopped; its savepoint is {found}.")
                known.savepoint, known.job = found, live.id
                remember(context, self.name, known)
                return found
            case _ if live is not None:
                return ""
            case _ if self.from_ == LATEST or (not self.from_ and self.if_running is IfRunning.REPLACE):
                # one that is to be replaced may have been stopped by an earlier attempt
                found = latest(jobs, self.name, known)
                said = f"begins from {found}" if found else "begins anew: there is no checkpoint of one before it"
                context.log(f'The job "{self.name}" {said}.')
                return found
            case _:
                return self.from_

    def _submitted(
        self, context: Context, jobs: JobManager, session: Any, statement: Statement, known: Known, begin: str
    ) -> tuple[str, bool]:
        """Have Flink make the job; gives its id, and whether somebody else had it made meanwhile."""
        first = known.number + 1 if known.submitted else max(known.number, 1)
        for number in range(first, first + MOST_NUMBERS):
            job = digest("penstock", context.namespace, self.name, str(number))
            there = jobs.job(job)
            if there is not None and there.live:
                return job, True
            if there is not None:
                continue
            fresh = Known(number=number, job=job, directory=jobs.directory(), savepoint=begin)
            remember(context, self.name, fresh)
            try:
                session.submit(statement, self.name, job, begin)
            except AnswerRefused as refused:
                if not is_twin(refused):
                    raise
                # Whoever was first has it live; what has ended since is refused for ever, and the next number free.
                twin = jobs.job(job)
                if twin is not None and twin.live:
                    return job, True
                continue
            fresh.submitted = True
            remember(context, self.name, fresh)
            return job, False
        raise TaskFailed(f'Flink knows {MOST_NUMBERS} jobs "{self.name}" that have ended, and takes no further one.')

    def _works(self, jobs: JobManager, job: str, *, attached: bool, begin: str) -> dict[str, object]:
        found = jobs.works(job, self.until_running.seconds)
        if self.until is Until.FINISHED:
            jobs.finished(job)
        return {"jobId": found.id, "name": found.name, "attached": attached, "from": begin}

    def _end(self, jobs: JobManager) -> None:
        live = next((job for job in jobs.named(self.name) if job.live), None)
        if live is None:
            return
        match self.on_kill:
            case OnKill.CANCEL:
                jobs.cancel(live.id, 5)
            case OnKill.SAVEPOINT:
                jobs.stop(live.id, savepoint_asked(self.savepoint_directory, Format.NATIVE, drain=False), "kill", 8)
            case OnKill.LEAVE:
                pass


def latest(jobs: JobManager, name: str, known: Known) -> str:
    """Where the newest job of a name had come to: its last savepoint or complete checkpoint; empty where it has none.

    Flink knows it, unless its JobManager has begun anew; then the files of its checkpoints do.
    """
    for job in jobs.named(name):
        if found := jobs.checkpoints(job.id).path:
            return found
    on_disk = checkpoints.newest(known.directory, known.job) if known.job and known.directory else ""
    return on_disk or known.savepoint


def remembered(context: Context, name: str) -> Known:
    """What the namespace remembers of the jobs of a name."""
    found = cast("dict[str, Any]", context.ask(Ask.KV_GET, key=f"flink.{name}", namespace=""))
    return msgspec.convert(found["value"], Known) if found["found"] else Known()


def remember(context: Context, name: str, known: Known) -> None:
    """Have the namespace remember it."""
    value = msgspec.to_builtins(known)
    context.ask(Ask.KV_SET, key=f"flink.{name}", value=value, namespace="", overwrite=True, ttl=None, type="")
