"""Which triggers take what lies in a list of Redis: all at once now and then, or each value as it comes?

What is taken lies in a list of the trigger's own until a run is there for it, so that nothing is lost whatever dies.
"""

from __future__ import annotations

import uuid
from typing import Annotated, ClassVar

from msgspec import Meta

from penstock.plugins.messages.payload import MaxRecords, Serde, decode
from penstock.plugins.messages.redis import URL, RedisTask
from penstock.plugins.serdes.records import Writer
from penstock.sdk.context import Context
from penstock.sdk.task import Fires, Outcome, Outputs, Result

WAIT = 1.0
Key = Annotated[str, Meta(description="The list.", examples=["orders"])]
Written = Annotated[Serde, Meta(description="How values are written.")]


class RedisTrigger(RedisTask, frozen=True, kw_only=True):
    """Start a run for the values that lie in a list, which are taken from its head; needs Redis 6.2."""

    type_name: ClassVar[str] = "redis.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.redis.list.Trigger", "io.kestra.plugin.redis.TriggerList")
    fires: ClassVar[Fires] = Fires.POLLING
    outputs: ClassVar[dict[str, str]] = {"uri": "Address of the file of values.", "count": "How many there are."}
    example: ClassVar[dict[str, object]] = {"url": URL, "key": "orders", "serdeType": "JSON", "maxRecords": 1000}

    key: Key
    serde_type: Written = Serde.STRING
    count: Annotated[int, Meta(description="How many are taken at once.")] = 100
    max_records: MaxRecords = None

    def run(self, context: Context) -> Outputs:
        """Look once: values are stored in one attempt, and let go of in the next."""
        ours = held(context, self.key)
        taken = context.state.get("taken")
        if isinstance(taken, dict):
            with self.client() as client:
                client.delete(ours)
            context.save_state({})
            return taken
        with self.client() as client, Writer(context) as writer:
            count = int(client.llen(ours))  # what an attempt before this one took, and nobody was told of
            while self.max_records is None or count < self.max_records:
                room = self.count if self.max_records is None else min(self.count, self.max_records - count)
                with client.pipeline(transaction=False) as line:
                    for _ in range(max(room, 1)):
                        line.lmove(self.key, ours, "LEFT", "RIGHT")
                    moved = [value for value in line.execute() if value is not None]
                count += len(moved)
                if len(moved) < max(room, 1):
                    break
            if not count:
                return Result(outcome=Outcome.SKIPPED)
            for value in client.lrange(ours, 0, -1):
                writer.write(decode(value, self.serde_type))
            found = {"uri": writer.done()["uri"], "count": count}
        context.save_state({"taken": found})
        return Result(outcome=Outcome.SNOOZED, wait=0)


class RedisRealtimeTrigger(RedisTask, frozen=True, kw_only=True):
    """Start a run for each value of a list as it comes, once each; needs Redis 6.2."""

    type_name: ClassVar[str] = "redis.realtime_trigger"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.redis.list.RealtimeTrigger",
        "io.kestra.plugin.redis.RealtimeTriggerList",
    )
    fires: ClassVar[Fires] = Fires.LISTENING
    outputs: ClassVar[dict[str, str]] = {"value": "The value."}
    example: ClassVar[dict[str, object]] = {"url": URL, "key": "orders", "serdeType": "JSON"}

    key: Key
    serde_type: Written = Serde.STRING

    def run(self, context: Context) -> Outputs:
        """Listen until told to end."""
        ours = held(context, self.key)
        name = f"{ours}:id"
        with self.client() as client:
            while True:
                if not client.llen(ours) and client.blmove(self.key, ours, WAIT, "LEFT", "RIGHT") is None:
                    continue
                # By its name it is the same value to whoever finds it here again.
                client.set(name, uuid.uuid4().hex, nx=True)
                value = client.lindex(ours, 0)
                context.fire({"value": decode(value, self.serde_type)}, f"{ours}/{client.get(name).decode()}")
                with client.pipeline(transaction=True) as line:
                    line.lpop(ours)
                    line.delete(name)
                    line.execute()


def held(context: Context, key: str) -> str:
    """The list in which a trigger holds what it has taken."""
    return f"{key}:penstock:{context.namespace}.{context.flow}"
