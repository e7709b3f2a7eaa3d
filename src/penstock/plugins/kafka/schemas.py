"""How does a flow keep the registry of schemas: register one, ask whether it fits, fetch it?"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, cast

from msgspec import Meta

from penstock.plugins.kafka.serdes import Registry, asked_of, without_class
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType

REGISTRY: Final = {"schema.registry.url": "http://localhost:8081"}
CONFLICT: Final = 409


class SchemaType(enum.StrEnum):
    """How a schema is written."""

    AVRO = "AVRO"
    JSON = "JSON"
    PROTOBUF = "PROTOBUF"


class Compatibility(enum.StrEnum):
    """What a newer schema of a subject must be able to."""

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"


class OfRegistry(TaskType, frozen=True, kw_only=True):
    """What is declared by all that are about a subject of the registry."""

    mode: ClassVar[Mode] = Mode.WARM

    serde_properties: Annotated[
        dict[str, str], Meta(description="Properties of the registry of schemas.", examples=[REGISTRY])
    ]
    subject: Annotated[str, Meta(description="The subject: `TOPIC-value`, `TOPIC-key`.", min_length=1)]

    def libraries(self) -> tuple[str, ...]:
        """confluent-kafka."""
        return ("confluent_kafka.schema_registry",)


class RegisterSchema(OfRegistry, frozen=True, kw_only=True):
    """Register a schema under a subject; one that is there keeps its id. What does not fit the last one is refused."""

    type_name: ClassVar[str] = "kafka.register_schema"
    outputs: ClassVar[dict[str, str]] = {"id": "Id of the schema.", "version": "Its version in the subject."}
    example: ClassVar[dict[str, object]] = {
        "serdeProperties": REGISTRY,
        "subject": "trips-value",
        "schema": '{"type": "record", "name": "trip", "fields": [{"name": "id", "type": "string"}]}',
    }

    schema: Annotated[str, Meta(description="The schema.", min_length=1)]
    schema_type: Annotated[SchemaType, Meta(description="How it is written.")] = SchemaType.AVRO
    compatibility: Annotated[
        Compatibility | None, Meta(description="First have the subject demand this of newer schemas.")
    ] = None

    def run(self, context: Context) -> dict[str, object]:
        """Register it."""

        def work(client: Any, library: Any) -> dict[str, object]:
            if self.compatibility is not None:
                level = library.ConfigCompatibilityLevel(self.compatibility.value)
                client.set_config(self.subject, library.ServerConfig(compatibility=level))
            made = library.Schema(self.schema, self.schema_type.value)
            try:
                found = client.register_schema_full_response(self.subject, made)
            except library.SchemaRegistryError as error:
                if error.http_status_code != CONFLICT:
                    raise
                raise unfit(self.subject, without_class(error.error_message), differences(self, client)) from None
            version = client.lookup_schema(self.subject, made).version
            return {"id": found.schema_id, "version": version}

        with ExitStack() as held:
            return asked_of(Registry(self.serde_properties, held), work)


class CheckSchema(OfRegistry, frozen=True, kw_only=True):
    """Ask whether a schema could follow the last one of a subject; fails where it could not."""

    type_name: ClassVar[str] = "kafka.check_schema"
    outputs: ClassVar[dict[str, str]] = {
        "compatible": "Whether it could.",
        "differences": "Where it could not: its fields that are not those of the last one.",
    }
    example: ClassVar[dict[str, object]] = RegisterSchema.example

    schema: Annotated[str, Meta(description="The schema.", min_length=1)]
    schema_type: Annotated[SchemaType, Meta(description="How it is written.")] = SchemaType.AVRO
    fail: Annotated[bool, Meta(description="Whether one that could not is a failure.")] = True

    def run(self, context: Context) -> dict[str, object]:
        """Ask."""

        def work(client: Any, library: Any) -> dict[str, object]:
            made = library.Schema(self.schema, self.schema_type.value)
            fits = bool(client.test_compatibility(self.subject, made))
            return {"compatible": fits, "differences": [] if fits else differences(self, client)}

        with ExitStack() as held:
            told = asked_of(Registry(self.serde_properties, held), work)
        if self.fail and not told["compatible"]:
            raise unfit(self.subject, "", cast("list[str]", told["differences"]), told)
        return told


def unfit(
    subject: str, why: str, changes: Sequence[str], outputs: Mapping[str, object] = MappingProxyType({})
) -> TaskFailed:
    """That a schema cannot follow the last one of a subject, with all that is known of why."""
    changed = f" Unlike the last one: {'; '.join(changes)}." if changes else ""
    reason = f" The registry says: {why.rstrip('.')}." if why else ""
    return TaskFailed(f'The schema does not fit those of "{subject}".{changed}{reason}', outputs=outputs)


def differences(task: RegisterSchema | CheckSchema, client: Any) -> list[str]:
    """The fields of a schema that are not as in the last one of its subject, each with both; none for Protobuf."""
    old = _fields(client.get_latest_version(task.subject).schema.schema_str)
    new = _fields(task.schema)
    told = [f'"{name}" is new: {new[name]}' for name in new if name not in old]
    told += [f'"{name}" is not there' for name in old if name not in new]
    return told + [f'"{name}" was {old[name]}, is {new[name]}' for name in new if old.get(name, new[name]) != new[name]]


def _fields(text: str) -> dict[str, str]:
    """What a schema of Avro or JSON says of each of its fields."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(read, dict):
        return {}
    needed = read.get("required", ())
    of_avro = {each["name"]: {**each, "name": None} for each in read.get("fields", ())}
    of_json = {name: {"type": each, "required": name in needed} for name, each in read.get("properties", {}).items()}
    return {name: _short(each) for name, each in (of_avro or of_json).items()}


def _short(about: dict[str, Any]) -> str:
    kind = about.get("type")
    kind = kind.get("type", kind) if isinstance(kind, dict) and set(kind) == {"type"} else kind
    told = kind if isinstance(kind, str) else json.dumps(kind)
    if about.get("required"):
        return f"{told}, required"
    return f"{told} = {json.dumps(about['default'])}" if "default" in about else told


class FetchSchema(OfRegistry, frozen=True, kw_only=True):
    """Fetch a schema of a subject."""

    type_name: ClassVar[str] = "kafka.fetch_schema"
    outputs: ClassVar[dict[str, str]] = {
        "id": "Id of the schema.",
        "version": "Its version in the subject.",
        "schema": "Its text.",
        "schemaType": "How it is written.",
    }
    example: ClassVar[dict[str, object]] = {"serdeProperties": REGISTRY, "subject": "trips-value"}

    version: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(description="The version; the latest unless given.")] = (
        None
    )

    def run(self, context: Context) -> dict[str, object]:
        """Fetch it."""

        def work(client: Any, _library: Any) -> dict[str, object]:
            found = (
                client.get_latest_version(self.subject)
                if self.version is None
                else client.get_version(self.subject, self.version)
            )
            kind, text = found.schema.schema_type, found.schema.schema_str
            return {"id": found.schema_id, "version": found.version, "schema": text, "schemaType": kind}

        with ExitStack() as held:
            return asked_of(Registry(self.serde_properties, held), work)
