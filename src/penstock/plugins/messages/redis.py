"""How does a flow read, set and delete keys of Redis?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from penstock.errors.task import MissingExtra
from penstock.plugins.messages.payload import SPAN, Serde, decode, encode, epoch_millis
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Duration

URL: Final = "redis://:password@localhost:6379/0"


class RedisTask(TaskType, frozen=True, kw_only=True):
    """What every task of Redis declares."""

    mode: ClassVar[Mode] = Mode.WARM

    url: Annotated[
        str, Meta(description="Address of the server; `rediss://` for TLS, `unix://` for a socket.", examples=[URL])
    ]

    def libraries(self) -> tuple[str, ...]:
        """redis."""
        return ("redis",)

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        """A client for the length of the block; what goes wrong is a TaskFailed."""
        found = library()
        try:
            opened = found.Redis.from_url(self.url)
        except ValueError:  # which may quote what stands where a port should: a piece of the password
            raise TaskFailed(f"The address of Redis cannot be used. It looks like {URL}.") from None
        try:
            with contextlib.closing(opened) as client:
                yield client
        except found.RedisError as error:
            raise TaskFailed(f"Redis: {error}") from error


class Get(RedisTask, frozen=True, kw_only=True):
    """Get what a key holds."""

    type_name: ClassVar[str] = "redis.get"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.redis.string.Get", "io.kestra.plugin.redis.Get")
    outputs: ClassVar[dict[str, str]] = {"data": "What it holds; nothing when it is not there.", "key": "The key."}
    example: ClassVar[dict[str, object]] = {"url": URL, "key": "cursor"}

    key: Annotated[str, Meta(description="The key.")]
    serde_type: Annotated[Serde, Meta(description="How its value is written.")] = Serde.STRING
    failed_on_missing: Annotated[bool, Meta(description="Whether a key that is not there is a failure.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Get it."""
        with self.client() as client:
            content = client.get(self.key)
        if content is None and self.failed_on_missing:
            raise TaskFailed(f'There is no key "{self.key}".')
        return {"data": None if content is None else decode(content, self.serde_type), "key": self.key}


class Expiry(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """When a key is gone."""

    expiration_duration: Annotated[
        Duration | None, Meta(description="How long it lasts.", examples=["PT1H"], extra=SPAN)
    ] = None
    expiration_date: Annotated[str, Meta(description="When it ends.", examples=["2030-01-02T00:00:00Z"])] = ""

    def asked(self) -> dict[str, int]:
        """In the words of the client: milliseconds, or the millisecond."""
        if self.expiration_duration is not None and self.expiration_date:
            raise TaskFailed("Only one of expirationDuration and expirationDate can be given.")
        if self.expiration_duration is not None:
            return {"px": self.expiration_duration // 1000}
        return {"pxat": epoch_millis(self.expiration_date) or 0} if self.expiration_date else {}


class Options(Expiry, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """On which conditions a key is set, and for how long."""

    must_not_exist: Annotated[bool, Meta(description="Only if it is not there.")] = False
    must_exist: Annotated[bool, Meta(description="Only if it is there.")] = False
    keep_ttl: Annotated[bool, Meta(description="Whether it ends when it would have ended before.")] = False


class Set(RedisTask, frozen=True, kw_only=True):
    """Set what a key holds."""

    type_name: ClassVar[str] = "redis.set"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.redis.string.Set", "io.kestra.plugin.redis.Set")
    outputs: ClassVar[dict[str, str]] = {"oldValue": "What it held before (`get`)."}
    example: ClassVar[dict[str, object]] = {
        "url": URL,
        "key": "cursor",
        "value": "{{ outputs.query.row.last }}",
        "options": {"expirationDuration": "P1D"},
    }

    key: Annotated[str, Meta(description="The key.")]
    value: Annotated[object, Meta(description="What it will hold.")]
    serde_type: Annotated[Serde, Meta(description="How the value is written.")] = Serde.STRING
    get: Annotated[bool, Meta(description="Whether the value before is told; needs Redis 6.2.")] = False
    options: Annotated[Options, Meta(description="Conditions, and when it ends.")] = Options()

    def run(self, context: Context) -> dict[str, object]:
        """Set it."""
        how = self.options
        asked: dict[str, Any] = {**how.asked(), "nx": how.must_not_exist, "xx": how.must_exist, "keepttl": how.keep_ttl}
        with self.client() as client:
            before = client.set(self.key, encode(self.value, self.serde_type), get=self.get, **asked)
        return {"oldValue": decode(before, Serde.STRING)} if self.get and before is not None else {}


class Delete(RedisTask, frozen=True, kw_only=True):
    """Delete keys."""

    type_name: ClassVar[str] = "redis.delete"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.redis.string.Delete", "io.kestra.plugin.redis.Delete")
    outputs: ClassVar[dict[str, str]] = {"count": "How many were there."}
    example: ClassVar[dict[str, object]] = {"url": URL, "keys": ["cursor"]}

    keys: Annotated[list[str], Meta(description="The keys.")]
    failed_on_missing: Annotated[bool, Meta(description="Whether a key that is not there is a failure.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Delete them."""
        with self.client() as client:
            count = int(client.delete(*self.keys)) if self.keys else 0
        context.metric("deleted.records.count", count)
        if count < len(self.keys) and self.failed_on_missing:
            raise TaskFailed(f"Only {count} of {len(self.keys)} keys were there.", outputs={"count": count})
        return {"count": count}


class Increment(RedisTask, frozen=True, kw_only=True):
    """Add to the number that a key holds."""

    type_name: ClassVar[str] = "redis.increment"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.redis.string.Increment",)
    outputs: ClassVar[dict[str, str]] = {"value": "The number afterwards.", "key": "The key."}
    example: ClassVar[dict[str, object]] = {"url": URL, "key": "visits"}

    key: Annotated[str, Meta(description="The key; one that is not there holds 0.")]
    amount: Annotated[int | float, Meta(description="What is added.")] = 1
    options: Annotated[Expiry, Meta(description="When the key ends.")] = Expiry()

    def run(self, context: Context) -> dict[str, object]:
        """Add to it."""
        asked = self.options.asked()
        with self.client() as client:
            add = client.incrby if isinstance(self.amount, int) else client.incrbyfloat
            value = add(self.key, self.amount)
            if "px" in asked:
                client.pexpire(self.key, asked["px"])
            if "pxat" in asked:
                client.pexpireat(self.key, asked["pxat"])
        return {"value": value, "key": self.key}


class Ttl(RedisTask, frozen=True, kw_only=True):
    """Ask how long a key will last."""

    type_name: ClassVar[str] = "redis.ttl"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.redis.string.Ttl",)
    outputs: ClassVar[dict[str, str]] = {
        "ttl": "Seconds that are left; -1: it does not end, -2: it is not there.",
        "key": "The key.",
    }
    example: ClassVar[dict[str, object]] = {"url": URL, "key": "cursor"}

    key: Annotated[str, Meta(description="The key.")]

    def run(self, context: Context) -> dict[str, object]:
        """Ask."""
        with self.client() as client:
            return {"ttl": int(client.ttl(self.key)), "key": self.key}


def library() -> Any:
    """The library; MissingExtra when it is not installed."""
    try:
        import redis
    except ImportError:
        raise MissingExtra(
            "Redis needs the package redis.", hint="Install it with `pip install 'penstock[redis]'`."
        ) from None
    return redis
