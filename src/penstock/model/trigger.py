"""What starts runs by itself? Declarations only: what makes a trigger fire, on which conditions, what it gives."""

from __future__ import annotations

import enum
from typing import Final, TypeAlias

import msgspec

from penstock.model.status import RunStatus

# It cannot stand in the id that a person gives a flow, so no flow of theirs is taken for one that looks.
LOOKS_FOR: Final = "~"


class Condition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What must be true: `test` (a template), or one of `any_of`, or all of `all_of`, or nothing of `none_of`."""

    test: str = ""
    any_of: tuple[Condition, ...] = ()
    all_of: tuple[Condition, ...] = ()
    none_of: tuple[Condition, ...] = ()


class Missed(enum.StrEnum):
    """Which of the dates that went by while nobody looked are made good."""

    ALL = "all"
    LAST = "last"
    NONE = "none"


class Base(msgspec.Struct, frozen=True, kw_only=True, tag_field="trigger", omit_defaults=True):
    """What every trigger has. `type` is the type as its author wrote it; `when` are conditions that must all hold.

    `inputs` and `labels` are rendered when it fires. `stop_after` names the ends of its runs after which it is
    disabled; `side_by_side` lets a run begin while the last one still goes on.
    """

    id: str
    type: str
    description: str = ""
    disabled: bool = False
    when: tuple[Condition, ...] = ()
    inputs: dict[str, object] = {}
    labels: dict[str, object] = {}
    stop_after: tuple[RunStatus, ...] = ()
    side_by_side: bool = False
    log_level: str = ""


class MissingHour(enum.StrEnum):
    """What becomes of a time of day that a clock which is set forward leaves out: nothing, the next time that there
    is, or a time as much later as the clock is set forward.
    """

    SKIP = "skip"
    NEXT = "next"
    SHIFT = "shift"


class RepeatedHour(enum.StrEnum):
    """Which of two is meant where a clock that is set back has a time of day twice.

    `often` means both for what comes several times in that hour or in the hour after it too, else the first.
    """

    FIRST = "first"
    LAST = "last"
    BOTH = "both"
    OFTEN = "often"


class ClosedDay(enum.StrEnum):
    """What becomes of a date on a day that a calendar closes: nothing, or the same time on an open day near it."""

    SKIP = "skip"
    NEXT = "next"
    PREVIOUS = "previous"


class Calendar(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which days are open: those that are worked on, without holidays and what a list closes.

    `name` is one of the project's calendars, to which the rest adds. `weekdays` count from Monday, 1 (empty: all);
    `country` with `region` names public holidays (`FR`; `DE`, `BY`); `closed` and `opened` are dates, ISO-8601, and
    what is in `opened` is open whatever else is said.
    """

    name: str = ""
    country: str = ""
    region: str = ""
    weekdays: tuple[int, ...] = ()
    closed: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()


class Hours(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Between which times of day, both included; past midnight where `end` is the earlier one."""

    begin: str
    end: str


class Timed(Base, frozen=True, kw_only=True, omit_defaults=True):
    """What everything has that fires at dates, in a time zone (empty: UTC).

    A date that is more than `late` microseconds over is left out. `jitter` is how much later than its date a run may
    begin, in microseconds. `begin` and `end` are the first and the last instant of dates, ISO-8601. With
    `depends_on_past` a run waits until that of the date before it was a success; `at_once` (0: one, or any number
    `side_by_side`) is how many runs of the trigger may go on.
    """

    timezone: str = ""
    late: int | None = None
    missed: Missed = Missed.ALL
    missing: MissingHour = MissingHour.SHIFT
    repeated: RepeatedHour = RepeatedHour.FIRST
    calendar: Calendar | None = None
    closed: ClosedDay = ClosedDay.SKIP
    jitter: int = 0
    hours: Hours | None = None
    begin: str = ""
    end: str = ""
    depends_on_past: bool = False
    at_once: int = 0


class Schedule(Timed, frozen=True, kw_only=True, tag="schedule", omit_defaults=True):
    """At the dates of a cron expression, with `seconds` of six fields."""

    cron: str
    seconds: bool = False
    missing: MissingHour = MissingHour.SKIP
    repeated: RepeatedHour = RepeatedHour.OFTEN


class Interval(Timed, frozen=True, kw_only=True, tag="interval", omit_defaults=True):
    """Every so many microseconds, counted from an instant (ISO-8601; empty: the first midnight of 1970)."""

    every: int
    anchor: str = ""


class Rule(Timed, frozen=True, kw_only=True, tag="rule", omit_defaults=True):
    """At the dates of a recurrence rule (RFC 5545), which begins at a date (ISO-8601; empty: 1970)."""

    rule: str
    anchor: str = ""


class Dates(Timed, frozen=True, kw_only=True, tag="dates", omit_defaults=True):
    """At dates that are written down, ISO-8601; those without an offset are in the time zone."""

    dates: tuple[str, ...]


class Signature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a caller proves that it knows a `secret` (a template): by an HMAC of the body in a header, behind a `prefix`.

    With a `tolerance` (microseconds) the header says when it was made, too: `t=SECONDS,v1=SIGNATURE`, of both together.
    """

    header: str
    secret: str
    algorithm: str = "sha256"
    prefix: str = ""
    encoding: str = "hex"
    tolerance: int | None = None


class Webhook(Base, frozen=True, kw_only=True, tag="webhook", omit_defaults=True):
    """By a request to an address that ends in the `key`, a template; the answer waits for the run's end with `wait`."""

    key: str
    wait: bool = False
    returns_outputs: bool = False
    signature: Signature | None = None


class Upstream(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Runs that are waited for: `when` tells them by what they are; `name` tells several that are waited for apart."""

    name: str
    when: tuple[Condition, ...] = ()


class WindowKind(enum.StrEnum):
    """How the time is reckoned in which all that is waited for must come: spans of a length one after the other, the
    time before now, up to a time of day, between two times of day.
    """

    SPAN = "span"
    SLIDING = "sliding"
    DEADLINE = "deadline"
    DAILY = "daily"


class Window(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In which time all must come. Lengths in microseconds; times of day as written (`09:00:00+02:00`), those without
    an offset in the time zone (empty: UTC), of which a day without a length is, too.
    """

    kind: WindowKind = WindowKind.SPAN
    length: int | None = None
    advance: int | None = None
    begin: str = ""
    end: str = ""
    timezone: str = ""


class OnRuns(Base, frozen=True, kw_only=True, tag="runs", omit_defaults=True):
    """By the runs of other flows that come to one of `states`; with `waits_for`, once `least` of those (0: all) have
    come within a window, which `reset` empties when it fires.
    """

    states: tuple[RunStatus, ...] = ()
    waits_for: tuple[Upstream, ...] = ()
    least: int = 0
    window: Window = Window()
    reset: bool = True


class Polling(Base, frozen=True, kw_only=True, tag="polling", omit_defaults=True):
    """By something that a worker looks at every `interval` microseconds; `properties` are those of its type.

    Workers that serve `queue` do it. With `fails_run` a look that fails starts a run that fails.
    """

    interval: int
    properties: dict[str, object] = {}
    queue: str = "default"
    fails_run: bool = False


class Listening(Base, frozen=True, kw_only=True, tag="listening", omit_defaults=True):
    """By each message that a worker hears; `properties` are those of its type. As for polling ones otherwise."""

    properties: dict[str, object] = {}
    queue: str = "default"
    fails_run: bool = False


def looker(flow: str, trigger: str) -> str:
    """The id of the hidden flow whose runs look, or listen, for a trigger of a flow."""
    return f"{flow}{LOOKS_FOR}{trigger}"


def looks_for(flow: str) -> tuple[str, str] | None:
    """Flow and trigger that the runs of a hidden flow look for; nothing for a flow that people wrote."""
    own, found, trigger = flow.partition(LOOKS_FOR)
    return (own, trigger) if found else None


OnTime: TypeAlias = Schedule | Interval | Rule | Dates
Trigger: TypeAlias = OnTime | Webhook | OnRuns | Polling | Listening
