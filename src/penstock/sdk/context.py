"""What can a task reach while it runs? Its context: log, metrics, outputs, files, secrets, saved state, questions."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from penstock.errors.task import Refused
from penstock.model.asset import Access, Details, Touched
from penstock.sdk.plain import plain

NOTHING: Final = Details()


class Ask(enum.StrEnum):
    """What a task may ask its worker for, a closed list; the worker answers under the run's rights.

    | ask | body | answer |
    |---|---|---|
    | kv.get | key, namespace | {found, value} |
    | kv.set | key, value, namespace, overwrite, ttl (microseconds or null), type | null |
    | kv.delete | key, namespace | whether it was there |
    | kv.keys | prefix, namespace | list of keys |
    | file.put | path (inside the working directory), name | address of the stored file |
    | file.get | uri | path of a copy inside the working directory |
    | file.delete | uri | whether it was there |
    | file.size | uri | bytes |
    | secret.get | name | text |
    | text.seal | text | the same, sealed: it may be kept where everybody can read it |
    | text.open | sealed | the text, where it was sealed for the same namespace |
    | labels.set | labels | null |
    | logs.fetch | run, tasks, level | list of {at, level, step, attempt, message} |
    | run.start | namespace, flow, revision, inputs, labels | id of the run |
    | run.resume | run, inputs | null |
    | run.tell | run (its own unless given) | {id, namespace, flow, state, start, duration, error, failed, last} |
    | runs.count | flows ([{namespace, flow}]), namespaces, states, since, until | list of {namespace, flow, count} |
    | runs.purge | namespace, flow, states, since, until, runs, logs, metrics, files (yes or no) | counts by name |
    | files.purge | – | addresses of the run's files that are gone |
    | project.list | include, exclude (globs), namespace | names of the project's files |
    | project.get | path, namespace | path of a copy inside the working directory |
    | project.put | path (in the project), file (inside the working directory), conflict, namespace | whether written |
    | project.delete | path, namespace | whether it was there |
    | flows.list | namespace, below (yes or no) | list of {namespace, flow, revision, source} |
    | flow.put | source, dry (yes: nothing is changed) | {namespace, flow, revision, state} |
    | flow.delete | namespace, flow | whether it was there |
    | rows.render | template, rows (each seen as `value`, its parts by name) | list of {value} or {error} |
    | trigger.fire | outputs, key | id of the run; nothing where a condition does not hold |

    An empty namespace is the flow's own; of `runs.…` it is every one. Instants are microseconds since 1970.
    """

    KV_GET = "kv.get"
    KV_SET = "kv.set"
    KV_DELETE = "kv.delete"
    KV_KEYS = "kv.keys"
    FILE_PUT = "file.put"
    FILE_GET = "file.get"
    FILE_DELETE = "file.delete"
    FILE_SIZE = "file.size"
    UNSEAL = "secret.get"
    TEXT_SEAL = "text.seal"
    TEXT_OPEN = "text.open"
    LABELS_SET = "labels.set"
    LOGS_FETCH = "logs.fetch"
    RUN_START = "run.start"
    RUN_RESUME = "run.resume"
    RUN_TELL = "run.tell"
    RUNS_COUNT = "runs.count"
    RUNS_PURGE = "runs.purge"
    FILES_PURGE = "files.purge"
    PROJECT_LIST = "project.list"
    PROJECT_GET = "project.get"
    PROJECT_PUT = "project.put"
    PROJECT_DELETE = "project.delete"
    FLOWS_LIST = "flows.list"
    FLOW_PUT = "flow.put"
    FLOW_DELETE = "flow.delete"
    ROWS_RENDER = "rows.render"
    TRIGGER_FIRE = "trigger.fire"


class Level(enum.StrEnum):
    """How much a log line matters."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class MetricKind(enum.StrEnum):
    """What a metric's number is: added up, a span in seconds, or the latest value."""

    COUNTER = "counter"
    TIMER = "timer"
    GAUGE = "gauge"


class Transport(Protocol):
    """The way to the worker: frames go out, questions are answered."""

    def send(self, frame: dict[str, object]) -> None:
        """Tell the worker something."""

    def ask(self, what: str, body: dict[str, object]) -> object:
        """Ask the worker for something of the closed list; raise Refused when it declines."""


class About(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which attempt this is; `idempotency_key` is the same for every attempt of one step of one run. `only` names the
    parts that it is to do (none: all). `traceparent` is its place in a trace, where there is one; `lineage` says that
    somebody wants to know what data it reads and writes.
    """

    run: str = ""
    flow: str = ""
    namespace: str = ""
    step: str = ""
    attempt: int = 1
    workdir: str = "."
    idempotency_key: str = ""
    state: dict[str, object] = {}
    only: tuple[str, ...] = ()
    traceparent: str = ""
    lineage: bool = False


class Context:
    """One attempt's way to its worker; lives as long as the attempt."""

    def __init__(self, about: About, transport: Transport) -> None:
        self.about = about
        self.run, self.flow, self.namespace = about.run, about.flow, about.namespace
        self.step, self.attempt = about.step, about.attempt
        self.workdir = Path(about.workdir)
        self.state: dict[str, object] = dict(about.state)
        self.only = about.only
        self._transport = transport

    @property
    def idempotency_key(self) -> str:
        """Text to hand to outside systems, so that a repeated attempt is not a second effect."""
        return self.about.idempotency_key

    def log(self, message: str, level: Level | str = Level.INFO) -> None:
        """Write a line to the attempt's log."""
        self._transport.send({"t": "log", "level": str(level).lower(), "message": message})

    def metric(
        self,
        name: str,
        value: float,
        kind: MetricKind | str = MetricKind.COUNTER,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Record a number; a timer's is in seconds."""
        self._transport.send({"t": "metric", "name": name, "value": value, "kind": str(kind), "tags": dict(tags or {})})

    def output(self, name: str, value: object) -> None:
        """Hand on a value now; it is kept if the attempt fails later."""
        self._transport.send({"t": "output", "values": {name: value}})

    def progress(self, done: float, total: float | None = None, unit: str = "", note: str = "") -> None:
        """Tell how far the work is, with a few words on what goes on just now."""
        frame: dict[str, object] = {"t": "progress", "done": done, "total": total, "unit": unit}
        self._transport.send(frame | {"note": note} if note else frame)

    def save_state(self, state: Mapping[str, object]) -> None:
        """Keep what the next attempt needs to go on instead of beginning again."""
        self.state = dict(state)
        self._transport.send({"t": "state", "value": self.state})

    def part(
        self,
        name: str,
        status: str,
        *,
        message: str = "",
        started_at: float | None = None,
        ended_at: float | None = None,
    ) -> None:
        """Tell of one thing that is done among others (a model, a table, a file), to be shown as a step of its own.

        `status`: running, success, warning, failed or skipped; times in seconds since 1970, now when left out. A
        restart may ask for some of them alone: `only`.
        """
        frame: dict[str, object] = {"t": "part", "name": name, "status": status, "message": message}
        self._transport.send(frame | {"started_at": started_at, "ended_at": ended_at})

    def reads(
        self, namespace: str, name: str, *, rows: int | None = None, size: int | None = None, more: Details = NOTHING
    ) -> None:
        """Tell of data that are read: where they are (`postgres://db:5432`) and what they are called there
        (`shop.public.orders`), with how many rows and bytes, and what `more` is known. Heard where lineage is wanted.
        """
        self._touch(Touched(access=Access.READS, namespace=namespace, name=name, rows=rows, size=size), more)

    def writes(
        self, namespace: str, name: str, *, rows: int | None = None, size: int | None = None, more: Details = NOTHING
    ) -> None:
        """Tell of data that are written, likewise."""
        self._touch(Touched(access=Access.WRITES, namespace=namespace, name=name, rows=rows, size=size), more)

    def touches(self, data: Touched) -> None:
        """Tell of data that are read or written, likewise, in one value."""
        self._touch(data, data)

    def _touch(self, data: Touched, more: Details) -> None:
        if self.about.lineage:
            told = {**msgspec.to_builtins(more), **msgspec.to_builtins(data)}
            self._transport.send({"t": "data", **told})

    def set_variables(self, values: Mapping[str, object], *, overwrite: bool = True) -> None:
        """Have the run's variables hold these once this attempt is done, maps merged into maps; without `overwrite`
        the attempt fails where one is there already.
        """
        self._order("set", values=dict(values), overwrite=overwrite)

    def unset_variables(self, names: Sequence[str], *, ignore_missing: bool = False) -> None:
        """Have the run's variables hold these no more once this attempt is done; a name with dots leads into maps."""
        self._order("unset", names=list(names), ignore_missing=ignore_missing)

    def end_run(self, status: str) -> None:
        """Have the run end once this attempt is done: as success, warning, failed or cancelled, beside what still runs;
        as killed, with it.
        """
        self._order("exit", status=status)

    def _order(self, kind: str, **body: object) -> None:
        self._transport.send({"t": "order", "order": {"type": kind, **body}})

    def secret(self, name: str) -> str:
        """The secret of this name; Refused when there is none."""
        return str(self.ask(Ask.UNSEAL, name=name))

    def fire(self, outputs: Mapping[str, object], key: str) -> str:
        """Start the run of the trigger that this looks or listens for, and give its id: nothing where the trigger's
        conditions do not hold. The same key is the same run. Refused where the trigger is switched off or gone.
        """
        return str(self.ask(Ask.TRIGGER_FIRE, outputs=plain(dict(outputs)), key=key) or "")

    def fetch(self, uri: str) -> Path:
        """A copy of a stored file, in the working directory."""
        return self.workdir / str(self.ask(Ask.FILE_GET, uri=uri))

    def store(self, path: Path | str, name: str = "") -> str:
        """Store a file of the working directory; gives the address to hand on."""
        inside = self.workdir / path
        return str(self.ask(Ask.FILE_PUT, path=str(inside), name=name or inside.name))

    def ask(self, what: Ask | str, /, **body: object) -> object:
        """Ask the worker; Refused when it is not on the closed list or the worker declines."""
        try:
            known = Ask(what)
        except ValueError:
            raise Refused(f'A task cannot ask for "{what}".') from None
        return self._transport.ask(known.value, body)
