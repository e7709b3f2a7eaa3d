"""What is told of kept values, secrets, pools, queues, workers, maintenance?"""

from __future__ import annotations

import msgspec

from penstock.client.shapes.flows import FlowProblem


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key in a list, without its value."""

    key: str
    version: int
    changed: str
    expires: str | None


class KeyValue(KeyRow, frozen=True, kw_only=True):
    """A kept value; `version` counts its changes."""

    value: object


class SecretRow(msgspec.Struct, frozen=True, kw_only=True):
    """A secret as it may be told of; `version` counts its changes."""

    namespace: str
    name: str
    version: int
    changed: str
    changed_by: str


class KeysTurned(msgspec.Struct, frozen=True, kw_only=True):
    """How many secrets were sealed anew, by how many data keys, under which master key; how many of those went."""

    secrets: int
    keys: int
    master: str
    forgotten: int


class BadSecretRow(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that cannot be unsealed, and why."""

    namespace: str
    name: str
    why: str


class SecretsVerified(msgspec.Struct, frozen=True, kw_only=True):
    """How many secrets can be unsealed, which cannot, and which master keys seal them."""

    good: int
    bad: tuple[BadSecretRow, ...]
    masters: tuple[str, ...]


class PoolRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pool: its size (null: waited for, and set by nobody), what is in use of it, how many wait."""

    name: str
    slots: int | None
    used: int
    waiting: int
    changed: str | None


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
    """How many seconds ended runs and logs are kept; null: for ever."""

    runs: float | None
    logs: float | None


class SettingsShown(msgspec.Struct, frozen=True, kw_only=True):
    """What may be seen of the settings: nothing that is secret, no password of an address."""

    version: str
    store: str
    database: str
    blobs: str
    project: str
    namespace: str
    language: str
    retention: Retained


class FileProblems(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a file of the project."""

    file: str
    problems: list[FlowProblem]


class HeldRow(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace in maintenance, with those below it (empty: everywhere), since when, by whom and why."""

    namespace: str
    since: str
    by: str
    reason: str


class Still(msgspec.Struct, frozen=True, kw_only=True):
    """What is in maintenance, and how many runs wait for its end."""

    held: list[HeldRow]
    waiting: int


class MaintenanceDone(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: whether it stands as asked by this very call, and the runs that were killed."""

    changed: bool
    killed: list[str]
