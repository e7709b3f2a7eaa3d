"""Which policies can a node or a flow carry? Values only; durations and instants are whole microseconds."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

MILLISECOND: Final = 1_000
SECOND: Final = 1_000_000


class Backoff(enum.StrEnum):
    """How the wait between attempts grows; *linear* is what Kestra 0.20 calls exponential."""

    CONSTANT = "constant"
    EXPONENTIAL = "exponential"
    LINEAR = "linear"
    RANDOM = "random"


class Retry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a failed attempt is followed by another.

    `interval` is the first wait (of `random`: the smallest), `cap` the longest one, `jitter` the part of a wait
    (0 to 1) that is taken off at random. `max_attempts` counts the first; `max_duration` runs from its start.
    Empty `exit_codes` and `kinds` mean any failure. With `new_run` the run ends as *retried* and another one, with
    the same inputs, takes its place; attempts are then counted in runs.
    """

    backoff: Backoff = Backoff.CONSTANT
    interval: int = 0
    factor: float = 2.0
    cap: int | None = None
    jitter: float = 0.0
    max_attempts: int | None = None
    max_duration: int | None = None
    warn: bool = False
    warn_after: int = 1
    new_run: bool = False
    exit_codes: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()


class WhenFull(enum.StrEnum):
    """What becomes of a run, or of an attempt, that finds a limit reached."""

    QUEUE = "queue"
    CANCEL = "cancel"
    FAIL = "fail"


class Limit(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many runs of a flow, or attempts of a task, may be at work: at most `count` at once, each taking `weight`.

    With `window` at most `count` may start in so many microseconds. With `key` (a template of pure expressions) each of
    its values has a limit of its own. Limits of one `name` are one limit, wherever they are written; with a name and
    no count it is a pool, whose size is set outside flows.
    """

    count: int = 0
    when_full: WhenFull = WhenFull.QUEUE
    weight: int = 1
    window: int | None = None
    key: str = ""
    name: str = ""


class OnChildFailure(enum.StrEnum):
    """What a group does with its other children when one fails: let those that run end apart from it, end them as
    cancelled or as failed, or finish all of them, those not begun too, before it fails.
    """

    CONTINUE = "continue"
    CANCEL = "cancel"
    FAIL = "fail"
    FINISH = "finish"


class Sensor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a task waits for something: it looks every `interval` microseconds, for `longest` at most (from its first
    look); then it has failed, or with `soft` is skipped.
    """

    interval: int
    longest: int | None = None
    soft: bool = False


class Cache(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task's outputs may be taken from an earlier success with the same key, for `ttl` microseconds (None: for
    ever).

    The key is made of the task type, its rendered properties and `version`, or of `key` (a template) in their place.
    """

    ttl: int | None = None
    key: str = ""
    version: str = ""


class Breach(enum.StrEnum):
    """What follows when a service level is missed."""

    FAIL = "fail"
    CANCEL = "cancel"
    LABEL = "label"


class Sla(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A service level of a flow's runs: done within `duration` microseconds of their creation, or `condition` (a
    template) true after everything that happens to them. `labels` are given to a run that misses it.
    """

    id: str
    duration: int | None = None
    condition: str = ""
    breach: Breach = Breach.LABEL
    labels: dict[str, str] = {}


class IfUnmet(enum.StrEnum):
    """What becomes of a run whose flow has a check that is not met: there is none, it fails at once, it goes on."""

    BLOCK = "block"
    FAIL = "fail"
    GO_ON = "go_on"


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What must be true of a run before it begins: `condition` is a template, `message` is for people."""

    condition: str
    message: str
    style: str = "info"
    unmet: IfUnmet = IfUnmet.BLOCK
