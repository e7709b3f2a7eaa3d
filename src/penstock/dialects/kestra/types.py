"""What must the dialect know of task types? A port: whoever reads flows hands it in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from penstock.dialects.kestra.tree import Path


class FieldInfo(msgspec.Struct, frozen=True):
    """One declared property; `text` says that it is text, or a list or map of text, `one` that it is one text;
    `template` that it is rendered; `deprecated` says what has taken its place.
    """

    required: bool = False
    text: bool = False
    one: bool = False
    template: bool = True
    deprecated: str = ""


class TypeInfo(msgspec.Struct, frozen=True):
    """A task type: its canonical name, every other name it has, its properties, what it hands on, where it runs.

    `fires` is not empty where it looks or listens for a trigger: polling, listening.
    """

    name: str
    aliases: tuple[str, ...] = ()
    fields: Mapping[str, FieldInfo] = {}
    outputs: tuple[str, ...] = ()
    mode: str = ""
    fires: str = ""


class Misfit(msgspec.Struct, frozen=True):
    """One property that does not fit: where, a sentence, a hint."""

    path: Path
    sentence: str
    hint: str = ""


class Types(Protocol):
    """The task types that flows may name."""

    @property
    def others(self) -> bool:
        """May they name others, too?"""

    def find(self, name: str) -> TypeInfo | None:
        """The type of a name or alias, None when there is none."""

    def names(self) -> Iterable[str]:
        """Every name and alias."""

    def check(self, name: str, properties: Mapping[str, object]) -> Iterable[Misfit]:
        """What is unknown, missing or unfit among properties as written; templates are judged once rendered."""
