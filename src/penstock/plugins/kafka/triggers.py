"""Which triggers take messages of Kafka: those that came since the last look, or each as it comes?"""

from __future__ import annotations

from typing import ClassVar

from penstock.errors.task import UnreadableMessage
from penstock.plugins.kafka.consume import Consume, Line, Taking, told
from penstock.plugins.kafka.options import BROKER
from penstock.plugins.kafka.takes import Ends, kept
from penstock.sdk.context import Context
from penstock.sdk.task import Fires, Outcome, Outputs, Result, TaskFailed

POLL = 1.0
NO_MEMBER = frozenset({"UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION"})


class Trigger(Consume, frozen=True, kw_only=True):
    """Start a run for the messages of topics that have come since the last look."""

    type_name: ClassVar[str] = "kafka.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.kafka.Trigger",)
    fires: ClassVar[Fires] = Fires.POLLING

    def run(self, context: Context) -> Outputs:
        """Look once: messages are stored in one attempt, and the group goes on behind them in the next."""
        taken = context.state.get("taken")
        if isinstance(taken, dict):
            self.connected(context, lambda line: self._keep(context, line))
            context.save_state({})
            return taken
        if not self.group:
            raise TaskFailed("A trigger of Kafka needs a groupId.")
        found = self.taken(context)
        if not found["messagesCount"] and not found.get("unreadCount"):
            return Result(outcome=Outcome.SKIPPED)
        context.save_state({"taken": found, "ends": context.state["ends"]})
        return Result(outcome=Outcome.SNOOZED, wait=0)

    def before(self, context: Context, line: Line) -> dict[str, object] | None:
        """Nothing: what was taken and not told is taken again."""
        return None

    def keep(self, context: Context, line: Line, ends: Ends, outputs: dict[str, object]) -> None:
        """Remember until where it was taken: the group goes on once that is told."""
        context.save_state({"ends": [[topic, number, offset] for (topic, number), offset in ends.items()]})

    def _keep(self, context: Context, line: Line) -> None:
        ends = context.state.get("ends")
        assert isinstance(ends, list)
        behind = {(str(topic), int(number)): int(offset) for topic, number, offset in ends}
        try:
            kept(line, behind)
        except line.kafka.KafkaException as error:
            if error.args[0].name() not in NO_MEMBER:
                raise
            # Others take for the group, too: then only one of them may say where it is.
            self.begin(line)
            kept(line, behind)


class RealtimeTrigger(Taking, frozen=True, kw_only=True):
    """Start a run for each message of topics as it comes."""

    type_name: ClassVar[str] = "kafka.realtime_trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.kafka.RealtimeTrigger",)
    fires: ClassVar[Fires] = Fires.LISTENING
    outputs: ClassVar[dict[str, str]] = {
        "key": "The key.",
        "value": "The value.",
        "topic": "The topic.",
        "headers": "What goes beside it: a list of maps.",
        "partition": "The partition.",
        "timestamp": "When it was sent.",
        "offset": "Its place in the partition.",
    }
    example: ClassVar[dict[str, object]] = {"properties": BROKER, "topic": "orders", "groupId": "warehouse"}

    def run(self, context: Context) -> Outputs:
        """Listen until told to end."""
        if not self.group:
            raise TaskFailed("A trigger of Kafka needs a groupId.")
        self.connected(context, lambda line: self._listen(context, line))
        return None

    def _listen(self, context: Context, line: Line) -> None:
        early = self.begin(line)
        while True:
            message = early.pop(0) if early else line.consumer.poll(POLL)
            if message is None:
                continue
            if message.error():
                raise line.broker.failure(message.error(), 0)
            place = message.topic(), message.partition()
            try:
                # Its time tells it from one at the same place of a topic that was made anew.
                key = "/".join(map(str, (*place, message.offset(), message.timestamp()[1])))
                context.fire(told(message, line.read), key)
            except UnreadableMessage as error:
                if line.unread is None:
                    raise
                line.unread.take(message, error)
            kept(line, {place: message.offset() + 1})
