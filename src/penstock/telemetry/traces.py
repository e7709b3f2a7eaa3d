"""Which trace does a run belong to, and what are its steps' and attempts' spans called?

Every id is made of the run's own, so that whoever tells first, the worker that hands it to a process or the server that
exports it, says the same.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

import msgspec

from penstock.model.run import Run

HEADER: Final = "traceparent"
VARIABLE: Final = "TRACEPARENT"
FORM: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
SAMPLED: Final = 1
EVERY: Final = 1 << 56

Value = str | int | float | bool


class Place(msgspec.Struct, frozen=True):
    """A span in a trace, and whether the trace is told at all."""

    trace: str
    span: str
    sampled: bool = True


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time in a trace; instants in microseconds.

    `failure` says why it failed (None: it did not), `moments` what happened within it, `links` are places elsewhere
    that it has to do with.
    """

    trace: str
    id: str
    parent: str
    name: str
    began: int
    ended: int
    values: dict[str, Value] = {}
    failure: str | None = None
    moments: tuple[tuple[int, str], ...] = ()
    links: tuple[Place, ...] = ()


def read(text: str) -> Place | None:
    """The place that a `traceparent` names; None for what is none."""
    found = FORM.fullmatch(text.strip().lower())
    if found is None:
        return None
    version, trace, span, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not trace.strip("0") or not span.strip("0"):
        return None
    return Place(trace, span, bool(int(flags, 16) & SAMPLED))


def written(place: Place) -> str:
    """A place as a `traceparent` says it."""
    return f"00-{place.trace}-{place.span}-{int(place.sampled):02x}"


def of_run(run: Run, share: float) -> tuple[str, bool]:
    """The trace of a run, that of who started it or one of its own, and whether it is told: of its own ones a share."""
    above = read(run.trace) if run.trace else None
    if above is not None:
        return above.trace, above.sampled
    trace = own_trace(run.id)
    return trace, int(trace[-14:], 16) < share * EVERY


def own_trace(run_id: str) -> str:
    """The trace that begins with a run."""
    return _digest(16, "trace", run_id)


def parent_of(run: Run) -> str:
    """The span that a run's own lies in; empty for the first of its trace."""
    above = read(run.trace) if run.trace else None
    return above.span if above is not None else ""


def run_span(run_id: str, going: int = 0) -> str:
    """The span of a run; one for each of its goings-through, counted from 0."""
    return _digest(8, "run", run_id, str(going))


def step_span(run_id: str, key: str, going: int = 0) -> str:
    """The span of a step in one of its run's goings-through."""
    return _digest(8, "step", run_id, key, str(going))


def attempt_span(run_id: str, key: str, number: int) -> str:
    """The span of an attempt."""
    return _digest(8, "attempt", run_id, key, str(number))


def of_attempt(run: Run, key: str, number: int, share: float) -> str:
    """What is handed on as `traceparent` from an attempt; nothing where no traces are told."""
    if not share:
        return ""
    trace, sampled = of_run(run, share)
    return written(Place(trace, attempt_span(run.id, key, number), sampled))


def _digest(size: int, *words: str) -> str:
    return hashlib.blake2b("\n".join(words).encode(), digest_size=size).hexdigest()
