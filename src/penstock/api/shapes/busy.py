"""What is told of pools, limits, queues, workers, and of the installation?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.problems import OneProblem


class PoolRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pool: its size (null: waited for, and set by nobody), what is in use of it, how many wait."""

    name: str
    slots: int | None
    used: int
    waiting: int
    changed: str | None


class PoolSlots(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How large a pool is."""

    slots: Annotated[int, Meta(ge=0, le=1_000_000)]


class LimitRow(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that is in use or waited for: how much by how many, how many wait, since when the longest.

    `count` is what it lets in, and `window` in how many seconds where it is a rate; both only where somebody waits.
    """

    name: str
    used: int
    holders: int
    waiting: int
    oldest: str | None
    count: int | None
    window: float | None


class QueueRow(msgspec.Struct, frozen=True, kw_only=True):
    """A queue: how many attempts wait in it, since when the longest, how many are being made, who serves it."""

    name: str
    waiting: int
    oldest: str | None
    running: int
    workers: int
    free: int


class WorkerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A worker: `status` is running, draining, or silent where it has not been heard of for the length of a lease."""

    id: str
    host: str
    status: str
    version: str
    started: str
    queues: list[str]
    slots: int
    held: int


class Retained(msgspec.Struct, frozen=True, kw_only=True):
    """How many seconds ended runs, logs and acts are kept; null: for ever."""

    runs: float | None
    logs: float | None
    audit: float | None


class LimitsShown(msgspec.Struct, frozen=True, kw_only=True):
    """How much may happen: calls of one caller in a second (0: any number), bytes of log of one attempt; how many
    seconds tasks have to end, and a silent worker before it counts as dead.
    """

    calls: int
    log: int
    grace: float
    lease: float


class SettingsShown(msgspec.Struct, frozen=True, kw_only=True):
    """What may be seen of the settings: nothing that is secret, no password of an address.

    `secret_sources` names where secrets are looked for, `calendars` and `git` what flows may name and what branches
    there are, `login` the provider by whom people may log in, where there is one.
    """

    version: str
    store: str
    database: str
    blobs: str
    project: str
    namespace: str
    language: str
    retention: Retained
    limits: LimitsShown
    secret_sources: list[str]
    calendars: list[str]
    git: list[str]
    login: str


class FileProblems(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a file of the project."""

    file: str
    problems: list[OneProblem]
