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
    Empty `exit_codes` and `kinds` mean any failure.
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
    exit_codes: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()


class WhenFull(enum.StrEnum):
    """What becomes of a run that finds its flow's limit reached."""

    QUEUE = "queue"
    CANCEL = "cancel"
    FAIL = "fail"


class Limit(msgspec.Struct, frozen=True, omit_defaults=True):
    """At most `count` runs of a flow at once."""

    count: int
    when_full: WhenFull = WhenFull.QUEUE


class OnChildFailure(enum.StrEnum):
    """What a group does with running siblings when a child fails."""

    CONTINUE = "continue"
    CANCEL = "cancel"
    FAIL = "fail"
