"""How does a flow reach Kafka? By the properties that Java's client knows, told to ours in its own words."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from penstock.errors.task import MissingExtra, NotOffered
from penstock.sdk.context import Context, Level
from penstock.sdk.task import Mode, TaskFailed, TaskType

BROKER: Final = {"bootstrap.servers": "localhost:9092"}
RENAMED: Final = {
    "ssl.truststore.certificates": "ssl.ca.pem",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
    "max.request.size": "message.max.bytes",
    "fetch.max.wait.ms": "fetch.wait.max.ms",
}
# What only steers Java's own client: its classes, its buffers, how it polls.
JAVA: Final = frozenset(
    {
        "key.serializer",
        "value.serializer",
        "key.deserializer",
        "value.deserializer",
        "buffer.memory",
        "max.block.ms",
        "max.poll.records",
        "interceptor.classes",
        "metric.reporters",
        "partition.assignment.strategy",
        "ssl.keystore.type",
        "ssl.truststore.type",
        "ssl.truststore.password",
        "sasl.jaas.config",
        "ssl.protocol",
        "ssl.enabled.protocols",
        "default.api.timeout.ms",
        "request.timeout.ms",
        "receive.buffer.bytes",
        "send.buffer.bytes",
        "schema.registry.url",
    }
)
LOGIN: Final = re.compile(r"""(username|password)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;]+))""")
SECONDS: Final = 30.0
# What only a consumer or a producer is told.
OF_CONSUMER: Final = frozenset({"auto.offset.reset", "enable.auto.commit", "group.id", "isolation.level"})
LONGEST: Final = 1024


class KafkaTask(TaskType, frozen=True, kw_only=True):
    """What every task of Kafka declares."""

    mode: ClassVar[Mode] = Mode.WARM

    properties: Annotated[
        dict[str, str], Meta(description="Properties of the connection, by Kafka's names.", examples=[BROKER])
    ]
    serde_properties: Annotated[
        dict[str, str],
        Meta(
            description="Properties of the registry of schemas.",
            examples=[{"schema.registry.url": "http://localhost:8081"}],
        ),
    ] = field(default_factory=dict)

    def libraries(self) -> tuple[str, ...]:
        """confluent-kafka."""
        return ("confluent_kafka",)

    @property
    def place(self) -> str:
        """Where the topics are, as lineage says it."""
        first = self.properties.get("bootstrap.servers", "").partition(",")[0].strip()
        return f"kafka://{first.rpartition('//')[2]}"

    def told(self, context: Context) -> dict[str, object]:
        """The properties in the client's words; errors and warnings of it go to the attempt's log."""
        if not self.properties.get("bootstrap.servers"):
            raise TaskFailed("properties needs bootstrap.servers.")
        wanted: dict[str, object] = dict(translated(self.properties, context))
        wanted["error_cb"] = lambda error: context.log(str(error), Level.WARN)
        wanted["log_level"] = 0
        return wanted


def translated(properties: Mapping[str, str], context: Context) -> dict[str, str]:
    """What Java's client is told, in the words of librdkafka; what it has no word for is left out."""
    found: dict[str, str] = {}
    for name, value in properties.items():
        match name:
            case "ssl.keystore.location":
                if properties.get("ssl.keystore.type", "PKCS12").upper() != "PKCS12":
                    raise NotOffered("A key store must be PKCS #12.", hint="Turn it with `keytool -importkeystore`.")
                found[name] = str(unpacked(value, context.workdir / "keystore.p12"))
            case "ssl.truststore.location":
                path = unpacked(value, context.workdir / "truststore.p12")
                found["ssl.ca.pem"] = certificates(path, properties.get("ssl.truststore.password", ""))
            case "ssl.endpoint.identification.algorithm":
                found[name] = value or "none"
            case _ if name not in JAVA:
                found[RENAMED.get(name, name)] = value
    if "sasl.jaas.config" in properties:
        said = {
            match[1]: match[2] or match[3] or match[4] or "" for match in LOGIN.finditer(properties["sasl.jaas.config"])
        }
        found.update({f"sasl.{name}": value for name, value in said.items()})
    return found


def unpacked(content: str, path: Path) -> Path:
    """A store that is given in base64, as a file; a path stays one."""
    if content.startswith("/") and len(content) < LONGEST and Path(content).is_file():
        return Path(content)
    try:
        path.write_bytes(base64.b64decode("".join(content.split()), validate=True))
    except (binascii.Error, ValueError):
        raise TaskFailed(f"The {path.stem} is neither a file nor base64.") from None
    path.chmod(0o600)
    return path


def certificates(path: Path, password: str) -> str:
    """The certificates of a PKCS #12 trust store in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

    try:
        store = pkcs12.load_pkcs12(path.read_bytes(), password.encode() or None)
    except ValueError:
        raise TaskFailed("The trust store is no PKCS #12, or its password is wrong.") from None
    held = [store.cert, *store.additional_certs]
    return "".join(each.certificate.public_bytes(Encoding.PEM).decode() for each in held if each is not None)


def guarded(work: Callable[[], Any]) -> Any:
    """Do what may fail at the broker or in the client; that is a TaskFailed."""
    kafka = library()
    try:
        return work()
    except kafka.KafkaException as error:
        problem = error.args[0] if error.args else error
        raise TaskFailed(f"Kafka: {problem.str() if hasattr(problem, 'str') else problem}") from error


def library() -> Any:
    """The library; MissingExtra when it is not installed."""
    try:
        import confluent_kafka
    except ImportError:
        raise MissingExtra(
            "Kafka needs the package confluent-kafka.", hint="Install it with `pip install 'penstock[kafka]'`."
        ) from None
    return confluent_kafka


def admin(asked: Mapping[str, object]) -> Any:
    """Who manages topics and groups; keep it while its answers are awaited."""
    library()
    from confluent_kafka.admin import AdminClient

    told: dict[str, Any] = {name: value for name, value in asked.items() if name not in OF_CONSUMER}
    return AdminClient(told)


def topics(asked: Mapping[str, object]) -> list[str]:
    """The names of all topics."""
    return sorted(guarded(lambda: admin(asked).list_topics(timeout=SECONDS)).topics)


def ends(asked: Mapping[str, object], names: list[str]) -> dict[str, dict[int, tuple[int, int]]]:
    """Of each partition of topics the first offset and the one behind the last; raises TaskFailed for unknown ones."""
    kafka = library()
    found: dict[str, dict[int, tuple[int, int]]] = {}
    consumer = kafka.Consumer({**asked, "group.id": "penstock-looks", "enable.auto.commit": "false"})
    with contextlib.closing(consumer):
        for name in names:
            about = consumer.list_topics(name, timeout=SECONDS).topics[name]
            if about.error is not None:
                raise TaskFailed(f'There is no topic "{name}": {about.error.str()}')
            found[name] = {
                number: consumer.get_watermark_offsets(kafka.TopicPartition(name, number), timeout=SECONDS)
                for number in about.partitions
            }
    return found
