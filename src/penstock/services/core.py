"""What does every service need? The parts that `app` builds once for a process, and the policy numbers of the house."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import msgspec

from penstock.clock import Clock
from penstock.model.access import SYSTEM, Actor
from penstock.model.plan import Plan
from penstock.model.policy import SECOND
from penstock.services.alarm import Alarm
from penstock.services.cache import RunCache
from penstock.services.calendars import Calendars
from penstock.services.plans import Plans
from penstock.services.project_folder import ProjectFolder
from penstock.store.port import Store
from penstock.store.queue import Fronts
from penstock.telemetry import Notices

ENVIRONMENT_PREFIXES = ("ENV_", "KESTRA_")


class Blobs(Protocol):
    """Where outputs too large for a row, and files, are kept."""

    def put(self, key: str, data: bytes) -> str:
        """Keep bytes under a key and give their address."""

    def get(self, uri: str) -> bytes:
        """Give back the bytes of an address."""

    def size(self, uri: str) -> int:
        """Count the bytes at an address."""


class Secrets(Protocol):
    """Where secrets come from: the environment, or a file that only its owner reads."""

    def get(self, namespace: str, name: str) -> str | None:
        """The secret's text; None when there is none of this name."""


class Knobs(msgspec.Struct, frozen=True):
    """Policy numbers; durations in microseconds, sizes in bytes. `traces` is the share of runs whose traces are told
    (0: none, and nobody hears of any), `lineage` whether tasks tell what data they read and write.
    """

    lease: int = 10 * SECOND
    beat: int = 2 * SECOND
    grace: int = 10 * SECOND
    fold_events: int = 200
    fold_budget: int = 20_000
    inline_budget: int = 5_000
    row_limit: int = 64 * 1024
    log_cap: int = 100 * 1024 * 1024
    environ: dict[str, str] = {}
    traces: float = 0.0
    lineage: bool = False


def environment_of_flows(environ: Mapping[str, str]) -> dict[str, object]:
    """What of the environment is meant for flows, under the names by which they see it."""
    return {
        name.removeprefix(prefix).lower(): value
        for name, value in environ.items()
        for prefix in ENVIRONMENT_PREFIXES
        if name.startswith(prefix)
    }


def _entropy() -> bytes:
    return os.urandom(10)


@dataclass(frozen=True, slots=True)
class Core:
    """A process's store, clock and knowledge of flows; frozen, handed to every service."""

    store: Store
    blobs: Blobs
    clock: Clock
    plans: Plans
    secrets: Secrets
    knobs: Knobs = field(default_factory=Knobs)
    entropy: Callable[[], bytes] = _entropy
    cache: RunCache = field(default_factory=RunCache)
    fronts: Fronts = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    state_dir: Path | None = None
    project: ProjectFolder | None = None
    notices: Notices = field(default_factory=Notices)
    alarm: Alarm = field(default_factory=Alarm)
    calendars: Calendars = field(default_factory=Calendars)
    actor: Actor = SYSTEM
    envs: dict[str, object] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "envs", environment_of_flows(self.knobs.environ))

    def asked_by(self, actor: Actor) -> Core:
        """The same for what somebody asks: verbs look at their rights, and the audit tells what they did."""
        return replace(self, actor=actor)

    def through(self, store: Store) -> Core:
        """The same with another way to its store."""
        return replace(self, store=store)

    def plan(self, namespace: str, flow: str, revision: int) -> Plan:
        """The plan of one revision of a flow. Raises UnknownFlow."""
        return self.plans.get(self.store, namespace, flow, revision)
