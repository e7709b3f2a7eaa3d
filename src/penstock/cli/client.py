"""How do people come in to a server from a terminal? A login keeps a token; commands then speak to that server."""

from __future__ import annotations

import importlib
import os
import socket
import sys
from typing import Any, Final

import click
import msgspec

from penstock.cli.lazy import LazyGroup
from penstock.cli.main import COMMANDS
from penstock.cli.options import HELP, examples, json_too
from penstock.cli.passwords import from_stdin_too
from penstock.cli.remote import logins
from penstock.cli.remote.aim import SERVER, Aim, can_be_asked
from penstock.cli.remote.logins import Login
from penstock.cli.said import as_json, data, note, table
from penstock.client import Client, log_in
from penstock.errors import PenstockError
from penstock.errors.access import NoPassword
from penstock.errors.client import NotForServers
from penstock.errors.project import WrongCall

VERBS: Final = {
    "login": ("penstock.cli.client:login", "Log in to a server, and keep a token for it."),
    "logout": ("penstock.cli.client:logout", "Forget a login, and make its token worthless."),
    "list": ("penstock.cli.client:list_logins", "List the servers that one is logged in to."),
}
STDIN: Final = "-"


class Asking(LazyGroup):
    """Its own verbs, and below it every command that a server can be asked for, under its own name."""

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """One of its verbs, else the command that is called so elsewhere."""
        own = super().get_command(context, name)
        if own is not None or name not in COMMANDS:
            return own
        module, _, attribute = COMMANDS[name][0].partition(":")
        return _narrow(getattr(importlib.import_module(module), attribute))


class Narrow(click.Group):
    """A group of commands without those that work on a store alone."""

    def __init__(self, whole: click.Group) -> None:
        super().__init__(whole.name, help=whole.help, epilog=whole.epilog, no_args_is_help=True, context_settings=HELP)
        self._whole = whole

    def list_commands(self, context: click.Context) -> list[str]:
        """Those of its commands that a server can be asked for."""
        every = {name: self._whole.get_command(context, name) for name in self._whole.list_commands(context)}
        return [name for name, found in every.items() if found is not None and can_be_asked(found)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command that is called. Raises NotForServers."""
        found = self._whole.get_command(context, name)
        return _narrow(found) if found else None


def _narrow(command: click.Command) -> click.Command:
    if isinstance(command, click.Group):
        return Narrow(command)
    if not can_be_asked(command):
        raise NotForServers(f"`{command.name}` works on a store or on files, and cannot be asked of a server.")
    return command


@click.pass_context
def _aimed(context: click.Context, server: str) -> None:
    url = server or os.environ.get(SERVER, "")
    if context.invoked_subcommand not in VERBS:
        url = url or logins.newest()
        if not url:
            raise WrongCall("Which server?", hint="`penstock client login URL`, --server URL, or PENSTOCK_SERVER.")
        context.obj = Aim(url)


client = Asking(
    name="client",
    lazy=VERBS,
    callback=_aimed,
    params=[click.Option(["--server"], default="", metavar="URL", help="Instead of the last one logged in to.")],
    help="Log in to a server, and ask it: `penstock client runs list` is `penstock runs list --server URL`, and so for"
    " each command that has --server.",
    no_args_is_help=True,
    **examples(
        "penstock client login https://penstock.example.org",
        "penstock client runs list --status failed",
        "penstock client flows plan",
    ),
)


class LoginGiven(msgspec.Struct, frozen=True, kw_only=True):
    """What a login was given."""

    url: str
    name: str = ""
    token: str = ""
    from_stdin: bool = False
    days: int = 90


@click.command(
    "login",
    **examples(
        "penstock client login https://penstock.example.org",
        "penstock client login https://penstock.example.org --token -      a token from standard input",
    ),
)
@click.argument("url")
@click.option("--name", default="", help="Who logs in; asked for where it is not said.")
@click.option("--token", default="", metavar="-", help="Read a token from standard input, instead of a password.")
@click.option("--days", type=click.IntRange(1, 3_650), default=90, help="How long the token lives that is made.")
@from_stdin_too
def login(**given: Any) -> None:
    """Log in to a server: its token is kept in the keyring of this system where there is one, else in a file that only
    you can read.
    """
    asked = msgspec.convert(given, LoginGiven)
    url = asked.url.rstrip("/")
    if asked.token and asked.token != STDIN:
        hint = "Say `--token -`, and give it on standard input."
        raise WrongCall("A token is no argument: others would see it, and the shell keep it.", hint=hint)
    token = sys.stdin.readline().strip() if asked.token else _by_password(url, asked)
    with Client(url, token) as asking:
        me = asking.people.me()
    made = "" if asked.token else me.via.removeprefix("token ")
    if asking.wire.way.open:
        note("What is sent there is not encrypted: the token can be read on the way. An address with https:// is safe.")
    where = logins.keep(Login(url=url, name=me.name, token=token, begins=made))
    note(f"Logged in to {url} as {me.name}; the token is kept in {'the keyring' if where == 'keyring' else where}.")


def _by_password(url: str, asked: LoginGiven) -> str:
    if asked.from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = ""
    else:
        raise NoPassword("There is no terminal to ask for a password on.", hint="Say --password-stdin, or --token -.")
    name = asked.name or click.prompt("Name", err=True)
    password = password or click.prompt("Password", hide_input=True, err=True)
    return log_in(url, name, password, label=f"penstock client on {socket.gethostname()}", days=asked.days)


@click.command("logout", **examples("penstock client logout", "penstock client logout https://penstock.example.org"))
@click.argument("url", default="")
def logout(url: str) -> None:
    """Forget a login, the last one where none is named; a token that the login made is made worthless, too."""
    url = url.rstrip("/") or logins.newest()
    found = next((each for each in logins.every() if each.url == url), None)
    if found is None:
        raise WrongCall(f"You are not logged in to {url or 'any server'}.")
    if found.begins:
        try:
            with Client(url, logins.token_of(url)) as asking:
                asking.tokens.revoke(found.begins, own=True)
        except PenstockError as error:
            note(f"The token {found.begins} is forgotten here, and may still be good there: {error.sentence}")
    logins.forget(found)
    note(f"Logged out of {url}.")


@click.command("list", **examples("penstock client list", "penstock client list --json"))
@json_too
def list_logins(*, json: bool) -> None:
    """List the servers that one is logged in to, and as whom; the last one is asked where none is named."""
    found = logins.every()
    if json:
        as_json([{"url": each.url, "name": each.name} for each in found])
    elif found:
        data(table(("SERVER", "AS", "TOKEN"), [(each.url, each.name, each.begins) for each in found]))
    else:
        note("You are logged in to no server.")
