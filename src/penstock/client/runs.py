"""What can be asked of a server about runs, and done with them? Started, waited for, followed, ended, done again."""

from __future__ import annotations

import datetime
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias, TypeVar

import msgspec

from penstock.client.events import listen
from penstock.client.paging import Everything, Page, paged, whole
from penstock.client.shapes.around import DayRow, FlowDayRow
from penstock.client.shapes.parts import FileRow, LogRow, MetricRow, OutputRow, Preview, Reason, StepRow, Story
from penstock.client.shapes.runs import AttemptDocument, BulkAnswer, RunDetail, RunDocument, RunRow, SearchFound, Tally
from penstock.client.wire import Ask, Wire, path
from penstock.errors.client import NotInTime
from penstock.model.lineage import DataGraph
from penstock.model.status import RunStatus, StepStatus

T = TypeVar("T")
Instant: TypeAlias = datetime.datetime | str


class Which(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which runs are meant; what is left out does not matter. Labels are written `name=value`."""

    namespace: str = ""
    flow: str = ""
    status: Sequence[RunStatus] = ()
    label: Sequence[str] = ()
    parent: str = ""
    since: Instant | None = None
    until: Instant | None = None
    text: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a new run is given besides its inputs; `key` makes the same call again the same run."""

    labels: Mapping[str, str] = {}
    revision: int | None = None
    priority: int = 0
    logical_date: Instant | None = None
    interval_start: Instant | None = None
    interval_end: Instant | None = None


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a server."""

    wire: Wire

    def start(
        self,
        namespace: str,
        flow: str,
        inputs: Mapping[str, object] | None = None,
        *,
        wanted: Wanted | None = None,
        key: str = "",
    ) -> RunDetail:
        """Start a run of a flow. Raises UnknownFlow, InvalidInput, FlowDisabled.

        Whoever says the same key again is given the run that it started. A file for an input: `client.upload`.
        """
        body = {"namespace": namespace, "flow": flow, "inputs": inputs or {}} | msgspec.to_builtins(wanted or Wanted())
        return self.wire.ask(self._keyed(path("runs"), body, key), RunDetail)

    def get(self, run: str) -> RunDetail:
        """One run, without its steps. Raises UnknownRun."""
        return self.wire.ask(self._get(run), RunDetail)

    def document(self, run: str) -> RunDocument:
        """One run with all its steps, attempts and outputs. Raises UnknownRun."""
        return self.wire.ask(self._get(run, "document"), RunDocument)

    def wait(self, run: str, timeout: float | None = None) -> RunDetail:
        """Wait until a run has ended, and give it; where another took its place, that one. Raises NotInTime."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            found = self.get(run)
            if found.status is RunStatus.RETRIED and found.successor:
                run = found.successor
            elif found.status.ended:
                return found
            else:
                self._ended(run, until)

    def follow(self, run: str, *, level: str = "", step: str = "", from_now: bool = False) -> Iterator[LogRow | RunRow]:
        """A run and its log while they go on: a line as it comes, the run each time that it changes, until its end."""
        asked = {"level": level, "step": step, "from_now": from_now}
        for heard in listen(self.wire, path("runs", run, "follow"), asked):
            match heard.name:
                case "log":
                    yield from msgspec.json.decode(heard.data, type=tuple[LogRow, ...])
                case "run":
                    yield msgspec.json.decode(heard.data, type=RunRow)
                case _:
                    pass  # its end, and what a newer server may tell besides

    def logs(
        self, run: str, *, step: str | None = None, attempt: int | None = None, level: str = "", text: str = ""
    ) -> Iterator[LogRow]:
        """Lines of its log in their order: of a step, an attempt, of at least a level, with a text in them."""
        query = {"step": step, "attempt": attempt, "level": level, "text": text, "limit": 1000}
        return paged(self.wire, path("runs", run, "logs"), query, Page[LogRow])

    def log_text(self, run: str, *, step: str | None = None, attempt: int | None = None) -> Iterator[bytes]:
        """The text of its log as it came, piece by piece."""
        return self._bytes(self._get(run, "logs", "text", query={"step": step, "attempt": attempt}))

    def steps(self, run: str, *, status: Sequence[StepStatus] = (), task: str = "") -> Iterator[StepRow]:
        """Its steps in the order of their keys."""
        query = {"status": status, "task": task, "limit": 500}
        return paged(self.wire, path("runs", run, "steps"), query, Page[StepRow])

    def attempts(self, run: str, step: str) -> tuple[AttemptDocument, ...]:
        """The attempts of one of its steps."""
        return whole(self.wire, path("runs", run, "attempts"), {"step": step}, Everything[AttemptDocument])

    def outputs(self, run: str, step: str) -> tuple[OutputRow, ...]:
        """What the attempts of one of its steps handed on."""
        return whole(self.wire, path("runs", run, "outputs"), {"step": step}, Everything[OutputRow])

    def metrics(self, run: str) -> tuple[MetricRow, ...]:
        """The numbers that it reported."""
        return whole(self.wire, path("runs", run, "metrics"), {}, Everything[MetricRow])

    def why(self, run: str, step: str = "") -> tuple[Reason, ...]:
        """What it, or a step of it, waits for."""
        return whole(self.wire, path("runs", run, "why"), {"step": step}, Everything[Reason])

    def explain(self, run: str, step: str = "") -> Story:
        """Why it went as it did, event by event."""
        return self.wire.ask(self._get(run, "explain", query={"step": step}), Story)

    def lineage(self, run: str = "", *, namespace: str = "", flow: str = "") -> DataGraph:
        """What data it read and wrote; where no run is named, what flows do, each as the newest of its runs told it."""
        if run:
            return self.wire.ask(self._get(run, "lineage"), DataGraph)
        query = {"namespace": namespace, "flow": flow}
        return self.wire.ask(Ask(method="GET", path=path("lineage"), query=query, safe=True), DataGraph)

    def files(self, run: str) -> Iterator[FileRow]:
        """The files that it has kept."""
        return paged(self.wire, path("runs", run, "files"), {"limit": 500}, Page[FileRow])

    def read(self, run: str, uri: str) -> Iterator[bytes]:
        """The bytes of one of its files, piece by piece. Raises BlobMissing."""
        return self._bytes(self._get(run, "files", "content", query={"uri": uri}))

    def download(self, run: str, uri: str, to: Path | BinaryIO) -> int:
        """Write one of its files to a path or a file, and give how many bytes it has. Raises BlobMissing."""
        if isinstance(to, Path):
            with to.open("wb") as file:
                return self.download(run, uri, file)
        return sum(to.write(piece) for piece in self.read(run, uri))

    def preview(self, run: str, uri: str, rows: int = 50) -> Preview:
        """What one of its files begins with."""
        return self.wire.ask(self._get(run, "files", "preview", query={"uri": uri, "rows": rows}), Preview)

    def kill(self, run: str, *, force: bool = False) -> RunDetail:
        """End it and the runs that it started: with grace for their tasks, or by force."""
        return self._do(run, "kill", {"force": force}, safe=True)

    def pause(self, run: str) -> RunDetail:
        """Let what runs end, and nothing more begin."""
        return self._do(run, "pause")

    def resume(self, run: str, step: str = "", inputs: Mapping[str, object] | None = None) -> RunDetail:
        """Let it, or a pause of it, go on; with the inputs that the pause asks for."""
        return self._do(run, "resume", {"step": step, "inputs": inputs or {}})

    def restart(self, run: str, only: Sequence[str] = ()) -> RunDetail:
        """Let it, having ended, go on from what did not succeed, or do only steps again that an attempt reported."""
        return self._do(run, "restart", {"only": only})

    def replay(
        self,
        run: str,
        from_step: str = "",
        *,
        alone: bool = False,
        inputs: Mapping[str, object] | None = None,
        labels: Mapping[str, str] | None = None,
        key: str = "",
    ) -> RunDetail:
        """Start a new run like it, anew or from one of its steps on (`alone`: that step and no other)."""
        body = {"from": from_step, "alone": alone, "inputs": inputs or {}, "labels": labels or {}}
        return self.wire.ask(self._keyed(path("runs", run, "replay"), body, key), RunDetail)

    def mark(self, run: str, status: StepStatus | str, step: str = "", reason: str = "") -> RunDetail:
        """Say how a step of it, or itself, ended; it goes on from there."""
        return self._do(run, "mark", {"status": str(status), "step": step, "reason": reason})

    def skip(self, run: str, step: str) -> RunDetail:
        """Skip a step of it: now, or when its turn comes."""
        return self._do(run, "skip", {"step": step})

    def bulk(
        self,
        verb: str,
        ids: Sequence[str] = (),
        which: Which | None = None,
        *,
        force: bool = False,
        dry_run: bool = False,
    ) -> BulkAnswer:
        """Kill, pause, resume, restart or replay many runs: those named, or all that fit; dry, only tell which."""
        done, refused, cursor = [], [], ""
        while True:
            body = {
                "verb": verb,
                "ids": ids,
                "query": which,
                "force": force,
                "dry_run": dry_run,
                "cursor": cursor,
            }
            found = self.wire.ask(Ask(method="POST", path=path("bulk", "runs"), body=body), BulkAnswer)
            done += found.done
            refused += found.refused
            if not (cursor := found.next):
                return BulkAnswer(dry_run=dry_run, done=done, refused=refused, next="")

    def count(self, which: Which | None = None) -> Tally:
        """How many runs fit, by status."""
        query = msgspec.to_builtins(which or Which())
        return self.wire.ask(Ask(method="GET", path=path("stats", "runs"), query=query, safe=True), Tally)

    def days(
        self, *, namespace: str = "", flow: str = "", since: datetime.date | str = "", until: datetime.date | str = ""
    ) -> tuple[DayRow, ...]:
        """How the runs of all flows that fit ended, day by day (UTC), and how long they took; else the last thirty."""
        query = {"namespace": namespace, "flow": flow, "since": since, "until": until}
        return whole(self.wire, path("stats", "days"), query, Everything[DayRow])

    def flow_days(
        self, *, namespace: str = "", flow: str = "", since: datetime.date | str = "", until: datetime.date | str = ""
    ) -> Iterator[FlowDayRow]:
        """The same for each flow."""
        query = {"namespace": namespace, "flow": flow, "since": since, "until": until, "limit": 500}
        return paged(self.wire, path("stats", "flows"), query, Page[FlowDayRow])

    def search(self, text: str) -> SearchFound:
        """Flows and runs by a part of a name, an id or a label."""
        return self.wire.ask(Ask(method="GET", path=path("search"), query={"text": text}, safe=True), SearchFound)

    def list(self, which: Which | None = None, *, oldest_first: bool = False, limit: int = 500) -> Iterator[RunRow]:
        """Runs that fit, newest first; `limit` is how many come at once."""
        query = msgspec.to_builtins(which or Which()) | {"limit": limit, "sort": "oldest" if oldest_first else ""}
        return paged(self.wire, path("runs"), query, Page[RunRow])

    def _ended(self, run: str, until: float | None) -> None:
        """Listen until a run says that it has ended. Raises NotInTime."""
        for heard in listen(self.wire, path("runs", run, "follow"), {"from_now": True}, until):
            match heard.name:
                case "end":
                    return
                case "run" if msgspec.json.decode(heard.data, type=RunRow).status.ended:
                    return
                case _:
                    pass
        if until is not None and time.monotonic() >= until:
            raise NotInTime(f"The run {run} has not ended in time.")

    def _bytes(self, asked: Ask) -> Iterator[bytes]:
        with self.wire.given(asked) as answer:
            yield from answer.pieces()

    def _get(self, run: str, *more: str, query: Mapping[str, object] | None = None) -> Ask:
        return Ask(method="GET", path=path("runs", run, *more), query=query or {}, safe=True)

    def _do(self, run: str, verb: str, body: object = None, *, safe: bool = False) -> RunDetail:
        return self.wire.ask(Ask(method="POST", path=path("runs", run, verb), body=body, safe=safe), RunDetail)

    def _keyed(self, place: str, body: object, key: str) -> Ask:
        """A call that starts one run, however often it is sent."""
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return Ask(method="POST", path=place, body=body, headers=headers, safe=True)
