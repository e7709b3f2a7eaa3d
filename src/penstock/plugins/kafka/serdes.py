"""How does a key or a value stand in a message of Kafka? As Java's serializers write it, Avro by a registry."""

from __future__ import annotations

import base64
import contextlib
import enum
import importlib
import struct
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from penstock.errors.task import MissingExtra, UnreadableMessage
from penstock.plugins.messages.payload import bytes_of
from penstock.plugins.serdes import schema
from penstock.sdk.plain import plain
from penstock.sdk.task import TaskFailed

Write = Callable[[str, object], bytes | None]
Read = Callable[[str, bytes | None], object]
T = TypeVar("T")
PATIENCE: Final = 30
# How Java writes its numbers: the longest first byte first.
NUMBERS: Final = {"INTEGER": ">i", "LONG": ">q", "SHORT": ">h", "FLOAT": ">f", "DOUBLE": ">d"}
# What Java's client of a registry says in other words than Python's.
RENAMED: Final = {"schema.registry.url": "url", "schema.registry.basic.auth.user.info": "basic.auth.user.info"}
OF_CLIENT: Final = ("url", "basic.auth.user.info", "bearer.auth.", "ssl.", "proxy", "timeout", "max.retries")
OF_WRITER: Final = ("auto.register.schemas", "use.latest.version", "use.schema.id", "normalize.schemas")


class SerdeType(enum.StrEnum):
    """How a key or a value is written; bytes are base64 wherever they are shown."""

    STRING = "STRING"
    JSON = "JSON"
    AVRO = "AVRO"
    INTEGER = "INTEGER"
    LONG = "LONG"
    SHORT = "SHORT"
    FLOAT = "FLOAT"
    DOUBLE = "DOUBLE"
    BYTE_ARRAY = "BYTE_ARRAY"
    BYTE_BUFFER = "BYTE_BUFFER"
    BYTES = "BYTES"
    UUID = "UUID"
    VOID = "VOID"


class Registry(msgspec.Struct, frozen=True):
    """How the registry of schemas is reached; its connections last as long as what holds them."""

    properties: Mapping[str, str]
    held: ExitStack


def writer(kind: SerdeType, text: str, registry: Registry, *, key: bool) -> Write:
    """What makes bytes of a value, for a topic; nothing stays nothing."""
    if kind is SerdeType.AVRO:
        return _avro_writer(text, registry, key=key)

    def write(topic: str, value: object) -> bytes | None:
        return None if value is None or kind is SerdeType.VOID else _bytes(kind, value)

    return write


def reader(kind: SerdeType, registry: Registry, *, key: bool) -> Read:
    """What makes a value of bytes, of a topic; nothing stays nothing."""
    if kind is SerdeType.AVRO:
        return _avro_reader(registry, key=key)

    def read(topic: str, content: bytes | None) -> object:
        return None if content is None or kind is SerdeType.VOID else _value(kind, content)

    return read


def _bytes(kind: SerdeType, value: object) -> bytes:
    try:
        match kind.value:
            case "STRING":
                return value.encode() if isinstance(value, str) else msgspec.json.encode(plain(value))
            case "JSON":
                return msgspec.json.encode(plain(value))
            case "UUID":
                return str(uuid.UUID(str(value))).encode()
            case "FLOAT" | "DOUBLE":
                return struct.pack(NUMBERS[kind.value], float(str(value)))
            case "INTEGER" | "LONG" | "SHORT":
                return struct.pack(NUMBERS[kind.value], int(str(value)))
            case _:
                return bytes_of(value)
    except (ValueError, struct.error, OverflowError):
        raise TaskFailed(f"{str(value)[:40]!r} cannot be written as {kind.value}.") from None


def _value(kind: SerdeType, content: bytes) -> object:
    try:
        match kind.value:
            case "STRING":
                return content.decode("utf-8", "backslashreplace")
            case "JSON":
                return msgspec.json.decode(content)
            case "UUID":
                return str(uuid.UUID(content.decode()))
            case "INTEGER" | "LONG" | "SHORT" | "FLOAT" | "DOUBLE":
                return struct.unpack(NUMBERS[kind.value], content)[0]
            case _:
                return base64.b64encode(content).decode()
    except (ValueError, struct.error, msgspec.DecodeError):
        raise UnreadableMessage(f"A message is not written as {kind.value}: {content[:40]!r}.") from None


def _avro_writer(text: str, registry: Registry, *, key: bool) -> Write:
    library = _libraries()
    given = _words(registry.properties)
    if not text and given.get("use.latest.version") != "true":
        raise TaskFailed(
            "AVRO needs a schema: valueAvroSchema, keyAvroSchema, or use.latest.version in serdeProperties."
        )
    client = registry.held.enter_context(_client(library.registry, given))
    how: dict[str, object] = {name: value == "true" for name, value in given.items() if name in OF_WRITER}
    if "use.schema.id" in given:
        how["use.schema.id"] = int(given["use.schema.id"])
    fit = schema.converter(schema.read(text), schema.Rules(), {}) if text else None
    serializer = library.avro.AvroSerializer(
        client, text or None, conf={"auto.register.schemas": True, **how} if text else how
    )
    field = _field(key=key)

    def write(topic: str, value: object) -> bytes | None:
        if value is None:
            return None
        try:
            written: bytes = serializer(fit(value) if fit else value, field(topic))
        except library.errors as error:
            raise TaskFailed(f"Avro: {error}") from None
        return written

    return write


def _avro_reader(registry: Registry, *, key: bool) -> Read:
    library = _libraries()
    client = registry.held.enter_context(_client(library.registry, _words(registry.properties)))
    deserializer = library.avro.AvroDeserializer(client)
    field = _field(key=key)

    def read(topic: str, content: bytes | None) -> object:
        if content is None:
            return None
        try:
            return plain(deserializer(content, field(topic)))
        except library.of_content as error:
            raise UnreadableMessage(f"Avro: {str(error) or type(error).__name__}") from None
        except library.of_registry as error:
            raise TaskFailed(f"Avro: {error}") from None

    return read


def asked_of(registry: Registry, work: Callable[[Any, Any], T]) -> T:
    """Ask the registry something, by its client and its library; TaskFailed where it refuses, or is not there."""
    library = _libraries()
    client = registry.held.enter_context(_client(library.registry, _words(registry.properties)))
    try:
        return work(client, library.registry)
    except library.of_registry as error:
        raise TaskFailed(f"The registry of schemas: {error}") from None


def _words(properties: Mapping[str, str]) -> dict[str, str]:
    """Properties as Java's client has them, in the words of Python's."""
    given = {RENAMED.get(name, name): value for name, value in properties.items()}
    given.pop("basic.auth.credentials.source", None)
    if not given.get("url"):
        raise TaskFailed("serdeProperties needs schema.registry.url.")
    return given


def _client(library: Any, given: Mapping[str, str]) -> Any:
    known: dict[str, object] = {name: value for name, value in given.items() if name.startswith(OF_CLIENT)}
    try:
        # Without a limit, a registry that does not answer would hold the task for ever.
        known["timeout"] = float(given.get("timeout", PATIENCE))
        if "max.retries" in given:
            known["max.retries"] = int(given["max.retries"])
        return library.SchemaRegistryClient(known)
    except ValueError as error:
        raise TaskFailed(f"serdeProperties: {error}") from None


def _field(*, key: bool) -> Callable[[str], Any]:
    from confluent_kafka.serialization import MessageField, SerializationContext

    part = MessageField.KEY if key else MessageField.VALUE
    return lambda topic: SerializationContext(topic, part)


class _Libraries(NamedTuple):
    """The registry's client and its Avro, and what they raise of a message and of the registry."""

    registry: Any
    avro: Any
    of_content: tuple[type[Exception], ...]
    of_registry: tuple[type[Exception], ...]

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """All that they raise."""
        return (*self.of_content, *self.of_registry)


def _libraries() -> _Libraries:
    """They; MissingExtra when they are not installed."""
    try:
        from confluent_kafka import schema_registry
        from confluent_kafka.schema_registry import avro
        from confluent_kafka.schema_registry.error import SchemaRegistryError
        from confluent_kafka.serialization import SerializationError
    except ImportError:
        raise MissingExtra(
            "Avro in Kafka needs the package confluent-kafka with its registry's client.",
            hint="Install it with `pip install 'penstock[kafka]'`.",
        ) from None
    of_content = (SerializationError, ValueError, TypeError, LookupError, EOFError)
    return _Libraries(schema_registry, avro, of_content, (SchemaRegistryError, *_of_http()))


def _of_http() -> Iterator[type[Exception]]:
    """What the registry's client raises when it cannot speak to the registry: its versions use one of two libraries."""
    for name in ("httpx2", "httpx"):
        with contextlib.suppress(ImportError):
            yield importlib.import_module(name).HTTPError
