"""How does a flow publish messages by MQTT, and take those that arrive?"""

from __future__ import annotations

import contextlib
import enum
import queue
import ssl
import threading
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import unquote, urlsplit

from msgspec import Meta, field

from penstock.errors.task import BadAddress, MissingExtra
from penstock.plugins.messages.payload import SPAN, ByteSerde, MaxDuration, MaxRecords, Until, decode, encode, given
from penstock.plugins.serdes.records import Writer
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Duration, Secret

SERVER: Final = "tcp://localhost:1883"
PATIENCE: Final = 30.0
TOGETHER: Final = 1000
# How long (seconds) a broker keeps a session that nobody is connected to.
KEPT: Final = 86_400
PORTS: Final = {"tcp": 1883, "mqtt": 1883, "ssl": 8883, "tls": 8883, "mqtts": 8883, "ws": 80, "wss": 443}
SECURE: Final = ("ssl", "tls", "mqtts", "wss")


class Version(enum.StrEnum):
    """Which MQTT is spoken."""

    V3 = "V3"
    V5 = "V5"


class MqttTask(TaskType, frozen=True, kw_only=True):
    """What every task of MQTT declares."""

    mode: ClassVar[Mode] = Mode.WARM

    server: Annotated[
        str, Meta(description="Address of the broker: tcp://, ssl://, ws:// or wss://.", examples=[SERVER])
    ]
    client_id: Annotated[str, Meta(description="Who we are to the broker; a new name each time unless given.")] = ""
    version: Annotated[Version, Meta(description="Which MQTT is spoken.")] = Version.V5
    username: Annotated[str, Meta(description="Who asks.")] = ""
    password: Annotated[Secret, Meta(description="The password.")] = Secret("")
    connection_timeout: Annotated[
        Duration | None, Meta(description="How long to wait for the broker; PT30S.", extra=SPAN)
    ] = None
    https_hostname_verification_enabled: Annotated[
        bool, Meta(description="Whether the certificate must be for the broker's name.")
    ] = True
    crt: Annotated[str, Meta(description="Path, on the worker, of the certificate that vouches for the broker.")] = ""
    auth_method: Annotated[str, Meta(description="Name of an exchange of proofs beyond a password; V5.")] = ""
    qos: Annotated[int, Meta(description="0: at most once, 1: at least once, 2: exactly once.", ge=0, le=2)] = 1

    def libraries(self) -> tuple[str, ...]:
        """paho-mqtt."""
        return ("paho.mqtt.client",)

    @contextlib.contextmanager
    def connected(self, session: str = "") -> Iterator[Line]:
        """A connection for the length of the block; what goes wrong is a TaskFailed.

        A `session` is kept by the broker between connections, with what has come meanwhile; messages that are read in
        it stay there until they are acknowledged.
        """
        paho = library()
        try:
            place = urlsplit(self.server)
            host, port = place.hostname, place.port or PORTS[place.scheme]
        except (ValueError, KeyError):
            host = None
        if not host:  # the address itself is not told: a password may be in it
            raise BadAddress("The address of the broker cannot be used.", hint=f"It looks like {SERVER}.") from None
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=self.client_id or session or None,
            clean_session=not session if self.version is Version.V3 else None,
            manual_ack=bool(session),
            transport="websockets" if place.scheme in ("ws", "wss") else "tcp",
            protocol=paho.MQTTv5 if self.version is Version.V5 else paho.MQTTv311,
            reconnect_on_failure=False,
        )
        patience = self.connection_timeout.seconds if self.connection_timeout else PATIENCE
        client.connect_timeout = patience
        if place.scheme in SECURE:
            client.tls_set_context(self._certificates())
        if username := self.username or unquote(place.username or ""):
            client.username_pw_set(username, str(self.password) or unquote(place.password or ""))
        if place.path:
            client.ws_set_options(path=place.path)
        line = Line(client, patience)
        try:
            anew = not session or self.version is Version.V3  # which said so already
            start = paho.MQTT_CLEAN_START_FIRST_ONLY if anew else False
            client.connect(host, port, clean_start=start, properties=self._properties(session))
            client.loop_start()
            line.opened()
            yield line
        except (OSError, ValueError, RuntimeError, paho.WebsocketConnectionError) as error:
            raise TaskFailed(f"{host}:{port}: {error or type(error).__name__}.") from error
        finally:
            client.disconnect()
            client.loop_stop()

    def _certificates(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.crt or None)
        except OSError as error:
            raise TaskFailed(f'The certificate "{self.crt}" cannot be read: {error}.') from None
        context.check_hostname = self.https_hostname_verification_enabled
        return context

    def _properties(self, session: str) -> Any:
        if self.version is Version.V3 or not (self.auth_method or session):
            return None
        paho = library()
        properties = paho.Properties(paho.PacketTypes.CONNECT)
        if self.auth_method:
            properties.AuthenticationMethod = self.auth_method
        if session:
            properties.SessionExpiryInterval = KEPT
        return properties


class Line:
    """One connection to a broker: what its thread hears comes into queues. Open for a block."""

    def __init__(self, client: Any, patience: float) -> None:
        self.client = client
        self.messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._patience = patience
        self.lost = threading.Event()
        client.on_connect = lambda client, data, flags, reason, properties: self._answers.put([reason])
        client.on_subscribe = lambda client, data, number, reasons, properties: self._answers.put(reasons)
        client.on_message = lambda client, data, message: self.messages.put(message)
        client.on_disconnect = lambda *given: self.lost.set()

    def opened(self) -> None:
        """Wait until the broker has let us in."""
        self._agreed("The broker does not let us in")

    def subscribe(self, topics: list[str], qos: int) -> None:
        """Ask for topics, and wait until the broker agrees."""
        self.client.subscribe([(topic, qos) for topic in topics])
        self._agreed("The broker refuses a topic")

    def take(self, patience: float) -> Any:
        """The next message; nothing where none comes in so many seconds."""
        try:
            return self.messages.get(timeout=patience)
        except queue.Empty:
            if self.lost.is_set():
                raise TaskFailed("The connection to the broker is lost.") from None
            return None

    def _agreed(self, otherwise: str) -> None:
        try:
            reasons = self._answers.get(timeout=self._patience)
        except queue.Empty:
            raise TaskFailed(f"The broker has not answered within {self._patience:.0f} s.") from None
        for reason in reasons:
            if reason.is_failure:
                raise TaskFailed(f"{otherwise}: {reason}.")


class Publish(MqttTask, frozen=True, kw_only=True):
    """Publish messages on a topic; done when the broker has them all."""

    type_name: ClassVar[str] = "mqtt.publish"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.mqtt.Publish",)
    outputs: ClassVar[dict[str, str]] = {"messagesCount": "How many were published."}
    example: ClassVar[dict[str, object]] = {
        "server": SERVER,
        "topic": "sensors/cpu",
        "serdeType": "JSON",
        "from": {"type": "sensor", "value": 1.23},
    }

    topic: Annotated[str, Meta(description="The topic.")]
    from_: Annotated[
        object, Meta(description="What to publish: a value, a list of them, or a stored file's address.")
    ] = field(name="from")
    serde_type: Annotated[ByteSerde, Meta(description="How values are written.")] = ByteSerde.JSON
    retain: Annotated[
        bool, Meta(description="Whether the broker keeps the last one for those who come later; null removes it.")
    ] = False

    def run(self, context: Context) -> dict[str, object]:
        """Publish them."""
        count = 0
        with self.connected() as line:
            under_way: list[Any] = []
            for value in given(self.from_, context):
                content = encode(value, self.serde_type)
                under_way.append(line.client.publish(self.topic, content, qos=self.qos, retain=self.retain))
                count += 1
                if len(under_way) == TOGETHER:
                    self._arrived(under_way)
                    context.progress(count, unit="messages")
            self._arrived(under_way)
        context.metric("records", count, tags={"topic": self.topic})
        return {"messagesCount": count}

    @staticmethod
    def _arrived(under_way: list[Any]) -> None:
        for each in under_way:
            each.wait_for_publish(PATIENCE)
            if not each.is_published():
                raise TaskFailed(f"The broker has not taken a message within {PATIENCE:.0f} s.")
        under_way.clear()


class Subscribe(MqttTask, frozen=True, kw_only=True):
    """Take the messages that arrive on topics, into a stored file."""

    type_name: ClassVar[str] = "mqtt.subscribe"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.mqtt.Subscribe",)
    outputs: ClassVar[dict[str, str]] = {
        "messagesCount": "How many arrived.",
        "uri": "Address of the file; of each: id, topic, qos, retain, properties, payload.",
    }
    example: ClassVar[dict[str, object]] = {
        "server": SERVER,
        "topic": ["sensors/cpu", "sensors/memory"],
        "maxRecords": 10,
        "maxDuration": "PT1M",
    }

    topic: Annotated[
        str | list[str], Meta(description="The topic, or several; `+` stands for one part, `#` for all that follow.")
    ]
    serde_type: Annotated[ByteSerde, Meta(description="How values are written.")] = ByteSerde.JSON
    max_records: MaxRecords = None
    max_duration: MaxDuration = None

    def run(self, context: Context) -> dict[str, object]:
        """Take them."""
        until = Until(self.max_records, self.max_duration)
        counts: dict[str, int] = {}
        with self.connected() as line, Writer(context) as writer:
            line.subscribe([self.topic] if isinstance(self.topic, str) else self.topic, self.qos)
            while not until.over:
                message = line.take(until.wait())
                if message is None:
                    continue
                writer.write(told(message, self.serde_type))
                until.count += 1
                counts[message.topic] = counts.get(message.topic, 0) + 1
            uri = writer.done()["uri"]
        for topic, count in counts.items():
            context.metric("records", count, tags={"topic": topic})
        return {"messagesCount": until.count, "uri": uri}


def told(message: Any, serde: ByteSerde) -> dict[str, object]:
    """A message as a record."""
    properties = getattr(message, "properties", None)
    return {
        "id": message.mid,
        "topic": message.topic,
        "qos": message.qos,
        "retain": bool(message.retain),
        "properties": dict(getattr(properties, "UserProperty", ())),
        "payload": decode(message.payload, serde),
    }


def library() -> Any:
    """The library; MissingExtra when it is not installed."""
    try:
        import paho.mqtt.client
    except ImportError:
        raise MissingExtra(
            "MQTT needs the package paho-mqtt.", hint="Install it with `pip install 'penstock[mqtt]'`."
        ) from None
    return paho.mqtt.client
