"""What is told of data, and of the jobs that read and write them?"""

from __future__ import annotations

import msgspec

from penstock.model.asset import Access


class DataNode(msgspec.Struct, frozen=True, kw_only=True):
    """Data: where they are, what they are called there, how many rows they had when that was told last."""

    namespace: str
    name: str
    rows: int | None = None
    columns: dict[str, str] = {}


class JobNode(msgspec.Struct, frozen=True, kw_only=True):
    """What reads and writes data: a task of a flow (`namespace.flow.task`), or a part of one: `part` says of which."""

    name: str
    part: str = ""


class DataLink(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A job (by its name) reads or writes data (by namespace and name); one that `defines` only makes, changes or takes
    away what holds them.
    """

    job: str
    access: Access
    namespace: str
    name: str
    defines: bool = False


class DataGraph(msgspec.Struct, frozen=True, kw_only=True):
    """Data and links in the order of their names, jobs in the order in which they told of them."""

    data: list[DataNode]
    jobs: list[JobNode]
    links: list[DataLink]
