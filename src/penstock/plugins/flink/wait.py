"""How does a flow wait for jobs of Flink's, and see meanwhile how they get on?"""

from __future__ import annotations

import time
from typing import Annotated, ClassVar, Final

from msgspec import Meta, field

from penstock.plugins.flink.jobs import Job, JobManager
from penstock.plugins.flink.options import FlinkTask, Url, manager
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context, MetricKind
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration

TOLD_EVERY: Final = 10.0


class Wait(FlinkTask, frozen=True, kw_only=True):
    """Wait for a state of jobs, or until they have completed some checkpoints more, with their progress shown."""

    type_name: ClassVar[str] = "flink.wait"
    outputs: ClassVar[dict[str, str]] = {"states": "State of each job by its name.", "seconds": "How long it took."}
    example: ClassVar[dict[str, object]] = {
        "jobManagerUrl": "http://localhost:8081",
        "names": ["orders-bronze", "orders-silver"],
        "checkpoints": 2,
    }

    job_manager_url: Url
    names: Annotated[list[str], Meta(description="Names of the jobs: of each the one that lives, or the newest.")] = (
        field(default_factory=list)
    )
    state: Annotated[str, Meta(description="What is waited for.", examples=["RUNNING", "FINISHED"])] = "RUNNING"
    checkpoints: Annotated[
        int, Meta(description="Instead: so many checkpoints that complete from now on, of each job.", ge=0)
    ] = 0
    max_duration: Annotated[Duration | None, Meta(description="Fail when it takes longer than this.", extra=SPAN)] = (
        None
    )
    interval: Annotated[Duration, Meta(description="How often it is looked.", extra=SPAN)] = Duration(1_000_000)

    def run(self, context: Context) -> dict[str, object]:
        """Wait."""
        if not self.names:
            raise TaskFailed("names must be given.")
        waiting = Waiting(context)
        jobs = manager(self, self.job_manager_url, waiting)
        began, told = time.monotonic(), 0.0
        first: dict[str, int] = {}
        with waiting.ends_with(None):
            while True:
                found = [self._newest(jobs, name) for name in self.names]
                done = sum(self._done(jobs, job, first) for job in found)
                context.progress(done, len(found), "jobs")
                took = time.monotonic() - began
                if done == len(found):
                    return {"states": {job.name: job.state for job in found}, "seconds": round(took, 3)}
                self._refuse(jobs, found, took)
                if took - told > TOLD_EVERY:
                    told = took
                    self._tell(context, jobs, found)
                waiting.pause(self.interval.seconds)

    @staticmethod
    def _newest(jobs: JobManager, name: str) -> Job:
        named = jobs.named(name)
        if not named:
            raise TaskFailed(f'Flink knows no job "{name}".')
        return next((job for job in named if job.live), named[0])

    def _done(self, jobs: JobManager, job: Job, first: dict[str, int]) -> bool:
        if not self.checkpoints:
            return job.works if self.state == "RUNNING" else job.state == self.state
        completed = jobs.checkpoints(job.id).completed
        return completed - first.setdefault(job.id, completed) >= self.checkpoints

    def _refuse(self, jobs: JobManager, found: list[Job], took: float) -> None:
        for job in found:
            if not job.live and job.state != self.state:
                raise TaskFailed(f'The job "{job.name}" is {job.state}: {jobs.why(job.id)}')
        if self.max_duration is not None and took > self.max_duration.seconds:
            states = ", ".join(f"{job.name} is {job.state}" for job in found)
            raise TaskFailed(f"After {took:.0f} s: {states}.")

    @staticmethod
    def _tell(context: Context, jobs: JobManager, found: list[Job]) -> None:
        for job in found:
            kept = jobs.checkpoints(job.id)
            context.log(f"{job.name}: {job.state}, {kept.completed} checkpoints, {kept.failed} failed")
            tags = {"job": job.name}
            context.metric("checkpoints", kept.completed, MetricKind.GAUGE, tags)
            context.metric("checkpoint.duration", kept.milliseconds / 1000, MetricKind.TIMER, tags)
            for part, (read, written) in jobs.records(job.id).items():
                context.metric("records.read", read, MetricKind.GAUGE, {**tags, "part": part[:100]})
                context.metric("records.written", written, MetricKind.GAUGE, {**tags, "part": part[:100]})
