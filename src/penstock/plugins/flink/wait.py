"""How does a flow wait for jobs of Flink's, and see meanwhile how they get on?"""

from __future__ import annotations

import time
from typing import Annotated, ClassVar

from msgspec import Meta, field

from penstock.plugins.flink.jobs import Job, JobManager
from penstock.plugins.flink.options import FlinkTask, OnKill, Url, ended, manager
from penstock.plugins.flink.watch import Watch
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration


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
    on_kill: Annotated[
        OnKill, Meta(description="What becomes of the jobs when the run is killed while this waits.")
    ] = OnKill.LEAVE

    def run(self, context: Context) -> dict[str, object]:
        """Wait."""
        if not self.names:
            raise TaskFailed("names must be given.")
        waiting = Waiting(context)
        jobs = manager(self, self.job_manager_url, waiting)
        watch, began = Watch(waiting, jobs), time.monotonic()
        first: dict[str, int] = {}
        known: dict[str, str] = {}
        with waiting.ends_with(lambda: ended(jobs, self.names, self.on_kill)):
            while True:
                found = [self._newest(jobs, name, known) for name in self.names]
                done, total = sum(self._done(jobs, job, first) for job in found), len(found) * max(self.checkpoints, 1)
                watch.tell(found, done, total, "checkpoints" if self.checkpoints else "jobs")
                took = time.monotonic() - began
                if done == total:
                    watch.record(found)
                    return {"states": {job.name: job.state for job in found}, "seconds": round(took, 3)}
                self._refuse(watch, found, took)
                waiting.pause(self.interval.seconds)

    @staticmethod
    def _newest(jobs: JobManager, name: str, known: dict[str, str]) -> Job:
        named = jobs.named(name)
        if not named and name in known:
            jobs.known(known[name])
        if not named:
            raise TaskFailed(f'The JobManager at {jobs.address} knows no job "{name}".')
        found = next((job for job in named if job.live), named[0])
        known[name] = found.id
        return found

    def _done(self, jobs: JobManager, job: Job, first: dict[str, int]) -> int:
        """How many of the checkpoints are there that are waited for; of a state whether it is."""
        if not self.checkpoints:
            return int(job.works if self.state == "RUNNING" else job.state == self.state)
        completed = jobs.checkpoints(job.id).completed
        return min(completed - first.setdefault(job.id, completed), self.checkpoints)

    def _refuse(self, watch: Watch, found: list[Job], took: float) -> None:
        for job in found:
            if not job.live and job.state != self.state:
                raise TaskFailed(watch.why(job))
        if self.max_duration is not None and took > self.max_duration.seconds:
            states = ", ".join(f"{job.name} is {job.state}" for job in found)
            lacks = "".join(f"; {lack}" for job in found if (lack := watch.lacking(job)))
            raise TaskFailed(f"After {took:.0f} s: {states}{lacks}.")
