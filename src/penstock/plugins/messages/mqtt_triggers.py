"""Which triggers take what arrives by MQTT: all of it now and then, or each message as it comes?

The broker keeps a session for the trigger, and in it each message of quality 1 and 2 until a run is there for it.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from penstock.plugins.messages.mqtt import SERVER, Line, MqttTask, told
from penstock.plugins.messages.payload import ByteSerde, MaxDuration, MaxRecords, Until
from penstock.plugins.serdes.records import Writer
from penstock.sdk.context import Context
from penstock.sdk.task import Fires, Outcome, Outputs, Result

WAIT = 1.0
Topics = Annotated[
    str | list[str], Meta(description="The topic, or several; `+` stands for one part, `#` for all that follow.")
]
Written = Annotated[ByteSerde, Meta(description="How values are written.")]


class MqttTrigger(MqttTask, frozen=True, kw_only=True):
    """Start a run for the messages that have arrived on topics since the last look."""

    type_name: ClassVar[str] = "mqtt.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.mqtt.Trigger",)
    fires: ClassVar[Fires] = Fires.POLLING
    outputs: ClassVar[dict[str, str]] = {
        "messagesCount": "How many arrived.",
        "uri": "Address of the file; of each: id, topic, qos, retain, properties, payload.",
    }
    example: ClassVar[dict[str, object]] = {"server": SERVER, "topic": "sensors/#", "maxDuration": "PT5S"}

    topic: Topics
    serde_type: Written = ByteSerde.JSON
    max_records: MaxRecords = None
    max_duration: MaxDuration = None

    def run(self, context: Context) -> Outputs:
        """Look once; the broker lets go of the messages when the run is there."""
        until = Until(self.max_records, self.max_duration)
        taken: list[Any] = []
        with self.connected(session(context)) as line:
            line.subscribe([self.topic] if isinstance(self.topic, str) else self.topic, self.qos)
            with Writer(context) as writer:
                while not until.over:
                    message = line.take(until.wait())
                    if message is not None:
                        writer.write(told(message, self.serde_type))
                        taken.append(message)
                        until.count += 1
                uri = writer.done()["uri"]
            if taken:
                context.fire({"messagesCount": until.count, "uri": uri}, uuid.uuid4().hex)
            for message in taken:
                acknowledge(line, message)
        return Result(outcome=Outcome.SKIPPED)


class MqttRealtimeTrigger(MqttTask, frozen=True, kw_only=True):
    """Start a run for each message that arrives on topics; for one that is delivered twice, a second one."""

    type_name: ClassVar[str] = "mqtt.realtime_trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.mqtt.RealtimeTrigger",)
    fires: ClassVar[Fires] = Fires.LISTENING
    outputs: ClassVar[dict[str, str]] = {
        "id": "Its number.",
        "topic": "The topic.",
        "qos": "Its quality of service.",
        "retain": "Whether the broker keeps it.",
        "properties": "What goes beside it.",
        "payload": "The value.",
    }
    example: ClassVar[dict[str, object]] = {"server": SERVER, "topic": "sensors/#"}

    topic: Topics
    serde_type: Written = ByteSerde.JSON

    def run(self, context: Context) -> Outputs:
        """Listen until told to end."""
        with self.connected(session(context)) as line:
            line.subscribe([self.topic] if isinstance(self.topic, str) else self.topic, self.qos)
            while True:
                message = line.take(WAIT)
                if message is not None:
                    context.fire(told(message, self.serde_type), uuid.uuid4().hex)
                    acknowledge(line, message)


def session(context: Context) -> str:
    """By which name the broker knows the trigger."""
    return f"penstock-{context.namespace}.{context.flow}"


def acknowledge(line: Line, message: Any) -> None:
    """Have the broker let go of a message."""
    if message.qos:
        line.client.ack(message.mid, message.qos)
