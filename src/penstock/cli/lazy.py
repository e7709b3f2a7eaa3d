"""How does `penstock --help` answer at once? A group knows names and sentences, and imports what is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from penstock.errors import nearest


class LazyGroup(click.Group):
    """A group whose commands stand elsewhere: `lazy` has, by name, where (`module:attribute`) and a sentence."""

    def __init__(self, name: str, *, lazy: Mapping[str, tuple[str, str]], **more: Any) -> None:
        super().__init__(name, **more)
        self.lazy = dict(lazy)

    def list_commands(self, context: click.Context) -> list[str]:
        """Every command, in the order in which they are told."""
        return list(self.lazy)

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; one that is none is told with the one that was probably meant."""
        told = args[0].startswith("-") or context.resilient_parsing
        if not told and self.get_command(context, args[0]) is None:
            context.fail(f'There is no command "{args[0]}". {nearest(args[0], self.lazy)}'.strip())
        return super().resolve_command(context, args)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the command that is called."""
        found = self.lazy.get(name)
        if found is None:
            return None
        module, _, attribute = found[0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in self.lazy.items()])
