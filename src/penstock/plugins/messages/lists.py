"""How does a flow put values into a list of Redis, take them out, and publish them on a channel?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, ClassVar, Final

from msgspec import Meta, field

from penstock.plugins.messages.payload import MaxDuration, MaxRecords, Serde, Until, decode, encode, given
from penstock.plugins.messages.redis import URL, RedisTask
from penstock.plugins.serdes.records import Writer
from penstock.sdk.context import Context

TOGETHER: Final = 1000
From = Annotated[
    object,
    Meta(description="Values: a list, or a stored file's address.", examples=[["a", "b"], "{{ outputs.query.uri }}"]),
]


class ListPush(RedisTask, frozen=True, kw_only=True):
    """Put values at the head of a list, one after the other."""

    type_name: ClassVar[str] = "redis.push"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.redis.list.ListPush", "io.kestra.plugin.redis.ListPush")
    outputs: ClassVar[dict[str, str]] = {"count": "How many were put there."}
    example: ClassVar[dict[str, object]] = {"url": URL, "key": "orders", "from": ["a", "b"]}

    key: Annotated[str, Meta(description="The list.")]
    from_: From = field(name="from")
    serde_type: Annotated[Serde, Meta(description="How values are written.")] = Serde.STRING

    def run(self, context: Context) -> dict[str, object]:
        """Put them there."""
        count = 0
        with self.client() as client:
            for values in together(encode(each, self.serde_type) for each in given(self.from_, context)):
                client.lpush(self.key, *values)
                count += len(values)
                context.progress(count, unit="values")
        context.metric("inserted.records.count", count)
        return {"count": count}


class ListPop(RedisTask, frozen=True, kw_only=True):
    """Take values from the head of a list until it is empty, into a stored file."""

    type_name: ClassVar[str] = "redis.pop"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.redis.list.ListPop", "io.kestra.plugin.redis.ListPop")
    outputs: ClassVar[dict[str, str]] = {"uri": "Address of the file of values.", "count": "How many there are."}
    example: ClassVar[dict[str, object]] = {"url": URL, "key": "orders", "serdeType": "JSON", "maxRecords": 1000}

    key: Annotated[str, Meta(description="The list.")]
    serde_type: Annotated[Serde, Meta(description="How values are written.")] = Serde.STRING
    count: Annotated[int, Meta(description="How many are taken at once.")] = 100
    max_records: MaxRecords = None
    max_duration: MaxDuration = None

    def run(self, context: Context) -> dict[str, object]:
        """Take them."""
        until = Until(self.max_records, self.max_duration)
        with self.client() as client, Writer(context) as writer:
            while not until.over:
                room = self.count if until.room is None else min(self.count, until.room)
                values = client.lpop(self.key, max(room, 1))
                if not values:
                    break
                for value in values:
                    writer.write(decode(value, self.serde_type))
                until.count += len(values)
            uri = writer.done()["uri"]
        context.metric("popped.records.count", until.count, tags={"key": self.key})
        return {"uri": uri, "count": until.count}


class Publish(RedisTask, frozen=True, kw_only=True):
    """Publish values on a channel."""

    type_name: ClassVar[str] = "redis.publish"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.redis.pubsub.Publish", "io.kestra.plugin.redis.Publish")
    outputs: ClassVar[dict[str, str]] = {"count": "How many were published."}
    example: ClassVar[dict[str, object]] = {"url": URL, "channel": "orders", "from": ["a", "b"]}

    channel: Annotated[str, Meta(description="The channel.")]
    from_: From = field(name="from")
    serde_type: Annotated[Serde, Meta(description="How values are written.")] = Serde.STRING

    def run(self, context: Context) -> dict[str, object]:
        """Publish them."""
        count = 0
        with self.client() as client:
            for values in together(encode(each, self.serde_type) for each in given(self.from_, context)):
                with client.pipeline(transaction=False) as line:
                    for value in values:
                        line.publish(self.channel, value)
                    line.execute()
                count += len(values)
        context.metric("records", count)
        return {"count": count}


def together(values: Iterator[bytes]) -> Iterator[list[bytes]]:
    """The values, many at a time."""
    while some := list(islice(values, TOGETHER)):
        yield some
