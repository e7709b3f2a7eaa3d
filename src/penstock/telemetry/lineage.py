"""How does what happened read as OpenLineage says it? Events as plain values, by version 2-0-2 of its specification.

Ids of runs are made of ours, so that an event that is told twice is the same event.
"""

from __future__ import annotations

import datetime
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from penstock.model.asset import Access, Check, Touched
from penstock.model.ids import ALPHABET

SPEC: Final = "https://openlineage.io/spec"
EVENT: Final = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
# The facets that are told, with the version of each one's own schema.
FACETS: Final = {
    "parent": "1-2-0/ParentRunFacet",
    "nominalTime": "1-0-1/NominalTimeRunFacet",
    "processing_engine": "1-1-1/ProcessingEngineRunFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet",
    "jobType": "2-0-4/JobTypeJobFacet",
    "sql": "1-1-0/SQLJobFacet",
    "schema": "1-2-0/SchemaDatasetFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet",
    "lifecycleStateChange": "1-0-1/LifecycleStateChangeDatasetFacet",
    "dataQualityAssertions": "1-1-0/DataQualityAssertionsDatasetFacet",
    "inputStatistics": "1-0-0/InputStatisticsInputDatasetFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet",
}
SIZES: Final = {"rowCount": "rows", "size": "size"}

Fields = dict[str, object]


class Job(msgspec.Struct, frozen=True):
    """What is done, however often: a flow, a task of one, a part of a task; `kind` is FLOW, TASK or PART."""

    namespace: str
    name: str
    kind: str


class Teller(msgspec.Struct, frozen=True):
    """Who tells: this version of Penstock, which events name by an address."""

    version: str

    @property
    def producer(self) -> str:
        """Its address."""
        return f"https://pypi.org/project/penstock/{self.version}/"

    def event(
        self,
        kind: str,
        at: int,
        run: str,
        job: Job,
        facets: Mapping[str, Fields],
        touched: Sequence[Touched] = (),
    ) -> Fields:
        """One event; `kind` is START, RUNNING, COMPLETE, FAIL or ABORT, `at` in microseconds."""
        engine: Fields = {"version": self.version, "name": "Penstock"}
        about: Fields = {"processingType": "BATCH", "integration": "PENSTOCK", "jobType": job.kind}
        run_facets = {"processing_engine": engine, **facets}
        statements = dict.fromkeys(each.sql for each in touched if each.sql)
        sql: Mapping[str, Fields] = {"sql": {"query": ";\n".join(statements)}} if statements else {}
        return {
            "eventType": kind,
            "eventTime": instant(at),
            "producer": self.producer,
            "schemaURL": EVENT,
            "run": {"runId": run, "facets": self._facets(run_facets)},
            "job": {"namespace": job.namespace, "name": job.name, "facets": self._facets({"jobType": about, **sql})},
            "inputs": [self._data(each, "input") for each in touched if each.access is Access.READS],
            "outputs": [self._data(each, "output") for each in touched if each.access is Access.WRITES],
        }

    def _data(self, data: Touched, side: str) -> Fields:
        facets: dict[str, Fields] = {}
        if data.columns:
            facets["schema"] = {"fields": [{"name": name, "type": kind} for name, kind in data.columns.items()]}
        if data.version:
            facets["version"] = {"datasetVersion": data.version}
        if data.change is not None:
            facets["lifecycleStateChange"] = {"lifecycleStateChange": data.change.value}
        given: Fields = {name: size for name, of in SIZES.items() if (size := getattr(data, of)) is not None}
        sided: dict[str, Fields] = {f"{side}Statistics": given} if given else {}
        if data.checks and side == "input":
            sided["dataQualityAssertions"] = {"assertions": [_assertion(each) for each in data.checks]}
        told = {"facets": self._facets(facets), f"{side}Facets": self._facets(sided)}
        return {"namespace": data.namespace, "name": data.name, **told}

    def _facets(self, given: Mapping[str, Fields]) -> Fields:
        return {name: self._facet(name, body) for name, body in given.items()}

    def _facet(self, name: str, body: Fields) -> Fields:
        where = FACETS[name]
        return {"_producer": self.producer, "_schemaURL": f"{SPEC}/facets/{where}.json#/$defs/{where[6:]}", **body}


def _assertion(check: Check) -> Fields:
    return {"assertion": check.name, "success": check.passed, **({"column": check.column} if check.column else {})}


def above(run: str, job: Job) -> Fields:
    """The facet that says in which run of which job another one lies."""
    return {"run": {"runId": run}, "job": {"namespace": job.namespace, "name": job.name}}


def run_uuid(run_id: str, *words: str) -> str:
    """The id of a run, or of something in it, as events name it: of version 7, with the instant of the run's own id."""
    millis = 0
    for sign in run_id[:10]:
        millis = millis * 32 + max(ALPHABET.find(sign), 0)
    digest = hashlib.blake2b("\n".join((run_id, *words)).encode(), digest_size=10).digest()
    bits = int.from_bytes(digest, "big")
    value = (millis & (1 << 48) - 1) << 80 | 7 << 76 | (bits >> 64 & 0xFFF) << 64 | 2 << 62 | bits & (1 << 62) - 1
    return str(uuid.UUID(int=value))


def instant(at: int) -> str:
    """An instant as events write it."""
    return datetime.datetime.fromtimestamp(at / 1_000_000, datetime.UTC).isoformat().replace("+00:00", "Z")
