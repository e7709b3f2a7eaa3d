"""What does Flink's JobManager tell of jobs, and how are they stopped?

Its REST: nightlies.apache.org/flink → Deployment → REST API.
"""

from __future__ import annotations

import enum
import hashlib
import html
import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from penstock.errors.task import AnswerRefused
from penstock.plugins.rest.patient import Patient
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.task import TaskFailed

ENDED: Final = frozenset({"FINISHED", "FAILED", "CANCELED"})
PAUSE: Final = 0.25
# What is said of those of a job over data that end, which has none.
NO_CHECKPOINTS: Final = "Checkpointing has not been enabled"


class Format(enum.StrEnum):
    """How a savepoint is written: in Flink's portable form, or in that of its state backend, which is quicker."""

    CANONICAL = "CANONICAL"
    NATIVE = "NATIVE"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as the JobManager tells of it; `began` in milliseconds since 1970."""

    id: str
    name: str
    state: str
    began: int
    running: int = 0
    tasks: int = 0

    @property
    def live(self) -> bool:
        """Whether it has not ended for good."""
        return self.state not in ENDED

    @property
    def works(self) -> bool:
        """Whether all its tasks run: a job is called running before they do."""
        return self.state == "RUNNING" and self.running == self.tasks > 0


class Checkpoints(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a job's checkpoints: how many, and where the newest that is complete lies."""

    completed: int
    failed: int
    path: str
    milliseconds: int


class JobManager:
    """Who knows the jobs of one cluster."""

    def __init__(self, rest: Patient, waiting: Waiting) -> None:
        self._rest, self._waiting = rest, waiting

    def named(self, name: str) -> list[Job]:
        """The jobs of a name, the newest first."""
        found = self._rest.get("/jobs/overview", self._waiting)["jobs"]
        jobs = [_of_overview(each) for each in found if each["name"] == name]
        return sorted(jobs, key=lambda job: -job.began)

    def job(self, job_id: str) -> Job | None:
        """One job; None where it is not known, as all are after a JobManager has begun anew."""
        try:
            found = self._rest.get(f"/jobs/{job_id}", self._waiting)
        except AnswerRefused as refused:
            if refused.status == 404:
                return None
            raise
        counts = found["status-counts"]
        return Job(
            id=found["jid"],
            name=found["name"],
            state=found["state"],
            began=found["start-time"],
            running=counts["RUNNING"] + counts["FINISHED"],
            tasks=len(found["vertices"]),
        )

    def checkpoints(self, job_id: str) -> Checkpoints:
        """What its checkpoints have come to."""
        try:
            found = self._rest.get(f"/jobs/{job_id}/checkpoints", self._waiting)
        except AnswerRefused as refused:
            if NO_CHECKPOINTS in refused.told:
                return Checkpoints(completed=0, failed=0, path="", milliseconds=0)
            raise
        latest = found["latest"]
        whole = [each for each in (latest.get("completed"), latest.get("savepoint")) if each]
        newest: dict[str, Any] = max(whole, key=lambda each: each["id"], default={})
        return Checkpoints(
            completed=found["counts"]["completed"],
            failed=found["counts"]["failed"],
            path=newest.get("external_path", ""),
            milliseconds=newest.get("end_to_end_duration", 0),
        )

    def records(self, job_id: str) -> Mapping[str, tuple[int, int]]:
        """Of each of its parts, how many records it has read and written so far."""
        found = self._rest.get(f"/jobs/{job_id}", self._waiting)
        counts = {each["name"]: each["metrics"] for each in found["vertices"]}
        return {name: (said["read-records"], said["write-records"]) for name, said in counts.items()}

    def plan(self, job_id: str) -> str:
        """What its parts do, in Flink's own words: the tables that they scan are named."""
        found = self._rest.get(f"/jobs/{job_id}/plan", self._waiting)
        return "\n".join(html.unescape(str(each.get("description", ""))) for each in found["plan"]["nodes"])

    def why(self, job_id: str) -> str:
        """What a job failed of, as its first exception says."""
        found = self._rest.get(f"/jobs/{job_id}/exceptions", self._waiting)
        entries = found.get("exceptionHistory", {}).get("entries") or []
        told = entries[0].get("stacktrace", "") if entries else found.get("root-exception") or ""
        causes = [line for line in told.splitlines() if line.startswith("Caused by: ")]
        return causes[-1].removeprefix("Caused by: ") if causes else told.partition("\n")[0]

    def works(self, job_id: str, seconds: float) -> Job:
        """Wait until all tasks of a job run, or it has ended well; raises TaskFailed when it ends otherwise."""
        until = time.monotonic() + seconds
        while True:
            found = self.job(job_id)
            if found is None:
                raise TaskFailed(f"Flink does not know the job {job_id} any more: its JobManager has begun anew.")
            if found.works or found.state == "FINISHED":
                return found
            if not found.live:
                raise TaskFailed(f'The job "{found.name}" is {found.state}: {self.why(job_id)}')
            if time.monotonic() > until:
                said = f"{found.running} of {found.tasks} tasks run"
                raise TaskFailed(f'The job "{found.name}" is {found.state} after {seconds:.0f} s; {said}.')
            self._waiting.pause(PAUSE)

    def finished(self, job_id: str) -> None:
        """Wait until a job has come to its end; raises TaskFailed where that is not a good one."""
        while (found := self.job(job_id)) is None or found.state != "FINISHED":
            if found is None:
                raise TaskFailed(f"Flink does not know the job {job_id} any more: its JobManager has begun anew.")
            if not found.live:
                raise TaskFailed(f'The job "{found.name}" is {found.state}: {self.why(job_id)}')
            self._waiting.pause(PAUSE)

    def directory(self) -> str:
        """Where checkpoints are written, as the cluster is configured; empty where it is not said."""
        found = {each["key"]: each["value"] for each in self._rest.get("/jobmanager/config", self._waiting)}
        return str(found.get("execution.checkpointing.dir") or found.get("state.checkpoints.dir") or "")

    def stop(self, job_id: str, asked: Mapping[str, object], key: str, seconds: float) -> str:
        """Stop a job with a savepoint, and give where that lies; the same key twice is one savepoint."""
        return self._trigger(f"/jobs/{job_id}/stop", job_id, asked, key, seconds)

    def savepoint(self, job_id: str, asked: Mapping[str, object], key: str, seconds: float) -> str:
        """Have a job write a savepoint and go on; gives where that lies."""
        return self._trigger(f"/jobs/{job_id}/savepoints", job_id, asked, key, seconds)

    def cancel(self, job_id: str, seconds: float) -> Job | None:
        """End a job without a savepoint, and wait until it has ended."""
        try:
            self._rest.say(f"/jobs/{job_id}?mode=cancel", self._waiting, {}, "PATCH")
        except AnswerRefused as refused:
            if refused.status not in (404, 409):
                raise
        until = time.monotonic() + seconds
        while (found := self.job(job_id)) is not None and found.live:
            if time.monotonic() > until:
                raise TaskFailed(f'The job "{found.name}" is {found.state} {seconds:.0f} s after it was cancelled.')
            self._waiting.pause(PAUSE)
        return found

    def _trigger(self, path: str, job_id: str, asked: Mapping[str, object], key: str, seconds: float) -> str:
        trigger = digest(key, job_id, path)
        given = {name: value for name, value in asked.items() if value not in ("", None)}
        self._rest.say(path, self._waiting, {**given, "triggerId": trigger})
        until = time.monotonic() + seconds
        while True:
            found = self._rest.get(f"/jobs/{job_id}/savepoints/{trigger}", self._waiting)
            if found["status"]["id"] == "COMPLETED":
                done = found["operation"]
                if failure := done.get("failure-cause"):
                    raise TaskFailed(f"The savepoint of job {job_id} failed: {_first(failure)}")
                return str(done["location"])
            if time.monotonic() > until:
                raise TaskFailed(f"The savepoint of job {job_id} was not written within {seconds:.0f} s.")
            self._waiting.pause(PAUSE)


def digest(*parts: str) -> str:
    """An id of Flink's (32 hexadecimal digits) that is the same for the same parts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _of_overview(found: dict[str, Any]) -> Job:
    tasks = found["tasks"]
    return Job(
        id=found["jid"],
        name=found["name"],
        state=found["state"],
        began=found["start-time"],
        running=tasks["running"] + tasks["finished"],
        tasks=tasks["total"],
    )


def _first(failure: dict[str, Any]) -> str:
    told = str(failure.get("stack-trace") or failure.get("class") or "")
    causes = [line for line in told.splitlines() if line.startswith("Caused by: ")]
    return causes[-1].removeprefix("Caused by: ") if causes else told.partition("\n")[0]
