"""How does a flow reach Kafka? By the properties that Java's client knows, told to ours in its own words."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from penstock.errors.task import NotOffered
from penstock.plugins.kafka.broker import Broker
from penstock.plugins.messages.payload import SPAN
from penstock.sdk.context import Context, Level
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Duration

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
LONGEST: Final = 1024
NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


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
    patience: Annotated[
        Duration, Meta(description="How long Kafka may be away, while it is started again for instance.", extra=SPAN)
    ] = Duration(30_000_000)

    def libraries(self) -> tuple[str, ...]:
        """confluent-kafka."""
        return ("confluent_kafka",)

    @property
    def place(self) -> str:
        """Where the topics are, as lineage says it."""
        first = self.properties.get("bootstrap.servers", "").partition(",")[0].strip()
        return f"kafka://{first.rpartition('//')[2]}"

    def broker(self, context: Context, more: Mapping[str, object] = NOTHING) -> Broker:
        """The broker, with more that its clients are told unless the flow says it; their errors and warnings go to the
        attempt's log.
        """
        if not self.properties.get("bootstrap.servers"):
            raise TaskFailed("properties needs bootstrap.servers.")
        said: list[str] = []

        def hear(error: Any) -> None:
            said.append(error.str())
            context.log(str(error), Level.WARN)

        asked = {**more, **translated(self.properties, context), "error_cb": hear, "log_level": 0}
        return Broker(asked=asked, patience=self.patience.seconds, said=said)


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
