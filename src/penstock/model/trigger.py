"""What starts runs by itself? Declarations only: what makes a trigger fire, on which conditions, what it gives."""

from __future__ import annotations

import enum
from typing import TypeAlias

import msgspec

from penstock.model.status import RunStatus


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


class Schedule(Base, frozen=True, kw_only=True, tag="schedule", omit_defaults=True):
    """At the dates of a cron expression (with `seconds` of six fields) in a time zone (empty: UTC).

    A date that is more than `late` microseconds over is left out.
    """

    cron: str
    seconds: bool = False
    timezone: str = ""
    late: int | None = None
    missed: Missed = Missed.ALL


class Dates(Base, frozen=True, kw_only=True, tag="dates", omit_defaults=True):
    """At dates that are written down, ISO-8601; those without an offset are in the time zone."""

    dates: tuple[str, ...]
    timezone: str = ""
    missed: Missed = Missed.ALL


class Webhook(Base, frozen=True, kw_only=True, tag="webhook", omit_defaults=True):
    """By a request to an address that ends in the `key`, a template; the answer waits for the run's end with `wait`."""

    key: str
    wait: bool = False
    returns_outputs: bool = False


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
    """In which time all must come. Lengths in microseconds; times of day as written (`09:00:00+02:00`)."""

    kind: WindowKind = WindowKind.SPAN
    length: int | None = None
    advance: int | None = None
    begin: str = ""
    end: str = ""


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
    """By something that a worker looks at every `interval` microseconds; `properties` are those of its type."""

    interval: int
    properties: dict[str, object] = {}


class Listening(Base, frozen=True, kw_only=True, tag="listening", omit_defaults=True):
    """By each message that a worker hears; `properties` are those of its type."""

    properties: dict[str, object] = {}


Trigger: TypeAlias = Schedule | Dates | Webhook | OnRuns | Polling | Listening
