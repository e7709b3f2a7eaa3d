"""How does a flow pick records out of a stored file? By an expression that is evaluated for each of them."""

from __future__ import annotations

import enum
import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final, cast

import msgspec
from msgspec import Meta, field

from penstock.plugins.serdes import records
from penstock.sdk.context import Ask, Context
from penstock.sdk.task import Mode, TaskFailed, TaskType

AT_ONCE: Final = 1000
FALSE: Final = ("", "false", "0", "-0")
FROM: Final = "Address of the file of records: JSON lines or Ion text."
COUNTED: Final = {
    "uri": "Address of the file with the records that stay.",
    "processedItemsTotal": "How many records there were.",
    "droppedItemsTotal": "How many were left out.",
}


class FilterType(enum.StrEnum):
    """What becomes of the records for which the condition is true."""

    INCLUDE = "INCLUDE"
    EXCLUDE = "EXCLUDE"


class OnError(enum.StrEnum):
    """What becomes of a record for which the condition cannot be evaluated, or says nothing."""

    FAIL = "FAIL"
    INCLUDE = "INCLUDE"
    EXCLUDE = "EXCLUDE"


class Filter(TaskType, frozen=True, kw_only=True):
    """Keep the records of a file for which a condition is true, or those for which it is not."""

    type_name: ClassVar[str] = "files.filter"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.storage.FilterItems",
        "io.kestra.core.tasks.storages.FilterItems",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = COUNTED
    example: ClassVar[dict[str, object]] = {
        "from": "{{ outputs.query.uri }}",
        "filterCondition": "{{ amount > 100 }}",
    }

    from_: Annotated[str, Meta(description=FROM)] = field(name="from")
    filter_condition: Annotated[
        str,
        Meta(
            description="The condition; it sees the parts of a record by name, and all of it as `value`.",
            examples=["{{ amount > 100 }}"],
            extra={"template": False},
        ),
    ]
    filter_type: Annotated[FilterType, Meta(description="What becomes of those for which it is true.")] = (
        FilterType.INCLUDE
    )
    error_or_null_behavior: Annotated[
        OnError, Meta(description="What becomes of those for which it cannot be evaluated, or gives nothing.")
    ] = OnError.FAIL

    def run(self, context: Context) -> dict[str, object]:
        """Keep them."""
        total = 0
        with records.Writer(context, exact=True) as writer:
            for record, said in evaluated(context, context.fetch(self.from_), self.filter_condition):
                total += 1
                if self._stays(said, total):
                    writer.write(record)
            uri = writer.done()["uri"]
        return {"uri": uri, "processedItemsTotal": total, "droppedItemsTotal": total - writer.count}

    def _stays(self, said: dict[str, object], number: int) -> bool:
        text = str(said.get("value", ""))
        if "error" in said or not text:
            if self.error_or_null_behavior is OnError.FAIL:
                why = said.get("error", "it gives nothing")
                raise TaskFailed(f"The condition cannot be evaluated for record {number}: {why}")
            return self.error_or_null_behavior is OnError.INCLUDE
        return (text.strip() not in FALSE) is (self.filter_type is FilterType.INCLUDE)


class Deduplicate(TaskType, frozen=True, kw_only=True):
    """Keep the last record of each key."""

    type_name: ClassVar[str] = "files.deduplicate"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.storage.DeduplicateItems",
        "io.kestra.core.tasks.storages.DeduplicateItems",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {**COUNTED, "numKeys": "How many keys there are."}
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.query.uri }}", "expr": "{{ id }}"}

    from_: Annotated[str, Meta(description=FROM)] = field(name="from")
    expr: Annotated[
        str,
        Meta(
            description="The key; it sees the parts of a record by name, and all of it as `value`.",
            examples=["{{ id }}"],
            extra={"template": False},
        ),
    ]

    def run(self, context: Context) -> dict[str, object]:
        """Keep them."""
        source = context.fetch(self.from_)
        last: dict[bytes, int] = {}
        total = 0
        for _, said in evaluated(context, source, self.expr):
            if "error" in said:
                raise TaskFailed(f"The key of record {total + 1} cannot be evaluated: {said['error']}")
            last[hashlib.blake2b(str(said["value"]).encode(), digest_size=16).digest()] = total
            total += 1
        stay = set(last.values())
        with records.Writer(context, exact=True) as writer:
            for number, record in enumerate(records.read(source)):
                if number in stay:
                    writer.write(record)
            uri = writer.done()["uri"]
        dropped = total - writer.count
        return {"uri": uri, "numKeys": len(last), "processedItemsTotal": total, "droppedItemsTotal": dropped}


def evaluated(context: Context, path: Path, template: str) -> Iterator[tuple[object, dict[str, object]]]:
    """Each record of a file, and what an expression says of it: {value} or {error}."""
    source = records.read(path)
    while some := list(itertools.islice(source, AT_ONCE)):
        asked = context.ask(Ask.ROWS_RENDER, template=template, rows=[msgspec.to_builtins(each) for each in some])
        yield from zip(some, cast("list[dict[str, object]]", asked), strict=True)
