"""Which task types are installed, as the dialect sees them? The sdk's registry behind the dialect's port."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from penstock.dialects.kestra.types import FieldInfo, Misfit, TypeInfo
from penstock.errors.task import BrokenTaskType, UnknownTaskType
from penstock.sdk import registry
from penstock.sdk.aliases import ALIASES
from penstock.sdk.builtin import TYPES
from penstock.sdk.describe import Field, describe

TEXTS: Final = frozenset({"text", "list of text", "map of text"})


class Installed(msgspec.Struct, frozen=True):
    """The task types of this machine; with `others` a flow may name more than these."""

    others: bool = False

    def find(self, name: str) -> TypeInfo | None:
        """The type of a name or alias, None when no installed package offers it."""
        return _find(name)

    def names(self) -> Iterable[str]:
        """Every name and alias that is known without importing anything."""
        return (*TYPES, *ALIASES)

    def check(self, name: str, properties: Mapping[str, object]) -> Iterable[Misfit]:
        """What is unknown, missing or unfit among properties as written."""
        for problem in registry.check(registry.find(name), properties):
            yield Misfit(tuple(problem.path.split(".")) if problem.path else (), problem.sentence, problem.hint)


INSTALLED: Final = Installed()


@functools.lru_cache(maxsize=4096)
def _find(name: str) -> TypeInfo | None:
    try:
        kind = registry.find(name)
    except (UnknownTaskType, BrokenTaskType):
        return None
    about = describe(kind)
    fields = {field.name: _field(field) for field in about.fields}
    return TypeInfo(about.name, tuple(about.aliases), fields, tuple(about.outputs), about.mode, about.fires)


def _field(field: Field) -> FieldInfo:
    kinds = set(field.type.split(" or "))
    return FieldInfo(field.required, kinds <= TEXTS, kinds == {"text"}, field.template, field.deprecated)
