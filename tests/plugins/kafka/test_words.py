"""Are Kafka's properties, keys and values told to our client as Java's has them? Without a broker."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from confluent_kafka import Consumer, Producer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID

from penstock.errors.task import NotOffered
from penstock.plugins.kafka.options import certificates, translated, unpacked
from penstock.plugins.kafka.produce import headers_of
from penstock.plugins.kafka.registry import cause
from penstock.plugins.kafka.serdes import Registry, SerdeType, reader, writer
from penstock.sdk.context import About, Context
from penstock.sdk.local import LocalContext
from penstock.sdk.task import TaskFailed

NONE = Registry({}, ExitStack())
BROKEN = "org.postgresql.util.PSQLException: FATAL: terminating connection"


class Deaf:
    """A way to a worker that nobody takes."""

    def send(self, frame: dict[str, object]) -> None:
        """Nobody hears it."""

    def ask(self, what: str, body: dict[str, object]) -> object:
        """Nobody answers."""
        raise AssertionError(what)


@pytest.fixture
def context(local: LocalContext) -> Context:
    return Context(About(workdir=str(local.folder)), Deaf())


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        (SerdeType.STRING, "é", "é".encode()),
        (SerdeType.STRING, {"a": 1}, b'{"a":1}'),
        (SerdeType.JSON, {"a": [1, None]}, b'{"a":[1,null]}'),
        (SerdeType.INTEGER, -2, b"\xff\xff\xff\xfe"),
        (SerdeType.INTEGER, "7", b"\x00\x00\x00\x07"),
        (SerdeType.LONG, 2**40, b"\x00\x00\x01\x00\x00\x00\x00\x00"),
        (SerdeType.SHORT, 258, b"\x01\x02"),
        (SerdeType.FLOAT, 1.5, b"\x3f\xc0\x00\x00"),
        (SerdeType.DOUBLE, 1.5, b"\x3f\xf8\x00\x00\x00\x00\x00\x00"),
        (SerdeType.BYTES, "AP8=", b"\x00\xff"),
        (SerdeType.BYTE_ARRAY, "AP8=", b"\x00\xff"),
        (SerdeType.BYTE_BUFFER, "AP8=", b"\x00\xff"),
        (SerdeType.UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", b"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (SerdeType.VOID, "anything", None),
        (SerdeType.JSON, None, None),
    ],
)
def test_values_are_written_as_java_writes_them(kind: SerdeType, value: object, written: bytes | None) -> None:
    assert writer(kind, "", NONE, key=False)("t", value) == written


@pytest.mark.parametrize("kind", [kind for kind in SerdeType if kind not in (SerdeType.AVRO, SerdeType.VOID)])
def test_what_is_written_is_read(kind: SerdeType) -> None:
    values = {
        "STRING": "é",
        "JSON": [1, {"a": None}],
        "UUID": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "FLOAT": 1.5,
        "DOUBLE": -2.25,
    }
    value = values.get(kind.value, "AP8=" if kind.value.startswith("BYTE") else 258)

    assert reader(kind, NONE, "", key=True)("t", writer(kind, "", NONE, key=True)("t", value)) == value
    assert reader(kind, NONE, "", key=True)("t", None) is None


@pytest.mark.parametrize(
    ("kind", "value"), [("INTEGER", "x"), ("INTEGER", 2**40), ("SHORT", 1.5), ("BYTES", "?"), ("UUID", "1")]
)
def test_what_cannot_be_written_is_told(kind: str, value: object) -> None:
    with pytest.raises(TaskFailed, match=f"cannot be written as {kind}|base64"):
        writer(SerdeType(kind), "", NONE, key=False)("t", value)


@pytest.mark.parametrize(("kind", "content"), [("LONG", b"1"), ("JSON", b"{"), ("UUID", b"x")])
def test_what_cannot_be_read_is_told(kind: str, content: bytes) -> None:
    with pytest.raises(TaskFailed, match=f"not written as {kind}"):
        reader(SerdeType(kind), NONE, "", key=False)("t", content)


def test_a_topic_is_needed_to_send_on_what_cannot_be_read(local: LocalContext) -> None:
    given = {"properties": {"bootstrap.servers": "127.0.0.1:1"}, "topic": "orders", "valueDeserializer": "JSON"}

    told = local.run("kafka.consume", {**given, "onSerdeError": {"type": "DLQ"}})

    assert told.failure is not None
    assert "needs a topic" in str(told.failure["message"])


def test_avro_needs_a_registry_and_a_schema() -> None:
    with pytest.raises(TaskFailed, match=r"schema\.registry\.url"):
        reader(SerdeType.AVRO, NONE, "", key=False)
    with pytest.raises(TaskFailed, match="valueAvroSchema"):
        writer(SerdeType.AVRO, "", Registry({"schema.registry.url": "http://127.0.0.1:1"}, ExitStack()), key=False)


@pytest.mark.parametrize("make", [Producer, Consumer])
def test_the_client_takes_what_java_s_would(context: Context, make: Callable[[dict[str, str]], object]) -> None:
    given = {
        "bootstrap.servers": "127.0.0.1:1",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.jaas.config": "o.a.k.PlainLoginModule required username=\"me\" password='s;e cret';",
        "ssl.endpoint.identification.algorithm": "",
        "key.serializer": "org.apache.kafka.common.serialization.StringSerializer",
        "fetch.max.wait.ms": "100",
        "max.poll.records": "10",
    }

    told = translated(given, context)

    assert (told["sasl.username"], told["sasl.password"]) == ("me", "s;e cret")
    assert told["ssl.endpoint.identification.algorithm"] == "none"
    assert told["fetch.wait.max.ms"] == "100"
    assert "key.serializer" not in told and "max.poll.records" not in told
    make({**told, "group.id": "g"} if make is Consumer else {**told, "log_level": "0"})


def test_a_trust_store_gives_its_certificates(context: Context) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    locked = BestAvailableEncryption(b"open it")
    trusted = [pkcs12.PKCS12Certificate(made.sign(key, hashes.SHA256()), b"authority")]
    store = pkcs12.serialize_java_truststore(trusted, locked)
    text = base64.encodebytes(store).decode()

    told = translated({"ssl.truststore.location": text, "ssl.truststore.password": "open it"}, context)

    assert "BEGIN CERTIFICATE" in told["ssl.ca.pem"]
    with pytest.raises(TaskFailed, match="password is wrong"):
        certificates(unpacked(text, context.workdir / "x.p12"), "no")
    with pytest.raises(TaskFailed, match="neither a file nor base64"):
        unpacked("?", context.workdir / "y.p12")
    with pytest.raises(NotOffered):
        translated({"ssl.keystore.location": text, "ssl.keystore.type": "JKS"}, context)


def test_headers_are_a_map_or_a_list_of_them() -> None:
    assert headers_of({"a": 1}) == [("a", b"1")]
    assert headers_of([{"a": "x"}, {"a": "y"}]) == [("a", b"x"), ("a", b"y")]
    assert headers_of(None) == []
    with pytest.raises(TaskFailed):
        headers_of("x")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("io.apicurio.registry.rules.violation.RuleViolationException: Incompatible", "Incompatible"),
        (BROKEN, BROKEN),
    ],
)
def test_a_registry_calls_its_database_by_name_and_its_own_errors_by_what_they_say(told: str, said: str) -> None:
    assert cause(json.dumps({"error_code": 500, "message": told})) == said
    assert cause(told) == told
