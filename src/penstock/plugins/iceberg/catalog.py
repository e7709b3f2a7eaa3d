"""How is a catalog of Iceberg asked by REST, and how is a change committed so that it loses against nobody's other one?

The REST catalog's specification: github.com/apache/iceberg → open-api/rest-catalog-open-api.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import quote

import msgspec
from msgspec import Meta, field

from penstock.errors.task import AnswerRefused, Overtaken
from penstock.model.asset import located
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.patient import Patient
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Duration

MAIN: Final = "main"
# Between the levels of a namespace, in an address.
LEVEL: Final = "\x1f"
NOBODY: Final = -1
# A snapshot without any of these has changed nothing.
CHANGES: Final = ("added-data-files", "deleted-data-files", "added-delete-files", "removed-delete-files")
STORE: Final = {
    "s3.endpoint": "http://localhost:9000",
    "s3.region": "us-east-1",
    "s3.access-key-id": "lake",
    "s3.secret-access-key": "{{ secret('LAKE') }}",
}
# What a ref may be limited by.
LIMITS: Final = ("max-ref-age-ms", "max-snapshot-age-ms", "min-snapshots-to-keep")


class Ref(msgspec.Struct, frozen=True, kw_only=True):
    """A branch or a tag: a name for a snapshot; `limits` say in Iceberg's own words how long what is kept for it."""

    snapshot: int
    kind: str
    limits: Mapping[str, int] = {}


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One state of a table; `at` in milliseconds since 1970, `summary` in Iceberg's own words, all of it text."""

    id: int
    parent: int
    at: int
    summary: Mapping[str, str]

    @property
    def changed(self) -> bool:
        """Whether it has other files than the one before it."""
        return any(int(self.summary.get(name, 0)) for name in CHANGES)

    @property
    def changed_rows(self) -> bool:
        """Whether it may have other rows than the one before it."""
        return self.summary.get("operation") != "replace" and self.changed

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self.summary.get("total-records", "0"))


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table as its metadata tell of it."""

    uuid: str
    location: str
    columns: list[dict[str, object]]
    snapshots: dict[int, Snapshot]
    refs: dict[str, Ref]
    properties: Mapping[str, str] = {}

    @property
    def dataset(self) -> tuple[str, str]:
        """What lineage calls it: the place of its files, and where they are in there."""
        return located(self.location)

    def snapshot(self, name: str) -> Snapshot | None:
        """The snapshot of a branch, of a tag, or of an id; None for the main branch of a table without one."""
        if name in self.refs:
            return self.snapshots[self.refs[name].snapshot]
        if name == MAIN:
            return None
        if name.isdigit() and int(name) in self.snapshots:
            return self.snapshots[int(name)]
        known = ", ".join([*self.refs, *(str(each) for each in list(self.snapshots)[-5:])]) or "none"
        raise TaskFailed(f'The table has no branch, tag or snapshot "{name}"; it has {known}.')

    def line(self, newest: int) -> list[Snapshot]:
        """A snapshot and those it came of, as far as they are known; the newest first."""
        found: list[Snapshot] = []
        each = self.snapshots.get(newest)
        while each is not None:
            found.append(each)
            each = self.snapshots.get(each.parent)
        return found

    def lacks(self, one: Snapshot, other: Snapshot) -> list[Snapshot]:
        """What has changed rows on the way to another snapshot, and is not on the way to this one."""
        line = {each.id for each in self.line(one.id)}
        return [each for each in self.line(other.id) if each.id not in line and each.changed_rows]


class Catalog:
    """Who knows where tables are."""

    def __init__(self, server: Patient, waiting: Waiting, warehouse: str) -> None:
        self._server, self._waiting = server, waiting
        asked = {"warehouse": warehouse} if warehouse else {}
        told = server.get("/v1/config", waiting, **asked)
        self.defaults: dict[str, str] = {**told.get("defaults", {}), **told.get("overrides", {})}
        self._path = f"/v1/{self.defaults['prefix']}" if self.defaults.get("prefix") else "/v1"

    def tables(self, namespace: str) -> list[str]:
        """The names of a namespace's tables."""
        found = self._pages(f"{self._path}/namespaces/{_level(namespace)}/tables", "identifiers")
        return sorted(each["name"] for each in found)

    def below(self, namespace: str) -> list[str]:
        """The names of the namespaces in a namespace, and of those in them."""
        levels = namespace.split(".")
        try:
            told = self._pages(f"{self._path}/namespaces", "namespaces", parent=LEVEL.join(levels))
        except AnswerRefused as refused:
            if refused.status == 404:
                return []
            raise
        # Who does not understand the question tells of all there are at the top.
        found = [".".join(each) for each in told if len(each) > len(levels) and each[: len(levels)] == levels]
        return sorted({*found, *(name for each in found for name in self.below(each))})

    def told(self, name: str) -> dict[str, Any]:
        """All that the catalog tells of a table (`metadata`, `config`); raises TaskFailed where there is none."""
        try:
            found: dict[str, Any] = self._server.get(self._of(name), self._waiting)
        except AnswerRefused as refused:
            if refused.status == 404:
                raise TaskFailed(f'There is no table "{name}".') from refused
            raise
        return found

    def table(self, name: str) -> Table:
        """A table; raises TaskFailed where there is none."""
        return read(self.told(name)["metadata"])

    def commit(self, name: str, requirements: Sequence[object], updates: Sequence[object]) -> dict[str, Any]:
        """Change a table, if it still is as it was seen, and give what it is now; Overtaken where it is not."""
        body = {"requirements": requirements, "updates": updates}
        try:
            found: dict[str, Any] = self._server.say(self._of(name), self._waiting, body)
        except AnswerRefused as refused:
            if refused.status == 409:
                raise Overtaken(
                    f'The table "{name}" was changed by somebody else meanwhile: {refused.sentence}'
                ) from None
            raise
        return found

    def _pages(self, path: str, what: str, **query: str) -> list[Any]:
        """All of a list, whose parts are told one by one where it is long."""
        told = self._server.get(path, self._waiting, **query)
        found = list(told[what])
        while token := told.get("next-page-token"):
            told = self._server.get(path, self._waiting, **query, pageToken=token)
            found += told[what]
        return found

    def _of(self, name: str) -> str:
        namespace, dot, table = name.rpartition(".")
        if not dot:
            raise TaskFailed(f'"{name}" names no table: it is NAMESPACE.TABLE.')
        return f"{self._path}/namespaces/{_level(namespace)}/tables/{quote(table, safe='')}"


class IcebergTask(TaskType, frozen=True, kw_only=True):
    """What every task of Iceberg declares."""

    mode: ClassVar[Mode] = Mode.WARM

    uri: Annotated[str, Meta(description="Address of the catalog.", min_length=1, examples=["http://localhost:8181"])]
    warehouse: Annotated[str, Meta(description="The warehouse, where the catalog has several.")] = ""
    token: Annotated[str, Meta(description="What says who asks.", examples=["{{ secret('CATALOG') }}"])] = ""
    patience: Annotated[
        Duration, Meta(description="How long the catalog may be away, while it is started again.", extra=SPAN)
    ] = Duration(60_000_000)  # fmt: skip
    headers: Annotated[dict[str, str], Meta(description="Further headers of each request.")] = field(
        default_factory=dict
    )
    properties: Annotated[
        dict[str, str],
        Meta(
            description="What reaches the files of tables, in Iceberg's own words, as far as the catalog does not "
            "tell it; what asks the catalog alone does not need it.",
            examples=[STORE],
        ),
    ] = field(default_factory=dict)

    def catalog(self, waiting: Waiting) -> Catalog:
        """The catalog at the address."""
        who = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        server = Patient(
            address=self.uri,
            called="Iceberg's catalog",
            cause=cause,
            patience=self.patience.seconds,
            headers={**self.headers, **who},
        )
        return Catalog(server, waiting, self.warehouse)


def cause(told: str) -> str:
    """What a catalog says of an error."""
    try:
        body = msgspec.json.decode(told)
    except msgspec.DecodeError:
        return told[:500]
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("message", error)) if isinstance(error, dict) else told[:500]


def _level(namespace: str) -> str:
    return quote(namespace.replace(".", LEVEL), safe="")


def read(found: dict[str, Any]) -> Table:
    """A table's metadata."""
    schemas = {each["schema-id"]: each for each in found.get("schemas", [])}
    schema = schemas.get(found.get("current-schema-id"), {"fields": []})
    snapshots = {
        each["snapshot-id"]: Snapshot(
            id=each["snapshot-id"],
            parent=each.get("parent-snapshot-id", NOBODY),
            at=each["timestamp-ms"],
            summary=each.get("summary", {}),
        )
        for each in found.get("snapshots", [])
    }
    refs = {
        name: Ref(
            snapshot=ref["snapshot-id"],
            kind=ref["type"],
            limits={limit: ref[limit] for limit in LIMITS if ref.get(limit) is not None},
        )
        for name, ref in found.get("refs", {}).items()
    }
    return Table(
        uuid=found["table-uuid"],
        location=found["location"],
        columns=[
            {"name": each["name"], "type": each["type"], "required": each["required"]} for each in schema["fields"]
        ],
        snapshots=snapshots,
        refs=refs,
        properties=found.get("properties", {}),
    )
