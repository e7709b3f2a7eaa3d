"""Which task types are there? Ours by a built-in index, everybody's by entry points, each imported when first named."""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Iterator
from typing import Final

import msgspec

from penstock.errors import nearest
from penstock.errors.task import BrokenTaskType, UnknownTaskType
from penstock.sdk.aliases import ALIASES
from penstock.sdk.builtin import TYPES
from penstock.sdk.decode import check, decode, field_names, output_fields
from penstock.sdk.task import TaskType
from penstock.sdk.values import dec_hook

__all__ = [
    "GROUP",
    "all_types",
    "check",
    "decode",
    "field_names",
    "find",
    "known",
    "output_fields",
    "short_name",
]

LOOKING: Final = threading.Lock()
GROUP: Final = "penstock.task_types"
PACKAGES: Final = ("io.kestra.plugin.", "io.kestra.core.tasks.")


def find(name: str) -> type[TaskType]:
    """The task type of a name or alias; UnknownTaskType when no installed package offers it."""
    short = ALIASES.get(name, name)
    if where := TYPES.get(short):
        return _load(short, where)
    offered = _offered()
    if where := offered.get(name):
        return _load(name, where)
    for other, where in offered.items():
        kind = _load(other, where)
        if name in kind.aliases:
            return kind
    raise UnknownTaskType(f'There is no task type "{name}".', hint=_hint(name, offered))


def known(name: str) -> bool:
    """Whether a name or alias is a task type's; ours are known without importing anything."""
    if name in TYPES or name in ALIASES:
        return True
    try:
        return bool(find(name))
    except UnknownTaskType:
        return False


def short_name(name: str) -> str:
    """The one name that a type is known by, whichever of its names is given."""
    return ALIASES[name] if name in ALIASES else name if name in TYPES else find(name).type_name


def all_types() -> Iterator[type[TaskType]]:
    """Every task type that is installed, by name; each is imported."""
    for name, where in sorted({**_offered(), **TYPES}.items()):
        yield _load(name, where)


@functools.cache
def _offered() -> dict[str, str]:
    # Reading the metadata of all installed packages takes longer than a task: only for names that are not ours.
    from importlib import metadata

    return {point.name: point.value for point in metadata.entry_points(group=GROUP) if point.name not in TYPES}


@functools.cache
def _load(name: str, where: str) -> type[TaskType]:
    module, _, attribute = where.partition(":")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise BrokenTaskType(f'Task type "{name}" should be at {where}, which cannot be imported: {error}.') from error
    if not (isinstance(kind, type) and issubclass(kind, TaskType)):
        raise BrokenTaskType(f'Task type "{name}" is at {where}, which is no TaskType.')
    if not kind.type_name:
        raise BrokenTaskType(f'Task type "{name}" at {where} says no type_name.')
    with LOOKING:
        looked_at(kind)
    return kind


@functools.cache
def looked_at(kind: type[TaskType]) -> bool:
    """Have msgspec look at a type for the first time, which crashes Python when two threads do it at once."""
    return msgspec.json.Decoder(kind, dec_hook=dec_hook).type is kind


def _hint(name: str, offered: dict[str, str]) -> str:
    # long names begin alike: what is alike has to be what follows
    begin = next((package for package in PACKAGES if name.startswith(package)), "")
    names = [other.removeprefix(begin) for other in (*TYPES, *ALIASES, *offered) if other.startswith(begin)]
    if close := nearest(name.removeprefix(begin), names):
        return close.replace('"', f'"{begin}', 1)
    last = name.rpartition(".")[2].lower()
    alike = [short for short in TYPES if short.rpartition(".")[2] == last]
    return f'Did you mean "{alike[0]}"?' if alike else UnknownTaskType.hint
