"""How does a flow run SQL on Flink? A script of statements, in one session of the gateway; each shown as a part."""

from __future__ import annotations

import contextlib
import enum
import itertools
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta, field

from penstock.errors.task import AnswerRefused
from penstock.plugins.flink import lineage
from penstock.plugins.flink.causes import WHOLE, whole
from penstock.plugins.flink.gateway import ADDS, Session
from penstock.plugins.flink.jobs import digest
from penstock.plugins.flink.options import MINUTE, FlinkTask, Gateway, OnKill, manager
from penstock.plugins.flink.script import Statement, statements
from penstock.plugins.flink.watch import Watch
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.waiting import Waiting
from penstock.plugins.serdes.records import Writer
from penstock.sdk.context import Context, Level
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration

MOST_ROWS: Final = 1_000
BADLY: Final = frozenset({"FAILED", "CANCELED"})


class Fetch(enum.StrEnum):
    """What becomes of the rows of the last statement."""

    NONE = "NONE"
    FETCH = "FETCH"
    FETCH_ONE = "FETCH_ONE"
    STORE = "STORE"


class Scripted(FlinkTask, frozen=True, kw_only=True):
    """What is declared by all that send SQL."""

    gateway_url: Gateway
    sql: Annotated[str, Meta(description="Statements, each ended by `;`.", min_length=1)]
    session: Annotated[
        dict[str, str],
        Meta(
            description="Settings of the session, as SET makes them.",
            examples=[{"execution.runtime-mode": "batch", "parallelism.default": "2"}],
        ),
    ] = field(default_factory=dict)
    timeout: Annotated[
        Duration, Meta(description="How long one statement may go without a word.", extra=SPAN)
    ] = Duration(10 * MINUTE)  # fmt: skip

    def begun(
        self, waiting: Waiting, settings: Mapping[str, str], within: float | None = None
    ) -> contextlib.closing[Session]:
        """A session with settings; it ends with the block. With `within` it is given up after so many seconds, and at
        once where nobody is there.
        """
        rest = self.rest(self.gateway_url, "Flink's SQL gateway")
        seconds = self.timeout.seconds
        if within is not None:
            rest = msgspec.structs.replace(rest, timeout=min(within, rest.timeout), patience=0.0)
            seconds = min(within, seconds)
        return contextlib.closing(Session(rest, waiting, settings, seconds))


class Sql(Scripted, frozen=True, kw_only=True):
    """Run a script of SQL; what becomes a job (INSERT …) is waited for, so it must come to an end: with
    `execution.runtime-mode: batch`, or from a source that ends. For jobs that go on there is `flink.submit`.
    """

    type_name: ClassVar[str] = "flink.sql"
    outputs: ClassVar[dict[str, str]] = {
        "rows": "The rows of the last statement (FETCH), each a map by column.",
        "row": "Its first row (FETCH_ONE).",
        "size": "How many rows it gave.",
        "uri": "Address of the stored rows (STORE).",
        "jobs": "Ids of the jobs that the statements became.",
    }
    example: ClassVar[dict[str, object]] = {
        "gatewayUrl": "http://localhost:8083",
        "jobManagerUrl": "http://localhost:8081",
        "session": {"execution.runtime-mode": "batch"},
        "sql": "CREATE TABLE IF NOT EXISTS …;\nINSERT INTO daily SELECT day, COUNT(*) FROM trips GROUP BY day;\n",
    }

    job_manager_url: Annotated[str, Meta(description="Address of the JobManager's REST, to wait for jobs.")] = ""
    fetch_type: Annotated[Fetch, Meta(description="What becomes of the rows of the last statement.")] = Fetch.NONE
    max_rows: Annotated[int, Meta(description="With FETCH no more rows than these; the rest is left.", ge=1)] = (
        MOST_ROWS
    )
    on_kill: Annotated[OnKill, Meta(description="What becomes of a job when the run is killed.")] = OnKill.CANCEL

    def run(self, context: Context) -> dict[str, object]:
        """Run them, one after the other."""
        waiting = Waiting(context)
        script = statements(self.sql)
        if not script:
            raise TaskFailed("There is no statement in sql.")
        jobs: list[str] = []
        with waiting.ends_with(lambda: self._end(waiting, jobs)), self.begun(waiting, self.session) as session:
            outputs: dict[str, object] = {}
            for number, statement in enumerate(script, 1):
                last = number == len(script)
                with shown(context, number, statement):
                    if statement.becomes_job:
                        self._job(waiting, session, statement, number, jobs)
                    elif last and self.fetch_type is not Fetch.NONE:
                        outputs = self._fetched(context, session, statement)
                    else:
                        session.done(statement)
                context.progress(number, len(script), "statements")
        return {**outputs, "jobs": jobs}

    def _job(self, waiting: Waiting, session: Session, statement: Statement, number: int, made: list[str]) -> None:
        """Have a job made, unless an earlier attempt did, and wait for its end; one that failed is not made up for by
        its name, so the next attempt makes another.
        """
        if not self.job_manager_url:
            raise TaskFailed("jobManagerUrl is needed to wait for the job that this statement becomes.")
        jobs = manager(self, self.job_manager_url, waiting)
        ids = (digest(waiting.context.idempotency_key, str(number), str(tries)) for tries in itertools.count())
        job, there = next((job, there) for job in ids if (there := jobs.job(job)) is None or there.state not in BADLY)
        made.append(job)
        if there is None:
            try:
                session.submit(statement, f"{waiting.context.flow}.{waiting.context.step}", job)
            except AnswerRefused as refused:
                if not is_twin(refused):
                    raise
        lineage.tell(waiting, session, statement, jobs, job)
        Watch(waiting, jobs).finished(job)

    def _fetched(self, context: Context, session: Session, statement: Statement) -> dict[str, object]:
        pages = session.pages(statement)
        with contextlib.closing(pages):
            rows = (
                dict(zip(page.columns, row, strict=True))
                for page in pages
                for row, kind in zip(page.rows, page.kinds, strict=True)
                if kind in ADDS
            )
            match self.fetch_type:
                case Fetch.FETCH_ONE:
                    first = next(rows, None)
                    return {"row": first, "size": int(first is not None)}
                case Fetch.STORE:
                    with Writer(context) as writer:
                        for row in rows:
                            writer.write(row)
                        return {"uri": writer.done()["uri"], "size": writer.count}
                case _:
                    found = list(itertools.islice(rows, self.max_rows))
                    return {"rows": found, "size": len(found)}

    def _end(self, waiting: Waiting, jobs: list[str]) -> None:
        if self.on_kill is OnKill.LEAVE or not self.job_manager_url or not jobs:
            return
        asked = manager(self, self.job_manager_url, waiting)
        with contextlib.suppress(TaskFailed):
            asked.cancel(jobs[-1], 5)


@contextlib.contextmanager
def shown(context: Context, number: int, statement: Statement) -> Iterator[None]:
    """Show a statement as a part while it is done, and say of an error which statement's it is."""
    name = f"{number}: {statement.head}"
    context.part(name, "running")
    try:
        with placed(context, number, statement):
            yield
    except TaskFailed as failed:
        context.part(name, "failed", message=failed.sentence)
        raise
    context.part(name, "success")


@contextlib.contextmanager
def placed(context: Context, number: int, statement: Statement) -> Iterator[None]:
    """Say of an error which statement's it is, and log what Flink says of it in Java, for who looks closer."""
    try:
        yield
    except TaskFailed as failed:
        if isinstance(failed, AnswerRefused):
            context.log(whole(failed.told)[:WHOLE], Level.DEBUG)
        if line := statement.shown(failed.sentence):
            context.log(line, Level.ERROR)
        said = f"Statement {number}, {statement.where} ({statement.head}): {failed.sentence}"
        raise TaskFailed(said, outputs=failed.outputs) from failed


def is_twin(refused: AnswerRefused) -> bool:
    """Whether Flink refused a job because it has one of the same id."""
    return "DuplicateJobSubmission" in refused.told or "already been submitted" in refused.told
