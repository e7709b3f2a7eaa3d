"""Which triggers take the messages of a queue by AMQP: all there are now and then, or each as it comes?

The broker keeps each message until a run is there for it. One that it delivers twice starts two, unless its producer
gave it a `messageId`: by that it is the same one.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from penstock.plugins.messages.amqp import URL, AmqpTask
from penstock.plugins.messages.payload import Serde
from penstock.plugins.messages.queues import Consume, told
from penstock.sdk.context import Context
from penstock.sdk.task import Fires, Outcome, Outputs, Result

WAIT = 1.0
# How many messages the broker hands over before the first of them has its run.
AHEAD = 20


class AmqpTrigger(Consume, frozen=True, kw_only=True):
    """Start a run for the messages that wait in a queue."""

    type_name: ClassVar[str] = "amqp.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.amqp.Trigger",)
    fires: ClassVar[Fires] = Fires.POLLING

    def run(self, context: Context) -> Outputs:
        """Look once; the broker lets go of the messages when the run is there."""
        self.taken(context, lambda found: _fire(context, found))
        return Result(outcome=Outcome.SKIPPED)


class AmqpRealtimeTrigger(AmqpTask, frozen=True, kw_only=True):
    """Start a run for each message of a queue as it comes."""

    type_name: ClassVar[str] = "amqp.realtime_trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.amqp.RealtimeTrigger",)
    fires: ClassVar[Fires] = Fires.LISTENING
    outputs: ClassVar[dict[str, str]] = {"data": "The value; what went beside it, as messageId, is beside it here."}
    example: ClassVar[dict[str, object]] = {"url": URL, "queue": "east"}

    queue: Annotated[str, Meta(description="The queue.")]
    serde_type: Annotated[Serde, Meta(description="How data is written.")] = Serde.STRING
    consumer_tag: Annotated[str, Meta(description="Who we are to the broker.")] = "penstock"

    def run(self, context: Context) -> Outputs:
        """Listen until told to end."""
        with self.channel(context) as channel:
            channel.basic_qos(prefetch_count=AHEAD)
            waiting = channel.consume(self.queue, inactivity_timeout=WAIT, consumer_tag=self.consumer_tag)
            for delivery, properties, body in waiting:
                if delivery is not None:
                    context.fire(told(properties, body, self.serde_type), key_of(properties, body))
                    channel.basic_ack(delivery.delivery_tag)
        return None


def _fire(context: Context, found: dict[str, object]) -> None:
    context.fire(found, uuid.uuid4().hex)


def key_of(properties: Any, body: bytes) -> str:
    """By which a message is known again. With what it says: some producers give all of theirs one name."""
    named = str(properties.message_id or "")
    return hashlib.sha256(f"{named}\n".encode() + body).hexdigest() if named else uuid.uuid4().hex
