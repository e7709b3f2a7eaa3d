"""Which jobs make which data of which others? A graph of data and jobs, whoever told of them."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from penstock.model.asset import Access, Change, Touched
from penstock.model.lineage import DataGraph, DataLink, DataNode, JobNode

# What a job does with data that it neither fills nor empties.
DEFINES: Final = frozenset({Change.CREATE, Change.ALTER, Change.DROP, Change.RENAME})
Name = tuple[str, str]


class Gathering:
    """A graph while it is gathered: what comes later of data is told of them."""

    def __init__(self) -> None:
        self._data: dict[Name, DataNode] = {}
        self._jobs: dict[str, JobNode] = {}
        self._links: dict[DataLink, bool] = {}

    def add(self, job: JobNode, touched: Touched) -> None:
        """A job reads or writes data."""
        key = (touched.namespace, touched.name)
        known = self._data.get(key) or DataNode(namespace=key[0], name=key[1])
        # how much was read tells how much there is; how much was written, only of what was nowhere read
        rows = touched.rows if touched.access is Access.READS or known.rows is None else None
        self._data[key] = DataNode(
            namespace=key[0],
            name=key[1],
            rows=known.rows if rows is None else rows,
            columns=touched.columns or known.columns,
        )
        self._jobs[job.name] = job
        link = DataLink(job=job.name, access=touched.access, namespace=key[0], name=key[1])
        defines = touched.change in DEFINES and touched.access is Access.WRITES and touched.rows is None
        self._links[link] = self._links.get(link, True) and defines

    def graph(self) -> DataGraph:
        """All that was gathered."""
        links = [replace(link, defines=defines) for link, defines in self._links.items()]
        return DataGraph(
            data=[self._data[key] for key in sorted(self._data)],
            jobs=list(self._jobs.values()),
            links=sorted(links),
        )


def flowing(graph: DataGraph) -> DataGraph:
    """The part of it where data become others: without jobs that only look at data, make room for them, or look after
    them where they are. Of tasks of a flow that do the same, as those do that look after a job, it has the first.
    """
    links: dict[str, list[DataLink]] = {job.name: [] for job in graph.jobs}
    for link in graph.links:
        links[link.job].append(link)
    kept: dict[tuple[str, frozenset[tuple[Access, str, str]]], JobNode] = {}
    for job in graph.jobs:
        reads = {(link.namespace, link.name) for link in links[job.name] if link.access is Access.READS}
        writes = (link for link in links[job.name] if link.access is Access.WRITES and (reads or not link.defines))
        if any((link.namespace, link.name) not in reads for link in writes):
            flow = job.name if job.part else job.name.rpartition(".")[0]
            does = frozenset((link.access, link.namespace, link.name) for link in links[job.name])
            kept.setdefault((flow, does), job)
    shown = sorted(link for job in kept.values() for link in links[job.name])
    used = {(link.namespace, link.name) for link in shown}
    data = [node for node in graph.data if (node.namespace, node.name) in used]
    return DataGraph(data=data, jobs=list(kept.values()), links=shown)
