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

from penstock.errors.task import AnswerRefused, Forgotten
from penstock.plugins.flink.causes import WHOLE, cause
from penstock.plugins.rest.patient import Patient
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Level
from penstock.sdk.task import TaskFailed

ENDED: Final = frozenset({"FINISHED", "FAILED", "CANCELED"})
PAUSE: Final = 0.25
# How often a savepoint is asked for that a job cannot write, whose tasks may just begin again.
TRIES: Final = 4
COUNTED: Final = frozenset({"numRecordsIn", "numRecordsOut"})
OUTSIDE: Final = (".pendingRecords", ".numRecordsSend")
# What is said of those of a job over data that end, which has none.
NO_CHECKPOINTS: Final = "Checkpointing has not been enabled"


class Format(enum.StrEnum):
    """How a savepoint is written: in Flink's portable form, or in that of its state backend, which is quicker."""

    CANONICAL = "CANONICAL"
    NATIVE = "NATIVE"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as the JobManager tells of it; `began` in milliseconds since 1970. Of its tasks so many run, and so many
    wait for a slot.
    """

    id: str
    name: str
    state: str
    began: int
    running: int = 0
    tasks: int = 0
    parallelism: int = 1
    waiting: int = 0

    @property
    def live(self) -> bool:
        """Whether it has not ended for good."""
        return self.state not in ENDED

    @property
    def works(self) -> bool:
        """Whether all its tasks run: a job is called running before they do."""
        return self.state == "RUNNING" and self.running == self.tasks > 0


class Checkpoints(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a job's checkpoints: how many, and of the newest that is complete its number, where it lies, how
    long it took, and its size in bytes.
    """

    completed: int = 0
    failed: int = 0
    number: int = 0
    path: str = ""
    milliseconds: int = 0
    size: int = 0


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """How many records one of a job's parts has read and written, and how many it knows that it has not read yet."""

    name: str
    read: int
    written: int
    pending: int | None = None


class Slots(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster has, and what of it is free."""

    managers: int
    total: int
    free: int


class JobManager:
    """Who knows the jobs of one cluster."""

    def __init__(self, rest: Patient, waiting: Waiting) -> None:
        self._rest, self._waiting = rest, waiting

    @property
    def address(self) -> str:
        """Where it is."""
        return self._rest.address

    def log(self, sentence: str) -> None:
        """Say something of its jobs."""
        self._waiting.context.log(sentence)

    def all(self) -> list[Job]:
        """All jobs that it knows, the newest first."""
        found = self._rest.get("/jobs/overview", self._waiting)["jobs"]
        return sorted(map(_of_overview, found), key=lambda job: -job.began)

    def named(self, name: str) -> list[Job]:
        """The jobs of a name, the newest first."""
        return [job for job in self.all() if job.name == name]

    def live(self, name: str) -> Job | None:
        """The job of a name that has not ended."""
        return next((job for job in self.named(name) if job.live), None)

    def known(self, job_id: str) -> Job:
        """One job; raises Forgotten."""
        found = self.job(job_id)
        if found is None:
            raise Forgotten(
                f"Flink's JobManager at {self.address} does not know the job {job_id} any more: it was started again."
            )
        return found

    def job(self, job_id: str) -> Job | None:
        """One job; None where it is not known, as all are after a JobManager has begun anew."""
        try:
            found = self._rest.get(f"/jobs/{job_id}", self._waiting)
        except AnswerRefused as refused:
            if refused.status == 404:
                return None
            raise
        # a part counts as running as soon as one of its tasks does
        parts = found["vertices"]
        counts = {state: sum(each["tasks"][state] for each in parts) for state in ("RUNNING", "FINISHED", "SCHEDULED")}
        return Job(
            id=found["jid"],
            name=found["name"],
            state=found["state"],
            began=found["start-time"],
            running=counts["RUNNING"] + counts["FINISHED"],
            tasks=sum(each["parallelism"] for each in parts),
            parallelism=max((each["parallelism"] for each in parts), default=1),
            waiting=counts["SCHEDULED"],
        )

    def checkpoints(self, job_id: str) -> Checkpoints:
        """What its checkpoints have come to."""
        try:
            found = self._rest.get(f"/jobs/{job_id}/checkpoints", self._waiting)
        except AnswerRefused as refused:
            if NO_CHECKPOINTS in refused.told:
                return Checkpoints()
            raise
        latest = found["latest"]
        whole = [each for each in (latest.get("completed"), latest.get("savepoint")) if each]
        newest: dict[str, Any] = max(whole, key=lambda each: each["id"], default={})
        return Checkpoints(
            completed=found["counts"]["completed"],
            failed=found["counts"]["failed"],
            number=newest.get("id", 0),
            path=newest.get("external_path", ""),
            milliseconds=newest.get("end_to_end_duration", 0),
            size=newest.get("state_size", 0),
        )

    def parts(self, job_id: str) -> list[Part]:
        """How far each of its parts is; Flink counts anew after each start, and tells what was so some seconds ago."""
        found = self._rest.get(f"/jobs/{job_id}", self._waiting)["vertices"]
        return [self._part(job_id, each) for each in found]

    def restarts(self, job_id: str) -> int:
        """How often Flink has started its tasks again."""
        found = self._rest.get(f"/jobs/{job_id}/metrics", self._waiting, get="numRestarts")
        return int(float(found[0]["value"])) if found else 0

    def slots(self) -> Slots:
        """What the cluster has."""
        found = self._rest.get("/overview", self._waiting)
        return Slots(managers=found["taskmanagers"], total=found["slots-total"], free=found["slots-available"])

    def plan(self, job_id: str) -> str:
        """What its parts do, in Flink's own words: the tables that they scan are named."""
        found = self._rest.get(f"/jobs/{job_id}/plan", self._waiting)
        return "\n".join(html.unescape(str(each.get("description", ""))) for each in found["plan"]["nodes"])

    def why(self, job_id: str) -> str:
        """What a job failed of, as its newest exception says; the whole of it goes to the log, for who looks closer."""
        told = self.exception(job_id)
        self._waiting.context.log(told[:WHOLE], Level.DEBUG)
        return cause(told)

    def exception(self, job_id: str) -> str:
        """The newest exception of a job, as Java tells it; empty where it had none."""
        found = self._rest.get(f"/jobs/{job_id}/exceptions", self._waiting)
        entries = found.get("exceptionHistory", {}).get("entries") or []
        return str(entries[0].get("stacktrace", "") if entries else found.get("root-exception") or "")

    def directories(self) -> tuple[str, str]:
        """Where checkpoints and savepoints are written, as the cluster is configured; empty where it is not said."""
        found = {each["key"]: each["value"] for each in self._rest.get("/jobmanager/config", self._waiting)}
        checkpoints = found.get("execution.checkpointing.dir") or found.get("state.checkpoints.dir")
        savepoints = found.get("execution.checkpointing.savepoint-dir") or found.get("state.savepoints.dir")
        return str(checkpoints or ""), str(savepoints or "")

    def stop(self, job_id: str, asked: Mapping[str, object], key: str, seconds: float) -> str:
        """Stop a job with a savepoint, and give where that lies; the same key twice is one savepoint."""
        return self._trigger(f"/jobs/{job_id}/stop", job_id, asked, key, seconds)

    def savepoint(self, job_id: str, asked: Mapping[str, object], key: str, seconds: float) -> str:
        """Have a job write a savepoint and go on; gives where that lies."""
        return self._trigger(f"/jobs/{job_id}/savepoints", job_id, asked, key, seconds)

    def cancel(self, job_id: str, seconds: float) -> Job | None:
        """End a job without a savepoint, and wait until it has ended."""
        try:
            self._rest.say(f"/jobs/{job_id}?mode=cancel", self._waiting, {}, "PATCH", again=True)
        except AnswerRefused as refused:
            if refused.status not in (404, 409):
                raise
        return self.ended(job_id, seconds)

    def ended(self, job_id: str, seconds: float) -> Job | None:
        """Wait until a job has ended that was told to; None where it is not known any more."""
        until = time.monotonic() + seconds
        while (found := self.job(job_id)) is not None and found.live:
            if time.monotonic() > until:
                raise TaskFailed(f'The job "{found.name}" is {found.state} {seconds:.0f} s after it was told to end.')
            self._waiting.pause(PAUSE)
        return found

    def _trigger(self, path: str, job_id: str, asked: Mapping[str, object], key: str, seconds: float) -> str:
        given = {name: value for name, value in asked.items() if value not in ("", None)}
        until = time.monotonic() + seconds
        for number in range(TRIES):
            # an earlier attempt may have asked under this number, and may have got a no
            trigger = digest(key, job_id, path, str(number))
            try:
                self._rest.say(path, self._waiting, {**given, "triggerId": trigger}, again=True)
                done = self._written(job_id, trigger, until, seconds)
            except AnswerRefused as refused:
                if refused.status == 404:
                    self.known(job_id)
                raise
            if not (failure := done.get("failure-cause")):
                return str(done["location"])
            told = str(failure.get("stack-trace") or failure.get("class") or "")
            self._waiting.context.log(told[:WHOLE], Level.DEBUG)
            if number + 1 < TRIES and self.known(job_id).live:
                self._waiting.context.log(f"The savepoint of job {job_id} failed, and is tried again: {cause(told)}")
                self._waiting.pause(PAUSE * 2**number)
        raise TaskFailed(f"The savepoint of job {job_id} failed: {cause(told)}")

    def _written(self, job_id: str, trigger: str, until: float, seconds: float) -> dict[str, Any]:
        while True:
            found = self._rest.get(f"/jobs/{job_id}/savepoints/{trigger}", self._waiting)
            if found["status"]["id"] == "COMPLETED":
                done: dict[str, Any] = found["operation"]
                return done
            if time.monotonic() > until:
                raise TaskFailed(f"The savepoint of job {job_id} was not written within {seconds:.0f} s.")
            self._waiting.pause(PAUSE)

    def _part(self, job_id: str, vertex: Mapping[str, Any]) -> Part:
        path, said = f"/jobs/{job_id}/vertices/{vertex['id']}/subtasks/metrics", vertex["metrics"]
        names = [each["id"] for each in self._rest.get(path, self._waiting)]
        wanted = [name for name in names if name in COUNTED or name.endswith(OUTSIDE)]
        told = self._rest.get(path, self._waiting, get=",".join(wanted), agg="sum") if wanted else []
        sums = {each["id"]: int(each["sum"]) for each in told}
        # what a source reads and a sink writes comes from outside, and goes there
        sent = [value for name, value in sums.items() if name.endswith(".numRecordsSend")]
        pending = [value for name, value in sums.items() if name.endswith(".pendingRecords")]
        return Part(
            name=vertex["name"],
            read=max(said["read-records"], sums.get("numRecordsIn", 0)),
            written=max(said["write-records"], sums.get("numRecordsOut", 0), sum(sent)),
            pending=sum(pending) if pending else None,
        )


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
        waiting=tasks["scheduled"],
    )
