"""How are the values looked after that flows keep for each other? Told, kept, listed and forgotten, by namespace."""

from __future__ import annotations

import json as lenient
from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec

from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, instant, json_too, opened, places, project_of
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.errors.project import WrongCall
from penstock.services import kv as verbs
from penstock.services.document import instant as shown
from penstock.store.kv import Entry

VERBS: Final = {
    "get": ("penstock.cli.kv:get", "Tell the value of a key."),
    "set": ("penstock.cli.kv:put", "Keep a value under a key."),
    "list": ("penstock.cli.kv:list_keys", "List the keys of a namespace."),
    "delete": ("penstock.cli.kv:delete", "Forget the value of a key."),
}
MOST: Final = 10_000

kv = LazyGroup(
    name="kv",
    lazy=VERBS,
    help="Look after the values that flows keep for each other: `kv('KEY')` is how flows ask for them.",
    no_args_is_help=True,
    **examples("penstock kv set last_day 2016-01-31 --in shop", "penstock kv get last_day --in shop"),
)


class KvGiven(Given, frozen=True, kw_only=True):
    """What the verbs about kept values were given."""

    key: str = ""
    value: str = ""
    within: str = ""
    expires: str = ""
    prefix: str = ""


def _within(command: Any) -> Any:
    text = "The namespace that has it; the project's, where none is given."
    return click.option("--in", "within", default="", metavar="NAMESPACE", help=text)(command)


@click.command("get", **examples("penstock kv get last_day --in shop", "penstock kv get rates --in shop --json"))
@click.argument("key")
@_within
@json_too
@places
@served("penstock.cli.remote.kept:get_value")
def get(**given: Any) -> None:
    """Tell the value of a key: a text as it is, all else as JSON."""
    asked = msgspec.convert(given, KvGiven)
    with opened(asked) as app:
        found = verbs.get(app.core, namespace_of(asked), asked.key)
    tell_value(found.value, wants_json=asked.json)


@click.command(
    "set",
    **examples(
        "penstock kv set last_day 2016-01-31 --in shop",
        "penstock kv set rates '{\"eur\": 1.07}' --in shop --expires 2016-12-31",
    ),
)
@click.argument("key")
@click.argument("value")
@_within
@click.option("--expires", default="", metavar="INSTANT", help="When it is forgotten by itself.")
@json_too
@places
@served("penstock.cli.remote.kept:put_value")
def put(**given: Any) -> None:
    """Keep a value under a key: numbers, lists and the like as JSON, anything else as a text."""
    asked = msgspec.convert(given, KvGiven)
    expires = instant(asked.expires, "--expires") if asked.expires else None
    with opened(asked, make=True) as app:
        made = verbs.put(app.core, namespace_of(asked), asked.key, value_of(asked.value), expires)
    tell_kept(made, wants_json=asked.json)


@click.command("list", **examples("penstock kv list --in shop", "penstock kv list --in shop --prefix last"))
@_within
@click.option("--prefix", default="", help="Whose names begin so.")
@json_too
@places
@served("penstock.cli.remote.kept:list_keys")
def list_keys(**given: Any) -> None:
    """List the keys of a namespace, without their values."""
    asked = msgspec.convert(given, KvGiven)
    with opened(asked) as app:
        tell_list(verbs.keys(app.core, namespace_of(asked), MOST, asked.prefix), wants_json=asked.json)


@click.command("delete", **examples("penstock kv delete last_day --in shop"))
@click.argument("key")
@_within
@places
@served("penstock.cli.remote.kept:delete_value")
def delete(**given: Any) -> None:
    """Forget the value of a key."""
    asked = msgspec.convert(given, KvGiven)
    with opened(asked) as app:
        verbs.delete(app.core, namespace_of(asked), asked.key)
    note(f"{asked.key} of {namespace_of(asked)} is forgotten.")


def namespace_of(asked: KvGiven) -> str:
    """The namespace that was said, else the project's. Raises WrongCall."""
    namespace = asked.within or project_of(asked.project).settings.namespace
    if not namespace:
        raise WrongCall("Which namespace has it?", hint="Example: --in shop")
    return namespace


def value_of(text: str) -> object:
    """A value as it was typed: JSON where it is that, else the text itself."""
    try:
        return lenient.loads(text)
    except ValueError:
        return text


def tell_value(value: object, *, wants_json: bool) -> None:
    """Tell a value."""
    if isinstance(value, str) and not wants_json:
        data(value)
    else:
        as_json(value)


def tell_kept(made: Entry, *, wants_json: bool) -> None:
    """Tell that a value is kept."""
    if wants_json:
        as_json(made)
    note(f"{made.key} of {made.namespace} is kept, version {made.version}.")


def tell_list(found: Sequence[Entry], *, wants_json: bool) -> None:
    """Tell keys, without their values."""
    if wants_json:
        as_json([{"key": e.key, "version": e.version, "changed": shown(e.changed_at), "expires": shown(e.expires_at)}
                 for e in found])  # fmt: skip
    elif found:
        rows = [(e.key, str(e.version), shown(e.changed_at) or "", shown(e.expires_at) or "never") for e in found]
        data(table(("KEY", "VERSION", "CHANGED", "EXPIRES"), rows))
    else:
        note("No values are kept there.")
