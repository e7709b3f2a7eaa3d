"""How is a job begun once, or takes over from the one that lives, whatever dies meanwhile?

| it dies after | then |
|---|---|
| the savepoint was asked for | who comes again asks for the same one |
| the job before was stopped | nothing of the name lives: the newest savepoint is where the next begins |
| the number was remembered | the id is submitted again; Flink takes it once |
| it was submitted | the job that lives was begun by this step, and is taken |
"""

from __future__ import annotations

import http.client
from typing import Final

import msgspec

from penstock.errors.task import AnswerRefused, Forgotten, NoAnswer
from penstock.plugins.flink import lineage
from penstock.plugins.flink.causes import is_away
from penstock.plugins.flink.gateway import Session
from penstock.plugins.flink.jobs import Format, Job, JobManager, digest
from penstock.plugins.flink.known import Keeper, Known, Version
from penstock.plugins.flink.options import savepoint_asked
from penstock.plugins.flink.script import Statement, statements
from penstock.plugins.flink.sql import is_twin, placed, shown
from penstock.plugins.flink.watch import Watch
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Level
from penstock.sdk.task import TaskFailed

# So many jobs of a name may have ended while the JobManager still knows them.
MOST_NUMBERS: Final = 1_000
# So often is begun again what a server that was started again has forgotten.
MOST_TRIES: Final = 5
# A version whose tasks fail so often one after the other does not take the state that it is given.
MOST_RESTARTS: Final = 5
# Seconds for a job that is to be stopped to come out of a restart.
SETTLING: Final = 30.0
LATEST: Final = "latest"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which job is to live: its name and SQL, where it begins, whether it takes over from one that lives; seconds."""

    name: str
    version: Version
    begin: str
    replace: bool
    savepoints: str
    ignore_unclaimed: bool
    timeout: float
    until_running: float


class Begun(msgspec.Struct, frozen=True):
    """The job that works now, whether it was there already, and where it began."""

    job: Job
    attached: bool
    begin: str


class Beginning:
    """Begins one job; `sessions` opens a session of the gateway with the settings that it is given."""

    def __init__(
        self,
        wanted: Wanted,
        waiting: Waiting,
        jobs: JobManager,
        sessions: lineage.Sessions,
    ) -> None:
        self._wanted, self._waiting, self._context = wanted, waiting, waiting.context
        self._jobs, self._sessions = jobs, sessions
        self._keeper, self._watch = Keeper(waiting.context, wanted.name), Watch(waiting, jobs)

    def begin(self) -> Begun:
        """Have the job live; raises TaskFailed where that cannot be."""
        for tries in range(MOST_TRIES):
            try:
                begun = self._once(again=tries > 0)
            except TaskFailed as failed:
                if tries + 1 == MOST_TRIES or not _lost(failed):
                    self._tell_where(failed)
                    raise
                self._context.log(f"{failed.sentence} It is begun again.", Level.WARN)
            else:
                self._keeper.worked(self._wanted.version)
                return begun
        raise AssertionError("the last try gives or raises")

    def _once(self, *, again: bool) -> Begun:
        wanted, known = self._wanted, self._keeper.recall()
        live = self._jobs.live(wanted.name)
        mine = known.by == self._context.idempotency_key and known.mark == wanted.version.mark
        there = live if live is not None and (not wanted.replace or (mine and live.id == known.job)) else None
        if live is None and mine and known.submitted:
            found = self._jobs.job(known.job)
            there = found if found is not None and found.state == "FINISHED" else None
        if there is not None:
            self._context.log(f'The job "{wanted.name}" is there already: {there.id}, {there.state}.')
            lineage.tell_again(self._waiting, self._sessions, lambda: self._version_of(there, known), self._jobs, there)
            return Begun(self._works(there.id), True, known.savepoint if mine else "")
        with self._sessions(wanted.version.session) as session:
            number, last = self._prepared(session, wanted.version)
            if live is not None:
                begin = self._taken_over(session, last, live, known)
            else:
                begin = self._place(known, go_on=again or (mine and known.submitted))
            try:
                with shown(self._context, number, last):
                    job, attached = self._submitted(session, last, begin, wanted.version)
            except TaskFailed as failed:
                self._go_back(failed, begin)
                raise
            if not attached:
                lineage.tell(self._waiting, session, last, self._jobs, job, name=wanted.name)
        try:
            return Begun(self._works(job), attached, begin)
        except TaskFailed as failed:
            self._go_back(failed, begin)
            raise

    def _version_of(self, job: Job, known: Known) -> Version | None:
        """The version that a job was begun from which lives: the wanted one, as far as is known; None where it is one
        that is not remembered.
        """
        if known.job != job.id or known.mark in ("", self._wanted.version.mark):
            return self._wanted.version
        good = self._keeper.good(known)
        return good if good is not None and good.mark == known.mark else None

    def _works(self, job: str) -> Job:
        return self._watch.works(job, self._wanted.until_running, MOST_RESTARTS if self._wanted.replace else None)

    def _prepared(self, session: Session, version: Version) -> tuple[int, Statement]:
        """Do what comes before the statement that becomes the job; gives that one, and which of all it is."""
        *before, last = statements(version.sql)
        for number, statement in enumerate(before, 1):
            with shown(self._context, number, statement):
                session.done(statement)
        return len(before) + 1, last

    def _place(self, known: Known, *, go_on: bool) -> str:
        """Where the job is to begin that takes over from none; `go_on` where this step has begun it before."""
        wanted = self._wanted
        # one that is to be replaced may have been stopped by an earlier attempt
        if not go_on and wanted.begin != LATEST and (wanted.begin or not wanted.replace):
            return wanted.begin
        alone = go_on and wanted.begin != LATEST and not wanted.replace
        found = self._keeper.latest(self._jobs, known, alone=alone)
        said = f"begins from {found}" if found else "begins anew: there is no checkpoint of one before it"
        self._context.log(f'The job "{wanted.name}" {said}.')
        return found

    def _taken_over(self, session: Session, last: Statement, live: Job, known: Known) -> str:
        """Stop the job that lives, once Flink has a plan for the one that takes its place; gives where that begins."""
        with placed(self._context, len(statements(self._wanted.version.sql)), last):
            if explained := last.explained:
                session.done(explained)
        known.directory, savepoints = self._jobs.directories()
        known.savepoints = self._wanted.savepoints or savepoints
        # who began it may have died before it was remembered as begun; its number is taken all the same
        known.submitted = known.submitted or known.job == live.id
        known.job, known.stopped_by = live.id, self._context.idempotency_key
        self._keeper.keep(known)
        found = self._stopped(live)
        known.savepoint = found
        self._keeper.keep(known)
        self._context.log(f"The job {live.id} has stopped; the next version begins from {found}.")
        return found

    def _stopped(self, live: Job) -> str:
        try:
            if not self._watch.works(live.id, SETTLING).live:
                return self._jobs.checkpoints(live.id).path
            asked = savepoint_asked(self._wanted.savepoints, Format.CANONICAL, drain=False)
            found = self._jobs.stop(live.id, asked, self._context.idempotency_key, self._wanted.timeout)
            self._jobs.ended(live.id, self._wanted.timeout)
            return found
        except Forgotten:
            raise
        except TaskFailed as failed:
            now = self._jobs.known(live.id)
            path = self._jobs.checkpoints(live.id).path
            if now.works or not path:
                raise
            # What a job does beyond its newest checkpoint is undone when another one goes on from there.
            self._context.log(f"{failed.sentence} It is cancelled, and its newest checkpoint taken.", Level.WARN)
            self._jobs.cancel(live.id, self._wanted.timeout)
            return self._jobs.checkpoints(live.id).path or path

    def _submitted(self, session: Session, statement: Statement, begin: str, version: Version) -> tuple[str, bool]:
        """Have Flink make the job; gives its id, and whether somebody else had it made meanwhile."""
        known, new = self._keeper.recall(), version is self._wanted.version
        first = known.number + 1 if known.submitted else max(known.number, 1)
        known.directory, savepoints = self._jobs.directories()
        known.savepoints = self._wanted.savepoints or savepoints
        known.savepoint, known.submitted = begin, False
        known.by, known.mark = (self._context.idempotency_key if new else "", version.mark)
        for number in range(first, first + MOST_NUMBERS):
            job = digest("penstock", self._context.namespace, self._wanted.name, str(number))
            there = self._jobs.job(job)
            if there is not None and there.live:
                return job, True
            if there is not None:
                continue
            known.number, known.job = number, job
            self._keeper.keep(known)
            try:
                session.submit(statement, self._wanted.name, job, begin, new and self._wanted.ignore_unclaimed)
            except AnswerRefused as refused:
                if not is_twin(refused):
                    raise
                # Whoever was first has it live; what has ended since is refused for ever, and the next number free.
                twin = self._jobs.job(job)
                if twin is not None and twin.live:
                    return job, True
                continue
            known.submitted = True
            self._keeper.keep(known)
            return job, False
        raise TaskFailed(
            f'Flink knows {MOST_NUMBERS} jobs "{self._wanted.name}" that have ended, and takes no further one.'
        )

    def _go_back(self, failed: TaskFailed, begin: str) -> None:
        """Have the version before go on where a new one does not take the state that it left; TaskFailed says so."""
        known = self._keeper.recall()
        if _lost(failed) or known.stopped_by != self._context.idempotency_key:
            return
        good = self._keeper.good(known)
        if good is None or good == self._wanted.version:
            return
        there = self._jobs.job(known.job)
        if there is not None and there.live:
            if self._jobs.checkpoints(there.id).completed:
                # it has gone on, and what it wrote since would be written twice
                return
            self._jobs.cancel(there.id, self._wanted.timeout)
        said = f'The new version of the job "{self._wanted.name}" does not go on from {begin}: {failed.sentence}'
        self._context.log(f"{said} The version before it is begun again there.", Level.WARN)
        try:
            with self._sessions(good.session) as session:
                _, last = self._prepared(session, good)
                job, _ = self._submitted(session, last, begin, good)
            self._watch.works(job, self._wanted.until_running)
        except TaskFailed as worse:
            raise TaskFailed(f"{said} Nor does the version before it go on from there: {worse.sentence}") from worse
        kept = self._keeper.recall()
        kept.stopped_by = ""
        self._keeper.keep(kept)
        raise TaskFailed(f"{said} The version before it goes on from there, as job {job}.") from failed

    def _tell_where(self, failed: TaskFailed) -> None:
        """Tell where the job can go on that was stopped, and has no follower yet."""
        known = self._keeper.recall()
        if known.savepoint and known.stopped_by == self._context.idempotency_key:
            said = f'The job "{self._wanted.name}" was stopped, and can go on from {known.savepoint}.'
            self._context.log(said, Level.WARN)


def _lost(failed: BaseException | None) -> bool:
    """Whether it failed because one of Flink's servers was started again meanwhile, or broke off in the middle."""
    while failed is not None:
        match failed:
            case NoAnswer():
                return False
            case AnswerRefused() if is_away(failed.told):
                return True
            case Forgotten() | OSError() | http.client.HTTPException():
                return True
        failed = failed.__cause__
    return False
