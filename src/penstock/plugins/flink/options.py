"""What do all tasks of Flink declare: where it is, and how long it may take?"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from penstock.plugins.flink.causes import cause
from penstock.plugins.flink.jobs import Format, JobManager
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.patient import Patient
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.task import Mode, TaskType
from penstock.sdk.values import Duration

MINUTE: Final = 60_000_000
# Seconds that a task which is ended waits for a job's end; the job goes on ending when they are over.
CANCELLED: Final = 5.0
STOPPED: Final = 8.0
NAMED: Final = re.compile(r"[A-Za-z0-9._-]{1,150}")

Url = Annotated[
    str, Meta(description="Address of the JobManager's REST.", min_length=1, examples=["http://localhost:8081"])
]
Gateway = Annotated[
    str, Meta(description="Address of the SQL gateway.", min_length=1, examples=["http://localhost:8083"])
]


class OnKill(enum.StrEnum):
    """What becomes of a job when the run is killed."""

    LEAVE = "LEAVE"
    CANCEL = "CANCEL"
    SAVEPOINT = "SAVEPOINT"


class FlinkTask(TaskType, frozen=True, kw_only=True):
    """What every task of Flink declares."""

    mode: ClassVar[Mode] = Mode.WARM

    headers: Annotated[
        dict[str, str],
        Meta(description="Headers of each request, such as who asks.", examples=[{"Authorization": "…"}]),
    ] = field(default_factory=dict)
    patience: Annotated[
        Duration,
        Meta(description="How long one of Flink's servers may be away, while it is started again for instance.",
             extra=SPAN),
    ] = Duration(MINUTE)  # fmt: skip
    timeout_request: Annotated[
        Duration, Meta(description="How long an answer may take.", extra=SPAN)
    ] = Duration(30_000_000)  # fmt: skip

    def rest(self, address: str, called: str) -> Patient:
        """One of the two servers."""
        return Patient(
            address=address,
            called=called,
            cause=cause,
            timeout=self.timeout_request.seconds,
            patience=self.patience.seconds,
            headers=self.headers,
        )


def manager(task: FlinkTask, url: str, waiting: Waiting) -> JobManager:
    """The JobManager at an address."""
    return JobManager(task.rest(url, "Flink's JobManager"), waiting)


def savepoint_asked(directory: str, form: Format, drain: bool | None = None) -> dict[str, Any]:
    """What is said to Flink of a savepoint."""
    said: dict[str, Any] = {"targetDirectory": directory, "formatType": form.value}
    return said if drain is None else {**said, "drain": drain}


def ended(jobs: JobManager, names: Sequence[str], how: OnKill, directory: str = "") -> None:
    """Do with the jobs of these names that live what is to become of them when the run is killed."""
    for name in names if how is not OnKill.LEAVE else ():
        live = jobs.live(name)
        if live is None:
            continue
        if how is OnKill.CANCEL:
            jobs.log(f'The run is killed, and with it the job "{name}" ({live.id}).')
            jobs.cancel(live.id, CANCELLED)
        else:
            jobs.log(f'The run is killed, and the job "{name}" ({live.id}) is stopped with a savepoint.')
            asked = savepoint_asked(directory, Format.NATIVE, drain=False)
            jobs.log(f"The savepoint is {jobs.stop(live.id, asked, 'kill', STOPPED)}.")
