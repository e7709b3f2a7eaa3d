"""Which figures does a process tell, and how do they read? Counters and spans of time heard from notices, and the list
of all names, as Prometheus reads them.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from penstock.model.status import RunStatus
from penstock.telemetry.notice import Notice

MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"
ENDED: Final = {f"run.{status}": str(status) for status in RunStatus if status.ended}
SHORT: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
# So many of one name: whatever is told of as a label must not grow without end.
MOST: Final = 2_000


class Kind(enum.StrEnum):
    """What a figure is: it only grows, it stands somewhere, or it counts how long things took."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class About(msgspec.Struct, frozen=True):
    """A figure's name, what it is, what it says, and the names of its labels."""

    name: str
    kind: Kind
    says: str
    labels: tuple[str, ...] = ()


COUNTED: Final = (
    About("penstock_runs_ended_total", Kind.COUNTER, "Runs whose end this process decided, by status.", ("status",)),
    About("penstock_attempts_ended_total", Kind.COUNTER, "Attempts whose end it decided, by outcome.", ("outcome",)),
    About("penstock_attempts_claimed_total", Kind.COUNTER, "Attempts that it claimed."),
    About("penstock_workers_lost_total", Kind.COUNTER, "Workers that it found gone."),
    About("penstock_trigger_failures_total", Kind.COUNTER, "Triggers that could not do what they should."),
    About("penstock_export_failures_total", Kind.COUNTER, "What others were to be told, and not taken.", ("export",)),
    About("penstock_notices_total", Kind.COUNTER, "Notices of level warning and error.", ("level",)),
    About("penstock_http_requests_total", Kind.COUNTER, "Calls answered.", ("route", "status")),
    About("penstock_http_seconds", Kind.HISTOGRAM, "How long an answer took.", ("route",)),
    About("penstock_claim_seconds", Kind.HISTOGRAM, "How long a claim took."),
    About("penstock_fold_seconds", Kind.HISTOGRAM, "How long deciding on events and keeping that took."),
    About("penstock_store_seconds", Kind.HISTOGRAM, "How long the store took over a transaction.", ("kind",)),
)
STANDING: Final = (
    About("penstock_info", Kind.GAUGE, "Always 1; which version this is.", ("version",)),
    About("penstock_runs", Kind.GAUGE, "Runs that have not ended, by status; counted up to 100,000.", ("status",)),
    About("penstock_queue_waiting", Kind.GAUGE, "Attempts that wait for a worker.", ("queue",)),
    About("penstock_queue_oldest_seconds", Kind.GAUGE, "For how long the oldest of them has waited.", ("queue",)),
    About("penstock_queue_running", Kind.GAUGE, "Attempts that are being made.", ("queue",)),
    About("penstock_limited_waiting", Kind.GAUGE, "Attempts and runs that wait for a limit or a pool."),
    About("penstock_workers", Kind.GAUGE, "Workers that are known, by what they do.", ("status",)),
    About("penstock_worker_slots", Kind.GAUGE, "Attempts that they could make at once."),
    About("penstock_worker_slots_used", Kind.GAUGE, "Attempts that they hold."),
    About("penstock_inbox_events", Kind.GAUGE, "Events that nobody has decided on yet; counted up to 100,000."),
    About("penstock_triggers_overdue", Kind.GAUGE, "Triggers whose time has come; counted up to 100,000."),
    About("penstock_triggers_overdue_seconds", Kind.GAUGE, "How long ago the time of the first of them came."),
    About("penstock_leader", Kind.GAUGE, "1 while some server looks after time."),
    About("penstock_backfills", Kind.GAUGE, "Backfills that are not done, by status.", ("status",)),
    About("penstock_alerts_open", Kind.GAUGE, "What alerts told of and is not over."),
    About("penstock_alert_calls", Kind.GAUGE, "Calls of alerts that are still to be made."),
    About("penstock_maintenance", Kind.GAUGE, "Namespaces in maintenance; all of it counts as one."),
    About("penstock_maintenance_waiting", Kind.GAUGE, "Runs that wait for its end."),
    About("penstock_feed_head", Kind.GAUGE, "The number of the newest change."),
)
CATALOGUE: Final = {about.name: about for about in (*COUNTED, *STANDING)}
Labels = tuple[str, ...]


class Standing(msgspec.Struct, frozen=True):
    """One value of a gauge, as it stood when it was read."""

    name: str
    value: float
    labels: Labels = ()


class _Spans:
    """How many spans of time fell under each bound, and their sum."""

    def __init__(self) -> None:
        self.under = [0] * (len(SHORT) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        self.sum += seconds
        self.under[next((place for place, bound in enumerate(SHORT) if seconds <= bound), len(SHORT))] += 1


class Metrics:
    """What a process has counted since it began; `hear` and `took` are for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, Labels], float] = {}
        self._spans: dict[tuple[str, Labels], _Spans] = {}

    def hear(self, notice: Notice) -> None:
        """Count what a notice tells."""
        told = notice.fields
        if notice.level in ("warning", "error"):
            self.count("penstock_notices_total", str(notice.level))
        match notice.name:
            case "attempt.ended":
                self.count("penstock_attempts_ended_total", str(told["outcome"]))
            case "attempts.claimed":
                self.count("penstock_attempts_claimed_total", by=_number(told["attempts"]))
                self.took("penstock_claim_seconds", _number(told["seconds"]))
            case "run.folded":
                self.took("penstock_fold_seconds", _number(told["seconds"]))
            case "worker.lost":
                self.count("penstock_workers_lost_total")
            case "trigger.failed":
                self.count("penstock_trigger_failures_total")
            case "export.failed" | "export.refused":
                self.count("penstock_export_failures_total", str(told["export"]))
            case "alert.untold" | "alert.untaken" | "alert.given_up":
                self.count("penstock_export_failures_total", "alerts")
            case "api.answered":
                self.count("penstock_http_requests_total", str(told["route"]), str(told["status"]))
                self.took("penstock_http_seconds", _number(told["seconds"]), str(told["route"]))
            case ended if ended in ENDED and "~" not in str(told.get("flow", "")):
                self.count("penstock_runs_ended_total", ENDED[ended])
            case _:
                pass

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        """Let a counter grow."""
        with self._lock:
            if (name, labels) in self._counts or len(self._counts) < MOST:
                self._counts[name, labels] = self._counts.get((name, labels), 0) + by

    def took(self, name: str, seconds: float, *labels: str) -> None:
        """Note how long something took."""
        with self._lock:
            if (name, labels) in self._spans or len(self._spans) < MOST:
                self._spans.setdefault((name, labels), _Spans()).add(seconds)

    def stood(self, kind: str, seconds: float) -> None:
        """Note how long the store took over a transaction of a kind."""
        self.took("penstock_store_seconds", seconds, kind)

    def text(self, standing: Iterable[Standing] = ()) -> str:
        """All of it, with gauges as they stand, in Prometheus's format."""
        with self._lock:
            lines: dict[str, list[str]] = {}
            for (name, labels), value in sorted(self._counts.items()):
                lines.setdefault(name, []).append(_line(CATALOGUE[name], labels, value))
            for (name, labels), spans in sorted(self._spans.items()):
                lines.setdefault(name, []).extend(_histogram(CATALOGUE[name], labels, spans))
        for each in standing:
            lines.setdefault(each.name, []).append(_line(CATALOGUE[each.name], each.labels, each.value))
        said = []
        for about in CATALOGUE.values():
            found = lines.get(about.name, [])
            if not about.labels and not found and about.kind is Kind.COUNTER:
                found = [_line(about, (), 0)]  # what has not happened is 0, and not unknown
            if found:
                said += [f"# HELP {about.name} {about.says}", f"# TYPE {about.name} {about.kind}", *found]
        return "\n".join(said) + "\n"


def _histogram(about: About, labels: Labels, spans: _Spans) -> list[str]:
    named = dict(zip(about.labels, labels, strict=True))
    lines, below, whole = [], 0, _braced(named)
    for bound, count in zip((*map(_shown, SHORT), "+Inf"), spans.under, strict=True):
        below += count
        lines.append(f"{about.name}_bucket{_braced(named | {'le': bound})} {below}")
    return [*lines, f"{about.name}_sum{whole} {_shown(spans.sum)}", f"{about.name}_count{whole} {below}"]


def _line(about: About, labels: Labels, value: float) -> str:
    return f"{about.name}{_braced(dict(zip(about.labels, labels, strict=True)))} {_shown(value)}"


def _braced(labels: Mapping[str, str]) -> str:
    told = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{told}}}" if told else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _shown(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(round(value, 9))


def _number(value: object) -> float:
    return float(str(value))
