"""How does a job get on while a task waits for it? Told in words at each look, and in numbers from time to time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import msgspec

from penstock.plugins.flink.jobs import Checkpoints, Job, JobManager, Part
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Level, MetricKind
from penstock.sdk.task import TaskFailed

PAUSE: Final = 0.25
# Seconds between two looks at more than a job's state; Flink itself counts records every ten.
LOOKS_EVERY: Final = 2.0
COUNTS_EVERY: Final = 10.0
# Numbers are kept after so many seconds, and then ever more seldom.
FIRST: Final = 10.0
SELDOM: Final = 300.0
# So long a job may be without slots before it is said.
WITHOUT: Final = 3.0
LONGEST: Final = 100
# What a job fails of, again and again, that gets no slots.
NO_SLOTS: Final = "NoResourceAvailableException"


class Seen(msgspec.Struct, kw_only=True):
    """What was seen of one job, and when, in seconds."""

    at: float = -1e9
    counted: float = -1e9
    checkpoints: Checkpoints = Checkpoints()
    restarts: int = 0
    parts: list[Part] = []
    since: float = 0.0
    lacks: str = ""


class Watch:
    """Looks at jobs as long as a task waits for them."""

    def __init__(self, waiting: Waiting, jobs: JobManager) -> None:
        self._waiting, self._context, self._jobs = waiting, waiting.context, jobs
        self._seen: dict[str, Seen] = {}
        self._told, self._pause = time.monotonic(), FIRST

    def works(self, job_id: str, seconds: float, most_restarts: int | None = None) -> Job:
        """Wait until all tasks of a job run, or it has ended well; raises TaskFailed when it ends otherwise, or its
        tasks were started again too often, and Forgotten.
        """
        began = time.monotonic()
        until = began + seconds
        while True:
            found = self._jobs.known(job_id)
            if found.works or found.state == "FINISHED":
                return found
            if not found.live:
                raise TaskFailed(self.why(found))
            self.tell([found], found.running, found.tasks, "tasks")
            seen = self._seen[job_id]
            if most_restarts is not None and seen.restarts > most_restarts:
                said = f'The tasks of the job "{found.name}" were started again {seen.restarts} times'
                raise TaskFailed(f"{said}: {self._jobs.why(job_id)}")
            if time.monotonic() > until:
                raise TaskFailed(self._late(found, seconds))
            self._waiting.pace(began, PAUSE)

    def finished(self, job_id: str) -> Job:
        """Wait until a job has come to its end; raises TaskFailed where that is not a good one, and Forgotten."""
        began = time.monotonic()
        while (found := self._jobs.known(job_id)).state != "FINISHED":
            if not found.live:
                raise TaskFailed(self.why(found))
            self.tell([found], 0, 1, "jobs")
            self._waiting.pace(began, PAUSE)
        self.record([found])
        return found

    def tell(self, found: Sequence[Job], done: int, total: int, unit: str) -> None:
        """Tell how the jobs get on."""
        for job in found:
            self._look(job)
        self._context.progress(done, total, unit, "; ".join(map(self._words, found)))
        if time.monotonic() - self._told > self._pause:
            self._pause = min(self._pause * 1.5, SELDOM)
            for job in found:
                self._context.log(self._words(job))
            self.record(found)

    def record(self, found: Sequence[Job]) -> None:
        """Keep the numbers of jobs with the step."""
        self._told = time.monotonic()
        for job in found:
            seen = self._look(job, anew=True)
            tags = {"job": job.name}
            self._context.metric("restarts", seen.restarts, MetricKind.GAUGE, tags)
            if kept := seen.checkpoints.completed:
                self._context.metric("checkpoints", kept, MetricKind.GAUGE, tags)
                self._context.metric("checkpoint.number", seen.checkpoints.number, MetricKind.GAUGE, tags)
                seconds = seen.checkpoints.milliseconds / 1000
                self._context.metric("checkpoint.duration", seconds, MetricKind.TIMER, tags)
                self._context.metric("checkpoint.bytes", seen.checkpoints.size, MetricKind.GAUGE, tags)
            for part in seen.parts:
                of = {**tags, "part": part.name[:LONGEST]}
                self._context.metric("records.read", part.read, MetricKind.GAUGE, of)
                self._context.metric("records.written", part.written, MetricKind.GAUGE, of)
                if part.pending is not None:
                    self._context.metric("records.pending", part.pending, MetricKind.GAUGE, of)

    def lacking(self, job: Job) -> str:
        """That a job gets no slots, and who has them; empty where it has some."""
        if job.works or (not job.waiting and NO_SLOTS not in self._jobs.exception(job.id)):
            return ""
        slots, wide = self._jobs.slots(), self._jobs.known(job.id).parallelism
        needs = f'the job "{job.name}" gets no slots: its parallelism is {wide}'
        if not slots.managers:
            return f"{needs}, and no TaskManager is known to the JobManager at {self._jobs.address}"
        others = [other.name for other in self._jobs.all() if other.live and other.id != job.id]
        held = f"; there live {', '.join(dict.fromkeys(others))} as well" if others else ""
        return f"{needs}, and of {slots.total} slots {slots.free} are free{held}"

    def why(self, job: Job) -> str:
        """What is said of a job that has ended badly."""
        lacks = self.lacking(job)
        said = f'The job "{job.name}" is {job.state}: {self._jobs.why(job.id)}'
        return f"{said.rstrip('.')}: {lacks}." if lacks else said

    def _late(self, job: Job, seconds: float) -> str:
        said = f'The job "{job.name}" is {job.state} after {seconds:.0f} s; {job.running} of {job.tasks} tasks run'
        if lacks := self.lacking(job):
            return f"{said}: {lacks}."
        seen = self._look(job, anew=True)
        if seen.restarts:
            return f"{said}, which were started again {seen.restarts} times: {self._jobs.why(job.id)}"
        return f"{said}."

    def _look(self, job: Job, *, anew: bool = False) -> Seen:
        now = time.monotonic()
        seen = self._seen.setdefault(job.id, Seen(since=now))
        if anew or now - seen.at > LOOKS_EVERY:
            seen.at = now
            seen.checkpoints = self._jobs.checkpoints(job.id)
            seen.restarts = self._jobs.restarts(job.id)
        if (anew or now - seen.counted > COUNTS_EVERY) and job.works:
            seen.counted = now
            seen.parts = self._jobs.parts(job.id)
        if job.works or not job.live or not (job.waiting or seen.restarts):
            seen.since, seen.lacks = now, ""
        elif now - seen.since > WITHOUT and not seen.lacks and (lacks := self.lacking(job)):
            seen.lacks = lacks
            self._context.log(f"{lacks[:1].upper()}{lacks[1:]}.", Level.WARN)
        elif now - seen.since > WITHOUT:
            seen.since = now
        return seen

    def _words(self, job: Job) -> str:
        seen = self._seen[job.id]
        said = [f"{job.name} {job.state}"]
        if not job.works and job.live:
            said.append("gets no slots" if seen.lacks else f"{job.running} of {job.tasks} tasks")
        if seen.restarts:
            said.append(f"restarts {seen.restarts}")
        if (kept := seen.checkpoints).completed:
            said.append(f"checkpoint {kept.number} ({kept.milliseconds} ms, {size(kept.size)})")
        if seen.parts:
            sources = [part for part in seen.parts if part.pending is not None]
            said.append(f"read {sum(max(part.read, part.written) for part in sources or seen.parts[:1]):,}")
            said.append(f"written {seen.parts[-1].written:,}")
            if sources:
                said.append(f"{sum(part.pending or 0 for part in sources):,} behind")
        return ", ".join(said)


def size(count: int) -> str:
    """A number of bytes as people read it."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
