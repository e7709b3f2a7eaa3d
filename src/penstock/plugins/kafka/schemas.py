"""How does a flow keep the registry of schemas: register one, ask whether it fits, fetch it?"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from penstock.errors.task import AnswerRefused
from penstock.plugins.kafka import registry
from penstock.plugins.kafka.registry import CONFLICT, Subject
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Duration

REGISTRY: Final = {"schema.registry.url": "http://localhost:8081"}


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
    patience: Annotated[
        Duration,
        Meta(description="How long the registry may be away, while it is started again for instance.", extra=SPAN),
    ] = Duration(30_000_000)

    def libraries(self) -> tuple[str, ...]:
        """confluent-kafka, which the registry is asked without: Kafka's own tasks then find a process that has it."""
        return ("confluent_kafka",)

    def asked(self, context: Context) -> Subject:
        """The subject, to be asked."""
        return registry.subject(self.subject, self.serde_properties, self.patience.seconds, Waiting(context))


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
        subject = self.asked(context)
        if self.compatibility is not None:
            subject.demand(self.compatibility.value)
        try:
            made = subject.register(self.schema, self.schema_type.value)
        except AnswerRefused as refused:
            if refused.status != CONFLICT:
                raise
            raise unfit(subject, self.schema, [registry.cause(refused.told)]) from None
        return {"id": made.id, "version": made.version}


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
        subject = self.asked(context)
        against = subject.refusal(self.schema, self.schema_type.value)
        if against is None:
            return {"compatible": True, "differences": []}
        told = {"compatible": False, "differences": differences(subject, self.schema)}
        if self.fail:
            raise unfit(subject, self.schema, against, told)
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
        found = self.asked(context).version(self.version)
        return {"id": found.id, "version": found.version, "schema": found.schema, "schemaType": found.kind}


def unfit(
    subject: Subject, schema: str, against: Sequence[str], outputs: Mapping[str, object] = MappingProxyType({})
) -> TaskFailed:
    """That a schema cannot follow the last one of a subject, with all that is known of why."""
    changes = differences(subject, schema)
    changed = f" Unlike the last one: {'; '.join(changes)}." if changes else ""
    reason = f" The registry says: {'; '.join(each.rstrip('.') for each in against)}." if against else ""
    return TaskFailed(f'The schema does not fit those of "{subject.name}".{changed}{reason}', outputs=outputs)


def differences(subject: Subject, schema: str) -> list[str]:
    """The fields of a schema that are not as in the last one of its subject, each with both; none for Protobuf."""
    old, new = fields(subject.version().schema), fields(schema)
    told = [f'"{name}" is new: {new[name]}' for name in new if name not in old]
    told += [f'"{name}" is not there' for name in old if name not in new]
    return told + [f'"{name}" was {old[name]}, is {new[name]}' for name in new if old.get(name, new[name]) != new[name]]


def fields(text: str) -> dict[str, str]:
    """What a schema of Avro or JSON says of each of its fields."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(read, dict):
        return {}
    needed = read.get("required", ())
    of_avro = {each["name"]: each for each in read.get("fields", ())}
    of_json = {name: {**each, "required": name in needed} for name, each in read.get("properties", {}).items()}
    return {name: _short(each) for name, each in (of_avro or of_json).items()}


def _short(about: dict[str, Any]) -> str:
    kind = about.get("type", "any")
    told = kind if isinstance(kind, str) else json.dumps(kind)
    if about.get("required"):
        return f"{told}, required"
    return f"{told} = {json.dumps(about['default'])}" if "default" in about else told
