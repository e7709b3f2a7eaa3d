"""How does a shell complete our commands? By a script that it reads at its start."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import get_completion_class

from penstock.cli.options import HELP
from penstock.cli.said import data
from penstock.errors.project import WrongCall


@click.command(
    "completion",
    context_settings=HELP,
    epilog="\b\nExamples:\n"
    "  penstock completion bash > ~/.local/share/bash-completion/completions/penstock\n"
    "  penstock completion zsh > ~/.zfunc/_penstock\n"
    "  penstock completion fish > ~/.config/fish/completions/penstock.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, /, **given: Any) -> None:
    """Print the script that completes commands in a shell."""
    kind = get_completion_class(given["shell"])
    if kind is None:
        raise WrongCall(f"Nothing is known of the shell {given['shell']}.")
    data(kind(context.find_root().command, {}, "penstock", "_PENSTOCK_COMPLETE").source())
