"""How are secrets kept from the command line? Set without being seen, listed by name, deleted, sealed anew."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from penstock.cli.ending import Exit
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.errors.project import NoSuchFile, WrongCall
from penstock.model.access import EVERYWHERE
from penstock.services.document import instant
from penstock.services.secrets import verbs
from penstock.settings.read import Project
from penstock.store.secrets import Named

VERBS: Final = {
    "set": ("penstock.cli.secrets:put", "Keep a secret, new or changed."),
    "list": ("penstock.cli.secrets:list_secrets", "List secrets: names, versions, who changed them when."),
    "delete": ("penstock.cli.secrets:delete", "Forget a secret."),
    "rotate": ("penstock.cli.secrets:rotate", "Seal all secrets anew, by new keys."),
    "verify": ("penstock.cli.secrets:verify", "See that every secret can be unsealed."),
}
STDIN: Final = "-"

secrets = LazyGroup(
    name="secrets",
    lazy=VERBS,
    help="Keep secrets in the store, sealed; flows ask for them with `secret('NAME')`. Nothing shows their texts.",
    no_args_is_help=True,
    **examples("penstock secrets set DB_PASSWORD --in shop", "penstock secrets list"),
)


class SecretGiven(Given, frozen=True, kw_only=True):
    """What the verbs about secrets were given."""

    name: str = ""
    value: str = ""
    within: str = ""
    forget: bool = False


def _within(command: Any) -> Any:
    text = "The namespace that has it, and those below; the project's, where none is given."
    return click.option("--in", "within", default="", metavar="NAMESPACE", help=text)(command)


@click.command(
    "set",
    **examples(
        "penstock secrets set DB_PASSWORD --in shop          asks for it",
        "pass show db | penstock secrets set DB_PASSWORD --in shop -",
        "penstock secrets set SSH_KEY --in shop @id_ed25519",
    ),
)
@click.argument("name")
@click.argument("value", default="", metavar="[@FILE|-]")
@_within
@json_too
@places
@served("penstock.cli.remote.kept:put_secret")
def put(**given: Any) -> None:
    """Keep a secret. Its text is asked for, or read from a file (@FILE) or from standard input (-); it is never an
    argument, which others would see. A line break behind a single line is no part of it.
    """
    asked = msgspec.convert(given, SecretGiven)
    with opened(asked, make=True) as app:
        made = verbs.put(app.core, namespace_of(app.project, asked), asked.name, text_of(asked.value))
    tell_kept(made, wants_json=asked.json)


def tell_kept(made: Named, *, wants_json: bool) -> None:
    """Tell that a secret is kept."""
    if wants_json:
        as_json(made)
    note(f"{made.name} of {made.namespace} is kept, version {made.version}.")


@click.command("list", **examples("penstock secrets list", "penstock secrets list --in shop --json"))
@click.option("--in", "within", default="", metavar="NAMESPACE", help="Only those of this namespace.")
@json_too
@places
@served("penstock.cli.remote.kept:list_secrets")
def list_secrets(**given: Any) -> None:
    """List the secrets of the store: names, versions, who changed them when. Nothing shows their texts."""
    asked = msgspec.convert(given, SecretGiven)
    with opened(asked) as app:
        found = [one for one in verbs.every(app.core, EVERYWHERE) if asked.within in ("", one.namespace)]
    tell_list(found, wants_json=asked.json)


def tell_list(found: Sequence[Named], *, wants_json: bool) -> None:
    """Tell secrets, without their texts."""
    if wants_json:
        as_json(found)
    elif found:
        rows = [_row(one) for one in found]
        data(table(("NAMESPACE", "NAME", "VERSION", "CHANGED", "BY"), rows))
    else:
        note("There are no secrets.")


@click.command("delete", **examples("penstock secrets delete DB_PASSWORD --in shop"))
@click.argument("name")
@_within
@places
@served("penstock.cli.remote.kept:delete_secret")
def delete(**given: Any) -> None:
    """Forget a secret; who had set it when stays in the audit."""
    asked = msgspec.convert(given, SecretGiven)
    with opened(asked) as app:
        namespace = namespace_of(app.project, asked)
        verbs.delete(app.core, namespace, asked.name)
    note(f"{asked.name} of {namespace} is forgotten.")


@click.command("rotate", **examples("penstock secrets rotate", "penstock secrets rotate --forget"))
@click.option("--forget", is_flag=True, help="Remove old master keys: copies of the store from before cannot be read.")
@json_too
@places
@served("penstock.cli.remote.kept:rotate_secrets")
def rotate(**given: Any) -> None:
    """Seal all secrets anew: new data keys, and a new master key where it is in a file. Nothing needs to restart."""
    asked = msgspec.convert(given, SecretGiven)
    with opened(asked) as app:
        done = verbs.rotate(app.core, forget=asked.forget)
    tell_rotated(done, asked)


def tell_rotated(done: verbs.Rotated, asked: SecretGiven) -> None:
    """Tell what was sealed anew."""
    if asked.json:
        as_json(done)
    gone = f" {done.forgotten} old master key{'' if done.forgotten == 1 else 's'} forgotten." if asked.forget else ""
    note(f"{done.secrets} sealed anew by the master key {done.master}.{gone}")


@click.command("verify", **examples("penstock secrets verify"))
@json_too
@places
@served("penstock.cli.remote.kept:verify_secrets")
def verify(**given: Any) -> int:
    """See that every secret can be unsealed with the master keys that are here; no text is shown."""
    asked = msgspec.convert(given, SecretGiven)
    with opened(asked) as app:
        found = verbs.verify(app.core)
    return tell_verified(found, wants_json=asked.json)


def tell_verified(found: verbs.Verified, *, wants_json: bool) -> int:
    """Tell which secrets can be unsealed."""
    if wants_json:
        as_json(found)
    elif found.bad:
        data(table(("NAMESPACE", "NAME", "WHY"), [(one.namespace, one.name, one.why) for one in found.bad]))
    note(f"{found.good} can be unsealed, {len(found.bad)} cannot.")
    return Exit.SYSTEM_FAILED if found.bad else Exit.SUCCESS


def _row(one: Named) -> tuple[str, ...]:
    return one.namespace, one.name, str(one.version), instant(one.changed_at) or "", one.changed_by


def namespace_of(project: Project, asked: SecretGiven) -> str:
    """The namespace that was said, else the project's. Raises WrongCall."""
    namespace = asked.within or project.settings.namespace
    if not namespace:
        raise WrongCall("Which namespace has it?", hint=f"Example: penstock secrets set {asked.name} --in shop")
    return namespace


def text_of(given: str) -> str:
    """The text of a secret: asked for, or from where it was said to be. Raises WrongCall, NoSuchFile."""
    if given == STDIN or (not given and not sys.stdin.isatty()):
        return _one_line(sys.stdin.buffer.read(), "Standard input")
    if not given:
        asked: str = click.prompt("Secret", hide_input=True, confirmation_prompt=True, err=True)
        return asked
    if not given.startswith("@"):
        hint = "Leave it out to be asked, or give @FILE, or - for standard input."
        raise WrongCall("The text of a secret is no argument: others would see it, and the shell keep it.", hint=hint)
    try:
        return _one_line(Path(given[1:]).read_bytes(), given[1:])
    except OSError as error:
        raise NoSuchFile(f"The file {given[1:]} cannot be read: {error.strerror}.") from error


def _one_line(body: bytes, where: str) -> str:
    try:
        text = body.decode()
    except UnicodeError:
        raise WrongCall(f"{where} is no text in UTF-8.", hint="Keep bytes in base64.") from None
    line = text.removesuffix("\n").removesuffix("\r")
    return text if "\n" in line else line
