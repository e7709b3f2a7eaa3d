"""Is a command about a store, or asked of a server? `--server` and PENSTOCK_SERVER say so, and its twin asks.

Nothing of a client is imported for commands that are about a store.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import click

from penstock.errors.project import WrongCall

F = TypeVar("F", bound=Callable[..., Any])
SERVER: Final = "PENSTOCK_SERVER"
MARK: Final = "asked_of_servers"


class Aim:
    """The server that `penstock client` is about; click finds it by its type, for all commands below."""

    def __init__(self, url: str) -> None:
        self.url = url


def served(twin: str) -> Callable[[F], F]:
    """Let a command be asked of a server: `module:function` is its twin, which is given the address and the options."""

    def declared(command: F) -> F:
        @functools.wraps(command)
        def either(**given: Any) -> Any:
            url = aimed_at(given.pop("server"), given.get("store", ""))
            if not url:
                return command(**given)
            module, _, name = twin.partition(":")
            return getattr(importlib.import_module(module), name)(url, given)

        setattr(either, MARK, twin)
        text = "A server to ask, instead of a store; else PENSTOCK_SERVER is, where it is set."
        return cast(F, click.option("--server", default="", metavar="URL", help=text)(either))

    return declared


def can_be_asked(command: click.Command) -> bool:
    """Whether a server can be asked to do what a command does."""
    return isinstance(command, click.Group) or hasattr(command.callback, MARK)


def aimed_at(server: str, store: str) -> str:
    """The address of the server that is meant; empty where a store is."""
    if server and store:
        raise WrongCall("`--server` and `--store` are two places; name one.")
    if server or store:
        return server
    context = click.get_current_context(silent=True)
    aim = context.find_object(Aim) if context else None
    return aim.url if aim else os.environ.get(SERVER, "")
