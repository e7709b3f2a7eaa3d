"""What is told of task types?"""

from __future__ import annotations

import msgspec


class TypeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A task type: its name, the other names that flows may call it by, and what it does in a sentence."""

    name: str
    aliases: list[str]
    about: str


class TypeDetail(TypeRow, frozen=True, kw_only=True):
    """A task type with the JSON Schema of its properties."""

    schema: dict[str, object]
