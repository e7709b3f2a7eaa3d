"""What does an attempt want of a container engine? A frozen value that crosses from the worker to its stand-in."""

from __future__ import annotations

import hashlib
import re
from typing import Final

import msgspec

from penstock.sdk.container import Container

DRIVER: Final = "penstock.runners.container.driver"
PREFIX: Final = "penstock"
KEPT: Final = "-kept"
RUN: Final = "penstock/run"
STEP: Final = "penstock/step"
PRINT: Final = "penstock/fingerprint"
# What differs between two attempts at the same work.
PASSING: Final = ("PENSTOCK_ATTEMPT",)
NOT_IN_A_NAME: Final = re.compile(r"[^a-zA-Z0-9_.]+")
LONGEST_LABEL: Final = 63


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A container that an attempt wants.

    `name` is like no other's, and who bears it owns the container: it ends with the claim's fence. `folder`: the
    attempt's folder here. `given`: folders here by their place there. `record`: the file that says that it may exist.
    `content`: a digest of the files laid in. `returns`: whether files are wanted back when it has ended; `shared`:
    whether other tasks have the folder, too.
    """

    name: str
    run: str
    step: str
    fence: int
    record: str
    worker: str
    container: Container
    argv: tuple[str, ...] = ()
    env: dict[str, str] = {}
    given: dict[str, str] = {}
    folder: str = ""
    labels: dict[str, str] = {}
    content: str = ""
    returns: bool = False
    shared: bool = False

    @property
    def resumable(self) -> bool:
        """Whether its files are its own, so that another attempt could go on with it."""
        asked = self.container
        return asked.resume and asked.delete and asked.wait and not asked.mounted and not self.shared

    @property
    def fingerprint(self) -> str:
        """A digest of what it does: the same for attempts at the same work."""
        env = {name: value for name, value in self.env.items() if name not in PASSING}
        whole = (self.container, self.argv, sorted(env.items()), self.content)
        return hashlib.blake2b(msgspec.json.encode(whole), digest_size=16).hexdigest()


def name_of(run: str, step: str, attempt: int, fence: int) -> str:
    """The name of an attempt's container: readable, unlike any other's, its fence last."""
    told = NOT_IN_A_NAME.sub("-", step).strip("-")[:40] or "step"
    return f"{PREFIX}-{NOT_IN_A_NAME.sub('-', run)}-{told}-{attempt}-{fence}"


def fence_of(name: str) -> int | None:
    """The fence of a container's owner, by its name; nothing when nobody owns it any more."""
    last = name.rpartition("-")[2]
    return int(last) if last.isdigit() else None


def labels_of(*, run: str, step: str, attempt: int, flow: str, namespace: str) -> dict[str, str]:
    """The names under which people find an attempt's container, ours and those that Kestra gives."""
    kestra = {
        "namespace": namespace,
        "flow-id": flow,
        "task-id": step.rpartition("/")[2],
        "execution-id": run,
        "taskrun-id": f"{run}-{step}",
        "taskrun-attempt": str(attempt - 1),
    }
    ours = {"penstock/namespace": namespace, "penstock/flow": flow, "penstock/attempt": str(attempt)}
    theirs = {f"kestra.io/{name}": value[:LONGEST_LABEL] for name, value in kestra.items()}
    return ours | {RUN: run, STEP: step} | theirs
