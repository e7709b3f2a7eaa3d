"""What does the code say of itself? Errors, commands, settings, task types, the language: as sections of Markdown."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import get_args

import click
import msgspec

import penstock.errors
from penstock.errors import PenstockError
from penstock.expr.catalogue import catalogue
from penstock.sdk import registry
from penstock.sdk.builtin import TYPES
from penstock.sdk.describe import fields, reference


class Account(msgspec.Struct, frozen=True):
    """One page: its title, the sentence that it opens with, its sections."""

    title: str
    about: str
    sections: list[str]


def errors() -> Account:
    """Every error class, by area and code."""
    sections = []
    for module in error_modules():
        own = [kind for kind in error_classes() if kind.__module__ == module.__name__]
        if own:
            rows = [f"| `{kind.code}` | {sentence(kind)} | {cell(kind.hint)} |" for kind in own]
            sections.append(
                "\n".join([f"## {topic(module)}", "", "| code | what it says | what helps |", "|---|---|---|", *rows])
            )
    return Account(
        "Errors", "Every error has a code, a sentence about the case at hand, and a hint where there is one.", sections
    )


def error_modules() -> list[ModuleType]:
    """The modules that hold error classes, in the order of their codes."""
    names = [page.name for page in pkgutil.walk_packages(penstock.errors.__path__, "penstock.errors.")]
    modules = [penstock.errors, *map(importlib.import_module, names)]
    first = {
        module.__name__: min((k.code for k in error_classes() if k.__module__ == module.__name__), default="")
        for module in modules
    }
    return sorted(modules, key=lambda module: first[module.__name__])


def error_classes() -> list[type[PenstockError]]:
    """PenstockError and all its kinds within the package, by code."""
    found: dict[str, type[PenstockError]] = {}
    waiting: list[type[PenstockError]] = [PenstockError]
    while waiting:
        kind = waiting.pop()
        if kind.__module__.startswith("penstock."):
            found[f"{kind.__module__}.{kind.__qualname__}"] = kind
        waiting.extend(kind.__subclasses__())
    return sorted(found.values(), key=lambda kind: (kind.code, kind.__qualname__))


def expressions() -> Account:
    """Every filter, function and test."""
    sections = []
    for kind, title in (("filter", "Filters"), ("function", "Functions"), ("test", "Tests")):
        rows = []
        for word in catalogue():
            if word.kind == kind:
                notes = "" if word.pure else " Reaches out: its value is recorded."
                notes += f" Older name of `{word.replaced_by}`." if word.replaced_by else ""
                rows.append(f"| `{cell(word.signature)}` | {cell(word.doc)}{notes} |")
        sections.append("\n".join([f"## {title}", "", "| written | what it gives |", "|---|---|", *rows]))
    return Account("Expressions", "The words of `{{ … }}`: a filter follows a `|`, a test follows `is`.", sections)


def task_types() -> Account:
    """Every task type that comes with Penstock."""
    sections = [re.sub(r"^# ", "## ", reference(registry.find(name))) for name in sorted(TYPES)]
    return Account("Task types", "What a task can be; `penstock types NAME` says the same on a terminal.", sections)


def commands() -> Account | None:
    """Every command with its options, as `--help` has them."""
    main = module_if_there("penstock.cli.main")
    root = next((value for value in vars(main).values() if isinstance(value, click.Group)), None) if main else None
    if root is None:
        return None
    sections = []
    for path, command in commands_under(root, ("penstock",)):
        # What a command says of its own settings, as an invocation would: which options give help, for one.
        given = {**command.context_settings, "terminal_width": 100}
        context = click.Context(command, info_name=" ".join(path), **given)
        sections.append(f"## {' '.join(path)}\n\n```text\n{command.get_help(context).rstrip()}\n```")
    return Account("Commands", "Data goes to stdout, all else to stderr; `--json` is everywhere.", sections)


def commands_under(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command and what is below it, by name."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1])
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from commands_under(inner, (*path, name))


def settings() -> Account | None:
    """Every key of penstock.yaml, section by section."""
    module = module_if_there("penstock.settings.keys")
    if module is None:
        return None
    sections = [f"## {sentence(kind)}\n\n{keys(kind)}" for kind in structs_in(module.Settings)]
    return Account("Settings", "The keys of `penstock.yaml`; one that is unknown is refused.", sections)


def keys(kind: type[msgspec.Struct]) -> str:
    """The table of one section's keys."""
    rows = []
    for field in fields(kind):
        nested = isinstance(field.default, dict) and field.default
        default = "**required**" if field.required else "" if nested else f"`{shown(field.default)}`"
        rows.append(f"| `{field.name}` | {field.type} | {default} | {cell(field.description)} |")
    return "\n".join(["| key | is | default | what it says |", "|---|---|---|---|", *rows])


def structs_in(hint: object) -> Iterator[type[msgspec.Struct]]:
    """The values that an annotation names, each followed by those that its fields name."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
        for field in msgspec.structs.fields(hint):
            yield from structs_in(field.type)
    for part in get_args(hint):
        yield from structs_in(part)


def shown(value: object) -> str:
    """A default as YAML would have it on one line."""
    return msgspec.json.encode(value).decode()


def module_if_there(name: str) -> ModuleType | None:
    """A module, or nothing where its floor is not built yet."""
    parent = name.rpartition(".")[0]
    if importlib.util.find_spec(parent) is None or importlib.util.find_spec(name) is None:
        return None
    return importlib.import_module(name)


def topic(module: ModuleType) -> str:
    """The question that a module answers, as a heading."""
    if module is penstock.errors:
        return "Any"
    return (module.__doc__ or "").splitlines()[0].partition("?")[0] + "?"


def sentence(kind: type) -> str:
    """A class's docstring as one line of a table."""
    return cell((kind.__doc__ or "").split("\n\n")[0])


def cell(text: str) -> str:
    """A text as it may stand in a Markdown table."""
    return " ".join(text.split()).replace("|", r"\|")
