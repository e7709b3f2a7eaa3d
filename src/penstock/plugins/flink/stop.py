"""How does a flow end a job, or have it write down where it is?"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from penstock.plugins.flink.jobs import Format, Job, JobManager
from penstock.plugins.flink.known import Keeper
from penstock.plugins.flink.options import MINUTE, FlinkTask, Url, manager, savepoint_asked
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration


class OfJob(FlinkTask, frozen=True, kw_only=True):
    """What is declared by all that are about one job."""

    job_manager_url: Url
    job_id: Annotated[str, Meta(description="Id of the job.")] = ""
    name: Annotated[str, Meta(description="Instead: its name; the one that lives, else the newest.")] = ""
    timeout: Annotated[Duration, Meta(description="How long it may take.", extra=SPAN)] = Duration(5 * MINUTE)

    def found(self, jobs: JobManager) -> Job:
        """The job that is meant; raises TaskFailed where there is none."""
        if bool(self.job_id) == bool(self.name):
            raise TaskFailed("Exactly one of jobId and name must be given.")
        named = jobs.named(self.name) if self.name else [jobs.job(self.job_id)]
        known = [job for job in named if job is not None]
        if not known:
            raise TaskFailed(f'Flink knows no job "{self.name or self.job_id}".')
        return next((job for job in known if job.live), known[0])


class Stop(OfJob, frozen=True, kw_only=True):
    """Stop a job with a savepoint, from which it, or a newer version of it, can go on without losing anything."""

    type_name: ClassVar[str] = "flink.stop"
    outputs: ClassVar[dict[str, str]] = {"jobId": "Id of the job.", "savepoint": "Address of the savepoint."}
    example: ClassVar[dict[str, object]] = {"jobManagerUrl": "http://localhost:8081", "name": "orders-bronze"}

    directory: Annotated[str, Meta(description="Where the savepoint is written; else where Flink's settings say.")] = ""
    format: Annotated[Format, Meta(description="How it is written.")] = Format.CANONICAL
    drain: Annotated[
        bool, Meta(description="Whether all that waits in windows is let out first: the job then cannot go on.")
    ] = False

    def run(self, context: Context) -> dict[str, object]:
        """Stop it. One that an earlier attempt has stopped already is not stopped again."""
        waiting = Waiting(context)
        jobs = manager(self, self.job_manager_url, waiting)
        with waiting.ends_with(None):
            job = self.found(jobs)
            if job.live:
                asked = savepoint_asked(self.directory, self.format, self.drain)
                place = jobs.stop(job.id, asked, context.idempotency_key, self.timeout.seconds)
            else:
                place = jobs.checkpoints(job.id).path
                context.log(f'The job "{job.name}" is {job.state} already.')
            if not place:
                raise TaskFailed(f'The job "{job.name}" is {job.state}, and has no savepoint.')
            _remember(context, job, place)
        return {"jobId": job.id, "savepoint": place}


class Savepoint(OfJob, frozen=True, kw_only=True):
    """Have a job write a savepoint, and go on."""

    type_name: ClassVar[str] = "flink.savepoint"
    outputs: ClassVar[dict[str, str]] = {"jobId": "Id of the job.", "savepoint": "Address of the savepoint."}
    example: ClassVar[dict[str, object]] = {"jobManagerUrl": "http://localhost:8081", "name": "orders-bronze"}

    directory: Annotated[str, Meta(description="Where the savepoint is written; else where Flink's settings say.")] = ""
    format: Annotated[Format, Meta(description="How it is written.")] = Format.CANONICAL

    def run(self, context: Context) -> dict[str, object]:
        """Have it written."""
        waiting = Waiting(context)
        jobs = manager(self, self.job_manager_url, waiting)
        with waiting.ends_with(None):
            job = self.found(jobs)
            asked = {**savepoint_asked("", self.format), "target-directory": self.directory, "cancel-job": False}
            asked.pop("targetDirectory")
            place = jobs.savepoint(job.id, asked, context.idempotency_key, self.timeout.seconds)
        return {"jobId": job.id, "savepoint": place}


class Cancel(OfJob, frozen=True, kw_only=True):
    """End a job at once, without a savepoint; its last checkpoint stays where Flink is told to keep them."""

    type_name: ClassVar[str] = "flink.cancel"
    outputs: ClassVar[dict[str, str]] = {"jobId": "Id of the job.", "state": "How it ended."}
    example: ClassVar[dict[str, object]] = {"jobManagerUrl": "http://localhost:8081", "name": "orders-bronze"}

    def run(self, context: Context) -> dict[str, object]:
        """End it, and wait until it has ended."""
        waiting = Waiting(context)
        jobs = manager(self, self.job_manager_url, waiting)
        with waiting.ends_with(None):
            job = self.found(jobs)
            ended = jobs.cancel(job.id, self.timeout.seconds) if job.live else job
        return {"jobId": job.id, "state": ended.state if ended is not None else "UNKNOWN"}


def _remember(context: Context, job: Job, place: str) -> None:
    """Have `latest` begin there, even when the JobManager has forgotten the job."""
    keeper = Keeper(context, job.name)
    known = keeper.recall()
    if known.job in ("", job.id):
        known.job, known.savepoint = job.id, place
        keeper.keep(known)
