"""How does a flow reach a broker by AMQP 0-9-1, as RabbitMQ speaks it, and make exchanges and queues there?"""

from __future__ import annotations

import contextlib
import enum
import logging
import ssl as tls
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta, field

from penstock.errors.task import BadAddress, MissingExtra
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Secret

URL: Final = "amqp://guest:guest@localhost:5672/"
PATIENCE: Final = 30
Arguments = Annotated[dict[str, object], Meta(description="Further arguments, as the broker names them.")]
Durability = Annotated[bool, Meta(description="Whether it outlives a restart of the broker.")]
AutoDelete = Annotated[bool, Meta(description="Whether it goes when nobody uses it any more.")]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Which broker, and as whom."""

    host: str
    port: int
    username: str
    password: str
    virtual_host: str
    secure: bool


class AmqpTask(TaskType, frozen=True, kw_only=True):
    """What every task of AMQP declares."""

    mode: ClassVar[Mode] = Mode.WARM

    url: Annotated[
        str,
        Meta(
            description="Address of the broker, instead of host and the rest; its path names the virtual host.",
            examples=[URL],
        ),
    ] = ""
    host: Annotated[str, Meta(description="The broker.", examples=["localhost"])] = ""
    port: Annotated[int | None, Meta(description="Its port; 5672, with TLS 5671.")] = None
    username: Annotated[str, Meta(description="Who asks.")] = "guest"
    password: Annotated[Secret, Meta(description="The password.")] = Secret("guest")
    virtual_host: Annotated[str, Meta(description="The virtual host.")] = "/"
    ssl: Annotated[bool, Meta(description="Whether the broker is reached through TLS, as by `amqps://`.")] = False
    ssl_ca_certificate: Annotated[str, Meta(description="Certificate that vouches for the broker, PEM.")] = ""

    def libraries(self) -> tuple[str, ...]:
        """pika."""
        return ("pika",)

    @contextlib.contextmanager
    def channel(self, context: Context) -> Iterator[Any]:
        """A channel for the length of the block; what goes wrong is a TaskFailed."""
        pika = library()
        place = self.place()
        about = context.about
        parameters = pika.ConnectionParameters(
            host=place.host,
            port=place.port,
            virtual_host=place.virtual_host,
            credentials=pika.PlainCredentials(place.username, place.password),
            ssl_options=pika.SSLOptions(self._certificates(), place.host) if place.secure else None,
            socket_timeout=PATIENCE,
            blocked_connection_timeout=PATIENCE * 10,
            client_properties={"connection_name": f"penstock {about.flow}/{about.step}"},
        )
        where = f"{place.host}:{place.port}"
        try:
            with contextlib.closing(pika.BlockingConnection(parameters)) as connection:
                yield connection.channel()
        except pika.exceptions.ProbableAuthenticationError:
            raise TaskFailed(f"{where} does not let {place.username} in.") from None
        except (pika.exceptions.AMQPError, OSError) as error:
            raise TaskFailed(f"{where}: {said(error)}.") from error

    def place(self) -> Place:
        """Which broker, of an address or of its parts."""
        if bool(self.url) == bool(self.host):
            raise TaskFailed("Exactly one of url and host must be given.")
        if not self.url:
            return Place(
                host=self.host,
                port=self.port or (5671 if self.ssl else 5672),
                username=self.username,
                password=str(self.password),
                virtual_host=self.virtual_host,
                secure=self.ssl,
            )
        try:
            found = urlsplit(self.url)
            host, port = found.hostname, found.port
        except ValueError:  # which may quote what stands where a port should: a piece of the password
            host = None
        if not host or found.scheme not in ("amqp", "amqps"):
            raise BadAddress("The address of the broker cannot be used.", hint=f"It looks like {URL}.") from None
        secure = self.ssl or found.scheme == "amqps"
        # `/%2Fname` is the standard's way to write a virtual host that begins with a slash.
        path = found.path.removeprefix("/") if found.path.lower().startswith("/%2f") else found.path
        return Place(
            host=host,
            port=port or self.port or (5671 if secure else 5672),
            username=unquote(found.username) if found.username else self.username,
            password=unquote(found.password) if found.password else str(self.password),
            virtual_host=unquote(path) or self.virtual_host,
            secure=secure,
        )

    def _certificates(self) -> tls.SSLContext:
        try:
            return tls.create_default_context(cadata=self.ssl_ca_certificate or None)
        except tls.SSLError as error:
            raise TaskFailed(f"sslCaCertificate is no certificate: {error}.") from None


class ExchangeType(enum.StrEnum):
    """How an exchange finds the queues of a message."""

    DIRECT = "DIRECT"
    FANOUT = "FANOUT"
    TOPIC = "TOPIC"
    HEADERS = "HEADERS"


class DeclareExchange(AmqpTask, frozen=True, kw_only=True):
    """Make an exchange; one that is there as described is no failure."""

    type_name: ClassVar[str] = "amqp.declare_exchange"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.amqp.DeclareExchange",
        "io.kestra.plugin.amqp.CreateExchange",
    )
    outputs: ClassVar[dict[str, str]] = {"exchange": "Its name."}
    example: ClassVar[dict[str, object]] = {"url": URL, "name": "orders", "exchangeType": "TOPIC"}

    name: Annotated[str, Meta(description="The exchange.")]
    exchange_type: Annotated[ExchangeType, Meta(description="How it finds queues.")] = ExchangeType.DIRECT
    durability: Durability = True
    auto_delete: AutoDelete = False
    internal: Annotated[bool, Meta(description="Whether only other exchanges may send to it.")] = False
    args: Arguments = field(default_factory=dict)

    def run(self, context: Context) -> dict[str, object]:
        """Make it."""
        with self.channel(context) as channel:
            channel.exchange_declare(
                self.name,
                self.exchange_type.value.lower(),
                durable=self.durability,
                auto_delete=self.auto_delete,
                internal=self.internal,
                arguments=self.args,
            )
        return {"exchange": self.name}


class CreateQueue(AmqpTask, frozen=True, kw_only=True):
    """Make a queue; one that is there as described is no failure."""

    type_name: ClassVar[str] = "amqp.create_queue"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.amqp.CreateQueue",)
    outputs: ClassVar[dict[str, str]] = {"queue": "Its name."}
    example: ClassVar[dict[str, object]] = {"url": URL, "name": "orders", "args": {"x-max-length": 100_000}}

    name: Annotated[str, Meta(description="The queue.")]
    durability: Durability = True
    exclusive: Annotated[bool, Meta(description="Whether it is for this connection alone, and ends with it.")] = False
    auto_delete: AutoDelete = False
    args: Arguments = field(default_factory=dict)

    def run(self, context: Context) -> dict[str, object]:
        """Make it."""
        with self.channel(context) as channel:
            channel.queue_declare(
                self.name,
                durable=self.durability,
                exclusive=self.exclusive,
                auto_delete=self.auto_delete,
                arguments=self.args,
            )
        return {"queue": self.name}


class QueueBind(AmqpTask, frozen=True, kw_only=True):
    """Let messages of an exchange come into a queue."""

    type_name: ClassVar[str] = "amqp.bind_queue"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.amqp.QueueBind",)
    outputs: ClassVar[dict[str, str]] = {"queue": "The queue.", "exchange": "The exchange."}
    example: ClassVar[dict[str, object]] = {"url": URL, "exchange": "orders", "queue": "east", "routingKey": "east.#"}

    exchange: Annotated[str, Meta(description="The exchange.")]
    queue: Annotated[str, Meta(description="The queue.")]
    routing_key: Annotated[str, Meta(description="Which messages, by their routing keys.")] = ""
    args: Arguments = field(default_factory=dict)

    def run(self, context: Context) -> dict[str, object]:
        """Bind it."""
        with self.channel(context) as channel:
            channel.queue_bind(self.queue, self.exchange, self.routing_key, self.args)
        return {"queue": self.queue, "exchange": self.exchange}


def said(error: BaseException) -> str:
    """What a broker says of an error, or what went wrong on the way; the library puts one error into another."""
    if text := str(getattr(error, "reply_text", "") or ""):
        return text.rstrip(".")
    inner = next(
        (each for each in (getattr(error, "exception", None), *error.args) if isinstance(each, BaseException)), None
    )
    return said(inner) if inner is not None else (str(error) or type(error).__name__).rstrip(".")


def library() -> Any:
    """The library; MissingExtra when it is not installed."""
    try:
        import pika
        import pika.exceptions

        # It writes what it raises to a log as well, each time on every one of its floors.
        logging.getLogger("pika").setLevel(logging.CRITICAL)
    except ImportError:
        raise MissingExtra(
            "AMQP needs the package pika.", hint="Install it with `pip install 'penstock[amqp]'`."
        ) from None
    return pika
