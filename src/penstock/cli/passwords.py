"""How does a command come by a password? By asking on the terminal, or from standard input: never as an argument."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from penstock.errors.access import NoPassword

F = TypeVar("F", bound=Callable[..., Any])


def from_stdin_too(command: F) -> F:
    """Let a command take a password from standard input."""
    text = "Read the password from standard input, its first line."
    return click.option("--password-stdin", "from_stdin", is_flag=True, help=text)(command)


def read_password(*, from_stdin: bool) -> str:
    """Ask for a new password, twice, or read it. Raises NoPassword where there is nobody to ask."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise NoPassword("Standard input has no password in its first line.")
        return password
    if not sys.stdin.isatty():
        raise NoPassword("There is no terminal to ask for a password on.", hint="Say --password-stdin, or --invite.")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return asked
