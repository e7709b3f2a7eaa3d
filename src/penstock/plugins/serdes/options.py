"""What have the tasks that turn files into other formats in common? The file, how its bytes are text, what is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Final

from msgspec import Meta, field

from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskType

FROM: Final = "Address of the file."
RECORDS: Final = {"uri": "Address of the file of records: JSON lines.", "size": "How many records it has."}
MADE: Final = {"uri": "Address of the file.", "size": "How many records went into it."}


class Serde(TaskType, frozen=True, kw_only=True):
    """What each of them declares."""

    mode: ClassVar[Mode] = Mode.WARM
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.query.uri }}"}

    from_: Annotated[str, Meta(description=FROM, examples=["{{ outputs.query.uri }}"])] = field(name="from")
    charset: Annotated[str, Meta(description="How the file's bytes are text.", examples=["UTF-8"])] = "UTF-8"

    def told(self, context: Context, path: Path, count: int) -> dict[str, object]:
        """Store a file that was made, and give the outputs."""
        context.metric("records", count)
        return {"uri": context.store(path), "size": count}
