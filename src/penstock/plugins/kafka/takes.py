"""What has a step taken already, although its task was killed before it could tell? The group's offsets say it.

Beside the offsets that it keeps, a group keeps what the last of its takers have handed on: both at once. So messages
that are behind the group are always in a file that the step finds again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from penstock.errors.task import Refused
from penstock.sdk.context import Ask, Context

# A broker takes 4,096 bytes beside an offset.
MOST: Final = 4000
Ends = Mapping[tuple[str, int], int]


class Take(msgspec.Struct, frozen=True, array_like=True):
    """What a step has handed on; `step` names it in a few letters."""

    step: str
    outputs: dict[str, object]


def name_of(context: Context) -> str:
    """The step, the same for each of its attempts."""
    return hashlib.blake2b(context.idempotency_key.encode(), digest_size=9).hexdigest()


def kept(line: Any, ends: Ends, take: Take | None = None) -> None:
    """Have a group go on from these offsets, and keep what was taken beside those of others."""
    kafka = line.kafka
    wanted = [kafka.TopicPartition(topic, number, offset) for (topic, number), offset in ends.items()]
    if take is not None:
        before = line.consumer.committed(
            [kafka.TopicPartition(each.topic, each.partition) for each in wanted], line.broker.patience
        )
        notes = {(each.topic, each.partition): read(each.metadata) for each in before}
        wanted = [
            kafka.TopicPartition(
                each.topic, each.partition, each.offset, written([take, *notes[each.topic, each.partition]])
            )
            for each in wanted
        ]
    line.consumer.commit(offsets=wanted, asynchronous=False)


def found(line: Any, group: str, context: Context) -> dict[str, object] | None:
    """What the step has handed on already, if it is there; None where there was nothing."""
    kafka = line.kafka
    admin, name = line.broker.admin(), name_of(context)
    wanted = [kafka.ConsumerGroupTopicPartitions(group)]
    told = line.broker.patiently(
        lambda seconds: admin.list_consumer_group_offsets(wanted, request_timeout=seconds)[group].result(seconds)
    )
    for part in told.topic_partitions:
        for take in read(part.metadata):
            if take.step == name and _is_there(take, context):
                return take.outputs
    return None


def _is_there(take: Take, context: Context) -> bool:
    try:
        context.ask(Ask.FILE_SIZE, uri=str(take.outputs["uri"]))
    except (KeyError, Refused):
        return False
    return True


def read(text: str | None) -> list[Take]:
    """What stands beside an offset; others may have written there what they like."""
    try:
        return msgspec.json.decode(text or "[]", type=list[Take])
    except msgspec.MsgspecError:
        return []


def written(takes: list[Take]) -> str:
    """The newest of them, as many as there is room for."""
    while True:
        text = msgspec.json.encode(takes)
        if len(text) <= MOST:
            return text.decode()
        takes = takes[:-1]
