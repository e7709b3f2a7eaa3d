"""How is a run told where there is no terminal? A line for each thing that happens, in the order in which it did."""

from __future__ import annotations

import datetime
import time
from bisect import bisect
from collections.abc import Iterable, Iterator

from penstock.cli.said import note, span
from penstock.cli.tree import turn
from penstock.services.core import Core
from penstock.services.document import RunDocument, StepDocument
from penstock.services.watch import LogLine, Watch
from penstock.services.worker.shop import Progress

INTERVAL = 0.2
SHARE = 0.1  # of the time, for looking at a large run
SETTLING = 200_000
MOST_WAITING = 10_000
ROUND = -1  # in place of an attempt's number
GROUPS = ("sequence", "parallel", "foreach", "if", "switch", "dag", "until", "folder")


class PlainShow:
    """Lines on stderr; opens when the run exists, closes with the run's end."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._watch: Watch | None = None
        self._telling = Telling()

    def begin(self, run_id: str, *, new: bool = False) -> None:
        """The run exists."""
        self._watch = Watch(self._core, run_id)
        self._telling.begin()
        if not new:
            self._telling.pass_by(self._watch.pass_by())

    def refresh(self) -> float:
        """Write what is new, and tell how long to wait."""
        began = time.monotonic()
        assert self._watch is not None
        told = self._watch.look()
        self._telling.take(told, self._watch.lines(told))
        self._telling.write(self._core.clock.now() - SETTLING)
        return max(INTERVAL, (time.monotonic() - began) / SHARE)

    def progress(self, told: Progress) -> None:
        """Lines tell what is done, not how far it is."""

    def say(self, text: str) -> None:
        """Say it at once."""
        note(text)

    def end(self) -> None:
        """Write what is left, and how the run ended."""
        assert self._watch is not None
        told = self._watch.look()
        self._telling.take(told, self._watch.all_lines(told))
        self._telling.write(None)
        for line in ending_lines(told):
            note(line)

    def close(self) -> None:
        """Nothing was opened."""


class Telling:
    """What was told of a run on stderr, and what is to be told yet; wherever documents and lines are from."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, int], str] = {}
        self._said: list[tuple[str, int, str]] = []
        self._begun = False

    def begin(self) -> None:
        """A run begins, and all of it is new."""
        self._told, self._begun = {}, False

    def pass_by(self, told: RunDocument) -> None:
        """Take what has ended as told."""
        list(self._turns(told))  # which marks the rounds that were begun before
        for step in told.steps:
            self._told |= {(step.key, each.number): each.status for each in step.attempts if each.status != "running"}
            if step.end:
                self._told[step.key, 0] = step.status

    def take(self, told: RunDocument, lines: Iterable[LogLine]) -> None:
        """Add what has happened to what is to be written."""
        if not self._begun:
            self._begun = True
            title = f"run {told.id} of {told.namespace}.{told.flow} (revision {told.revision})"
            self._said.append((told.created, 0, title))
        for line in lines:
            self._said.append((_at(line.at), 1, f"{line.step}  │ {line.text}"))
            if len(self._said) >= MOST_WAITING:
                self.write(None)  # memory is worth more than the order of lines that come in such a flood
        self._said.extend(self._turns(told))
        for step in told.steps:
            self._said.extend(self._moves(step))
            if step.status == "paused" and self._told.get((step.key, 0)) != "paused":
                self._told[step.key, 0] = "paused"
                how = f"penstock runs resume {told.id} {step.key}"
                self._said.append((step.start or told.created, 3, f"{step.key}  paused; to go on: {how}"))
        if told.status == "paused" and told.reason and self._told.get(("", 0)) != told.reason:
            self._told["", 0] = told.reason
            self._said.append((told.history[-1].at, 3, f"run paused: {told.reason}"))
        elif told.status != "paused" and self._told.pop(("", 0), ""):
            self._said.append((told.history[-1].at, 0, "run goes on"))

    def write(self, until: int | None) -> None:
        """Write in the order of time what happened up to an instant: a log comes a moment after what it tells of."""
        self._said.sort(key=lambda line: line[:2])
        last = len(self._said) if until is None else bisect(self._said, _at(until), key=lambda line: line[0])
        if last:
            note("\n".join(f"{at[11:23]}  {text}" for at, _, text in self._said[:last]))
        del self._said[:last]

    def _turns(self, told: RunDocument) -> Iterator[tuple[str, int, str]]:
        """In which rounds loops are whose rounds nobody knows beforehand: of many that were begun since, the newest."""
        loops = {step.key: step for step in told.steps if step.type == "until" and step.rounds}
        newest = {step.parent: step for step in told.steps if step.parent in loops and step.key.endswith("]")}
        for key, step in newest.items():
            if step.start and self._told.setdefault((step.key, ROUND), "") != "told":
                self._told[step.key, ROUND] = "told"
                yield step.start, 0, f"{key}  {turn(loops[key])}"

    def _moves(self, step: StepDocument) -> Iterator[tuple[str, int, str]]:
        for attempt in step.attempts:
            key = (step.key, attempt.number)
            if self._told.get(key) == attempt.status:
                continue
            if step.type in GROUPS and attempt.status in ("running", "success"):
                continue  # a folder that is opened or closed is no work of its author's
            again = f" (attempt {attempt.number})" if attempt.number > 1 else ""
            if key not in self._told and attempt.start:
                yield attempt.start, 0, f"{step.key}  started{again}"
            self._told[key] = attempt.status
            if attempt.end:
                why = f": {attempt.error.message}" if attempt.error else ""
                yield attempt.end, 2, f"{step.key}  {attempt.status}{again}{_took(attempt.start, attempt.end)}{why}"
        if step.end is None:
            if self._told.get((step.key, 0), "paused") != "paused":
                del self._told[step.key, 0]
        elif self._told.get((step.key, 0)) != step.status:
            self._told[step.key, 0] = step.status
            last = step.attempts[-1] if step.attempts else None
            if step.type not in GROUPS and (last is None or _differs(step.status, last.status)):
                new = step.error and (last is None or last.error is None or last.error.message != step.error.message)
                why = f": {step.error.message}" if step.error and new else ""
                yield step.end, 2, f"{step.key}  {step.status}{why}"


def _differs(step: str, attempt: str) -> bool:
    """Does it need telling how a step ended, besides how its last attempt did?"""
    return step != attempt and (step, attempt) != ("cancelled", "killed") and attempt != "running"


def ending_lines(told: RunDocument) -> Iterator[str]:
    """How a run ended, why, and how to go on."""
    took = f" after {span(told.duration)}" if told.duration is not None else ""
    yield f"Run {told.id} of {told.namespace}.{told.flow}: {told.status}{took}."
    if told.error is not None:
        yield f"  {told.error.message}"
    elif told.reason:
        yield f"  {told.reason}"
    if told.successor:
        yield f"  Another run takes its place: {told.successor}"
    if told.status in ("failed", "killed", "cancelled"):
        yield f"  What it said:          penstock runs logs {told.id}"
        yield f"  Go on where it ended:  penstock runs restart {told.id}"


def _took(start: str | None, end: str) -> str:
    if start is None:
        return ""
    seconds = datetime.datetime.fromisoformat(end) - datetime.datetime.fromisoformat(start)
    return f" in {span(seconds.total_seconds())}"


def _at(micros: int) -> str:
    return datetime.datetime.fromtimestamp(micros / 1e6, datetime.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
