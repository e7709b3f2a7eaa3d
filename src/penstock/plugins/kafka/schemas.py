"""How does a flow keep the registry of schemas: register one, ask whether it fits, fetch it?"""

from __future__ import annotations

import enum
from contextlib import ExitStack
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from penstock.plugins.kafka.serdes import Registry, asked_of
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType

REGISTRY = {"schema.registry.url": "http://localhost:8081"}


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
            found = client.register_schema_full_response(self.subject, made)
            version = client.lookup_schema(self.subject, made).version
            return {"id": found.schema_id, "version": version}

        with ExitStack() as held:
            return asked_of(Registry(self.serde_properties, held), work)


class CheckSchema(OfRegistry, frozen=True, kw_only=True):
    """Ask whether a schema could follow the last one of a subject; fails where it could not."""

    type_name: ClassVar[str] = "kafka.check_schema"
    outputs: ClassVar[dict[str, str]] = {"compatible": "Whether it could."}
    example: ClassVar[dict[str, object]] = RegisterSchema.example

    schema: Annotated[str, Meta(description="The schema.", min_length=1)]
    schema_type: Annotated[SchemaType, Meta(description="How it is written.")] = SchemaType.AVRO
    fail: Annotated[bool, Meta(description="Whether one that could not is a failure.")] = True

    def run(self, context: Context) -> dict[str, object]:
        """Ask."""

        def work(client: Any, library: Any) -> dict[str, object]:
            made = library.Schema(self.schema, self.schema_type.value)
            return {"compatible": bool(client.test_compatibility(self.subject, made))}

        with ExitStack() as held:
            told = asked_of(Registry(self.serde_properties, held), work)
        if self.fail and not told["compatible"]:
            raise TaskFailed(f'The schema does not fit those of "{self.subject}".', outputs=told)
        return told


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
