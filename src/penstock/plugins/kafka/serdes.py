"""How does a key or a value stand in a message of Kafka? As Java's serializers write it, Avro by a registry."""

from __future__ import annotations

import base64
import contextlib
import enum
import importlib
import json
import struct
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Final, NamedTuple

import msgspec

from penstock.errors.task import MissingExtra, NoAnswer, UnreadableMessage
from penstock.plugins.kafka.registry import without_class
from penstock.plugins.messages.payload import bytes_of
from penstock.plugins.serdes import schema
from penstock.sdk.plain import plain
from penstock.sdk.task import TaskFailed

Write = Callable[[str, object], bytes | None]
Read = Callable[[str, bytes | None], object]
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


def reader(kind: SerdeType, registry: Registry, text: str, *, key: bool) -> Read:
    """What makes a value of bytes, of a topic; nothing stays nothing. Of Avro as `text` has it, the reader's schema."""
    if kind is SerdeType.AVRO:
        return _avro_reader(registry, text, key=key)

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
    by_id, by_latest = "use.schema.id" in given, given.get("use.latest.version") == "true"
    if not (text or by_id or by_latest):
        raise TaskFailed(
            "AVRO needs a schema: valueAvroSchema, keyAvroSchema, or use.latest.version or use.schema.id in "
            "serdeProperties."
        )
    client = registry.held.enter_context(_client(library.registry, given))
    # Only a schema that the flow gives is registered.
    how: dict[str, object] = {"auto.register.schemas": not (by_id or by_latest)}
    how |= {name: value == "true" for name, value in given.items() if name in OF_WRITER}
    if by_id:
        how["use.schema.id"] = int(given["use.schema.id"])
    with _usable(library):
        serializer = library.avro.AvroSerializer(client, text or None, conf=how)
    field, fits = _field(key=key), dict[str, Callable[[object], object]]()

    def fit(topic: str, value: object) -> object:
        if topic not in fits:
            wanted = text or _registered(client, given, f"{topic}-{'key' if key else 'value'}")
            fits[topic] = schema.converter(json.loads(wanted), schema.Rules(), {})
        return fits[topic](value)

    def write(topic: str, value: object) -> bytes | None:
        if value is None:
            return None
        try:
            written: bytes = serializer(fit(topic, value), field(topic))
        except library.of_content as error:
            raise TaskFailed(f"Avro: {str(error) or type(error).__name__}") from None
        except library.of_registry as error:
            raise _failure(error, given) from None
        return written

    return write


@contextlib.contextmanager
def _usable(library: _Libraries) -> Iterator[None]:
    """What is wrong with a schema that a flow gives is a TaskFailed."""
    try:
        yield
    except library.of_content as error:
        raise TaskFailed(f"The schema cannot be used: {str(error) or type(error).__name__}.") from None


def _registered(client: Any, given: Mapping[str, str], subject: str) -> str:
    """The text of the schema that is to be used: the one of an id, or the newest of a subject."""
    if "use.schema.id" in given:
        found: str = client.get_schema(int(given["use.schema.id"])).schema_str
        return found
    newest: str = client.get_latest_version(subject).schema.schema_str
    return newest


def _avro_reader(registry: Registry, text: str, *, key: bool) -> Read:
    library = _libraries()
    given = _words(registry.properties)
    client = registry.held.enter_context(_client(library.registry, given))
    with _usable(library):
        deserializer = library.avro.AvroDeserializer(client, text or None)
    field = _field(key=key)

    def read(topic: str, content: bytes | None) -> object:
        if content is None:
            return None
        try:
            return plain(deserializer(content, field(topic)))
        except library.of_content as error:
            raise UnreadableMessage(f"Avro: {str(error) or type(error).__name__}") from None
        except library.of_registry as error:
            raise _failure(error, given) from None

    return read


def _failure(error: Exception, given: Mapping[str, str]) -> TaskFailed:
    """What a task says of a registry that refuses, or is not there."""
    where = f"The registry of schemas at {given['url']}"
    refused = getattr(error, "error_message", None)
    if refused is None:
        return NoAnswer(f"{where} does not answer: {str(error) or type(error).__name__}.")
    return TaskFailed(f"{where} refuses it ({getattr(error, 'http_status_code', '?')}): {without_class(str(refused))}")


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


def _libraries() -> _Libraries:
    """They; MissingExtra when they are not installed."""
    try:
        from confluent_kafka import schema_registry
        from confluent_kafka.schema_registry import avro
        from confluent_kafka.schema_registry.error import SchemaRegistryError
        from confluent_kafka.serialization import SerializationError
        from fastavro.read import SchemaResolutionError
        from fastavro.schema import SchemaParseException
    except ImportError:
        raise MissingExtra(
            "Avro in Kafka needs the package confluent-kafka with its registry's client.",
            hint="Install it with `pip install 'penstock[kafka]'`.",
        ) from None
    of_schema = (SchemaParseException, SchemaResolutionError)
    of_content = (SerializationError, *of_schema, ValueError, TypeError, LookupError, EOFError)
    return _Libraries(schema_registry, avro, of_content, (SchemaRegistryError, *_of_http()))


def _of_http() -> Iterator[type[Exception]]:
    """What the registry's client raises when it cannot speak to the registry: its versions use one of two libraries."""
    for name in ("httpx2", "httpx"):
        with contextlib.suppress(ImportError):
            yield importlib.import_module(name).HTTPError
