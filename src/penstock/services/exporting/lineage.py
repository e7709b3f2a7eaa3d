"""How is lineage told? What happened to runs and attempts since the feed's kept place, as OpenLineage's events."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from penstock import __version__
from penstock.errors.work import Unanswered
from penstock.model import ids
from penstock.model.asset import Touched
from penstock.model.event import Ended
from penstock.model.policy import SECOND
from penstock.model.run import Failure, Run
from penstock.model.status import Outcome, RunStatus, StepStatus
from penstock.model.trigger import looks_for
from penstock.services import outward
from penstock.services.core import Core
from penstock.services.exporting.following import LINEAGE, Following
from penstock.services.exporting.spans import Going, goings
from penstock.store import events, queue, runs, steps, workers
from penstock.store.events import Told
from penstock.store.queue import Claim
from penstock.telemetry import Level
from penstock.telemetry.lineage import Fields, Job, Teller, above, instant, run_uuid

PAGE: Final = 1_000
REMEMBERED: Final = 10_000
# Who runs for longer than this is told of before it ends, and then now and again.
SOON: Final = 5 * SECOND
AGAIN: Final = 300 * SECOND
ENDS: Final = {
    RunStatus.SUCCESS: "COMPLETE",
    RunStatus.WARNING: "COMPLETE",
    RunStatus.FAILED: "FAIL",
    RunStatus.RETRIED: "FAIL",
    RunStatus.KILLED: "ABORT",
    RunStatus.CANCELLED: "ABORT",
}
OUTCOMES: Final = {Outcome.FAILED: "FAIL", Outcome.LOST: "FAIL", Outcome.KILLED: "ABORT"}
BEFORE, INSIDE, BEHIND = range(3)
Attempt = tuple[str, str, int]


class Transport(Protocol):
    """Where events go."""

    def send(self, event: bytes) -> str:
        """Hand one on; gives why it is refused for good, nothing where it is taken. Raises Unanswered: again later."""


class ToAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Events are sent to an address, one in each call."""

    url: str
    headers: dict[str, str] = {}

    def send(self, event: bytes) -> str:
        """Send one."""
        answer = outward.post(self.url, event, {"Content-Type": "application/json", **self.headers})
        said = f"It answers {answer.status}: {answer.text}"
        if not answer.taken and answer.worth_trying:
            raise Unanswered(said)
        return "" if answer.taken else said


class ToFile(msgspec.Struct, frozen=True):
    """Events are lines at the end of a file that only its owner may read."""

    path: Path

    def send(self, event: bytes) -> str:
        """Append one."""
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab", buffering=0) as file:
                file.write(event + b"\n")
        except OSError as error:
            raise Unanswered(f"{self.path} cannot be written to: {error.strerror}.") from error
        return ""


class Seen(msgspec.Struct, frozen=True):
    """How far a run's story was told: the last event, and how many lines of its status history."""

    event: int = 0
    history: int = 0


class Lineage:
    """Tells of runs and attempts; what is told again after a restart has the ids that it had."""

    name = LINEAGE

    def __init__(self, core: Core, transports: Sequence[Transport], namespace: str) -> None:
        self._core = core
        self._transports = transports
        self._namespace = namespace
        self._teller = Teller(__version__)
        self._following = Following(core, LINEAGE)
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        self._begun: dict[Attempt, int] = {}

    def turn(self) -> bool:
        """Tell of some runs, and of attempts that take long; False when there is no more. Raises Unanswered."""
        self._tell_of_long_ones()
        news = self._following.look()
        if news is None:
            return False
        for run in news.runs:
            self.tell(run)
        self._following.keep(news.further)
        return news.more

    def tell(self, run: Run) -> None:
        """Tell of one run what was not told of it yet. Raises Unanswered."""
        seen = self._seen.get(run.id, Seen())
        found, last = list(self._of_run(run, seen)), seen.event
        for told in self._story(run.id, seen.event):
            last = told.id
            found += [(at, INSIDE, event) for at, event in self._of_attempt(run, told)]
        # What a run's steps did at one instant comes between its own beginning and its end.
        for _, _, event in sorted(found, key=lambda one: one[:2]):
            self._send(event)
        self._seen[run.id] = Seen(last, len(run.history))
        self._seen.move_to_end(run.id)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def _story(self, run_id: str, after: int) -> Iterator[Told]:
        last, full = after, True
        while full:
            page = self._page(run_id, last)
            yield from page
            full = len(page) == PAGE
            last = page[-1].id if page else last

    def _page(self, run_id: str, after: int) -> list[Told]:
        return self._core.store.read(lambda tx: events.page(tx, run_id, after, PAGE))

    def _of_run(self, run: Run, seen: Seen) -> Iterator[tuple[int, int, Fields]]:
        """What its status history has come to: each going-through is a run of its own to OpenLineage."""
        began: set[int] = set()
        whole = goings(run)
        for place, change in enumerate(run.history):
            ended = change.status.ended
            going = _going_until(whole, change.at) if ended else _going_at(whole, change.at)
            first = going.number not in began
            kinds: list[str] = []
            if ended:
                kinds = [*(["START"] if first else []), ENDS[change.status]]
            elif change.status is RunStatus.RUNNING:
                kinds = ["START" if first else "RUNNING"]
            if kinds:
                began.add(going.number)
            for kind in kinds if place >= seen.history else ():
                failure = run.failure if kind == "FAIL" and run.ended_at == change.at else None
                own = run_uuid(run.id, str(going.number))
                facets = self._facets(run) | _failed(failure)
                event = self._teller.event(kind, change.at, own, self._flow(run), facets)
                yield change.at, BEFORE if kind in ("START", "RUNNING") else BEHIND, event

    def _facets(self, run: Run) -> dict[str, Fields]:
        """What is told of each run: for which date it is, and which attempt of which run started it."""
        facets: dict[str, Fields] = {}
        if run.logical_date is not None:
            begin = run.interval_start if run.interval_start is not None else run.logical_date
            facets["nominalTime"] = {"nominalStartTime": instant(begin)}
            if run.interval_end is not None:
                facets["nominalTime"]["nominalEndTime"] = instant(run.interval_end)
        if run.parent is not None:
            up = run.parent
            name = f"{run.trigger.get('namespace')}.{run.trigger.get('flowId')}.{ids.node_of(up.step)}"
            facets["parent"] = above(run_uuid(up.run, up.step, str(up.attempt)), Job(self._namespace, name, "TASK"))
        return facets

    def _of_attempt(self, run: Run, told: Told) -> Iterator[tuple[int, Fields]]:
        event = told.event
        if not isinstance(event, Ended) or not told.accepted or not event.step or event.started_at is None:
            return
        ended = event.ended_at if event.ended_at is not None else told.at
        key = (run.id, event.step, event.attempt)
        if self._begun.pop(key, None) is None:
            yield self._attempt(run, "START", key, event.started_at, {})
        yield from self._of_parts(run, event, (event.started_at, max(ended, event.started_at)))
        kind = OUTCOMES.get(event.outcome, "COMPLETE")
        facets = _failed(event.failure if kind == "FAIL" else None)
        own = [each for each in event.touched if not each.part]
        yield self._attempt(run, kind, key, max(ended, event.started_at), facets, own)

    def _of_parts(self, run: Run, event: Ended, within: tuple[int, int]) -> Iterator[tuple[int, Fields]]:
        """What the parts of an attempt have read and written: each is a run of a job of its own, below the attempt."""
        by_part: dict[str, list[Touched]] = {}
        for each in event.touched:
            if each.part:
                by_part.setdefault(each.part, []).append(each)
        if not by_part:
            return
        keys = {name: ids.part_key(event.step, name) for name in by_part}
        rows = self._core.store.read(lambda tx: steps.load(tx, run.id, list(keys.values())))
        task = self._job(run, (run.id, event.step, event.attempt))
        parent = above(run_uuid(run.id, event.step, str(event.attempt)), task)
        for name, touched in by_part.items():
            row = rows.get(keys[name])
            first = _between(row.started_at if row else None, within, within[0])
            last = _between(row.ended_at if row else None, (first, within[1]), within[1])
            failed = row is not None and row.status is StepStatus.FAILED
            own = run_uuid(run.id, event.step, str(event.attempt), name)
            job = Job(self._namespace, f"{task.name}.{name}", "PART")
            yield first, self._teller.event("START", first, own, job, {"parent": parent})
            facets = {"parent": parent, **_failed(row.failure if row and failed else None)}
            yield last, self._teller.event("FAIL" if failed else "COMPLETE", last, own, job, facets, touched)

    def _attempt(
        self,
        run: Run,
        kind: str,
        key: Attempt,
        at: int,
        facets: Mapping[str, Fields],
        touched: Sequence[Touched] = (),
    ) -> tuple[int, Fields]:
        going = _going_at(goings(run), at)
        parent = above(run_uuid(run.id, str(going.number)), self._flow(run))
        own = run_uuid(run.id, key[1], str(key[2]))
        return at, self._teller.event(kind, at, own, self._job(run, key), {"parent": parent, **facets}, touched)

    def _flow(self, run: Run) -> Job:
        return Job(self._namespace, f"{run.namespace}.{run.flow}", "FLOW")

    def _job(self, run: Run, key: Attempt) -> Job:
        return Job(self._namespace, f"{run.namespace}.{run.flow}.{ids.node_of(key[1])}", "TASK")

    def _tell_of_long_ones(self) -> None:
        """Attempts that have run for a while are told of before their end."""
        now = self._core.clock.now()
        held = self._core.store.read(
            lambda tx: [each for worker in workers.list_workers(tx) for each in queue.held(tx, worker.id)]
        )
        long = {_key(each): each for each in held if each.step and now - each.claimed_at >= SOON}
        for key in [key for key in self._begun if key not in long and len(self._begun) > REMEMBERED]:
            del self._begun[key]
        due = {key: each for key, each in long.items() if now - self._begun.get(key, now - AGAIN) >= AGAIN}
        if not due:
            return
        found = {run.id: run for run in self._core.store.read(lambda tx: runs.load_all(tx, [key[0] for key in due]))}
        for key, claim in due.items():
            run = found.get(key[0])
            if run is None or looks_for(run.flow):
                continue
            first = key not in self._begun
            kind, at = ("START", claim.claimed_at) if first else ("RUNNING", now)
            self._send(self._attempt(run, kind, key, at, {})[1])
            self._begun[key] = now

    def _send(self, event: Fields) -> None:
        body = msgspec.json.encode(event)
        for transport in self._transports:
            if why := transport.send(body):
                now = self._core.clock.now()
                self._core.notices.say("export.refused", now, Level.ERROR, export=LINEAGE, why=why, lost=1)


def _failed(failure: Failure | None) -> dict[str, Fields]:
    if failure is None:
        return {}
    return {"errorMessage": {"message": failure.message, "programmingLanguage": "Python"}}


def _between(at: int | None, within: tuple[int, int], otherwise: int) -> int:
    """An instant, held between two others."""
    return otherwise if at is None else min(max(at, within[0]), within[1])


def _going_at(whole: Sequence[Going], at: int) -> Going:
    """The going-through that an instant lies in, or the last that began before it."""
    return next((each for each in reversed(whole) if each.began <= at), whole[0] if whole else Going(0, at))


def _going_until(whole: Sequence[Going], at: int) -> Going:
    """The one that came to its end at an instant."""
    return next((each for each in whole if each.ended is not None and each.ended >= at), _going_at(whole, at))


def _key(claim: Claim) -> Attempt:
    return claim.run, claim.step, claim.attempt
