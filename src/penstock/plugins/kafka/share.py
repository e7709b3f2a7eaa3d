"""What has a member of a group taken, while partitions come to it and go to others?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Place = tuple[str, int]


class Share:
    """What was taken so far. A partition that goes to another member begins there where the group's offset is: what
    was taken of it here is not handed on.
    """

    def __init__(self) -> None:
        self.agreed = False
        self.ends: dict[Place, int] = {}
        self.written = 0
        self._gone: dict[Place, int] = {}

    @property
    def torn(self) -> bool:
        """Whether something of what was taken is another's now."""
        return bool(self._gone)

    def take(self, message: Any) -> None:
        """Count a message as taken."""
        self.ends[message.topic(), message.partition()] = message.offset() + 1

    def assigned(self, consumer: Any, parts: list[Any]) -> None:
        """Go on with the partitions that are ours: behind what was taken of them."""
        self.agreed = True
        ours = {(each.topic, each.partition) for each in parts}
        self._drop(self.ends.keys() - ours)
        for each in parts:
            each.offset = self.ends.get((each.topic, each.partition), each.offset)
        consumer.assign(parts)

    def lost(self, consumer: Any, parts: list[Any]) -> None:
        """Nothing is ours any more: the group has gone on without us."""
        self._drop(list(self.ends))

    def ours(self, records: Iterable[object]) -> Iterator[object]:
        """Of all records that were written, those that are ours still."""
        for number, record in enumerate(records, 1):
            assert isinstance(record, dict)
            if number > self._gone.get((str(record["topic"]), int(record["partition"])), 0):
                yield record

    def _drop(self, places: Iterable[Place]) -> None:
        for place in list(places):
            self._gone[place] = self.written
            del self.ends[place]
