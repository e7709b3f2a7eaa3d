"""By what do programs come in? Tokens are made, listed and made worthless."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec

from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.errors.project import WrongCall
from penstock.model.access import Narrowed
from penstock.sdk.values import Duration
from penstock.services.access import tokens as verbs
from penstock.services.access.own_roles import read_actions
from penstock.services.document import instant
from penstock.store.credentials import Token

VERBS: Final = {
    "list": ("penstock.cli.tokens:list_tokens", "List tokens: whose they are, what they are good for, until when."),
    "add": ("penstock.cli.tokens:add", "Make a token, which is told once."),
    "revoke": ("penstock.cli.tokens:revoke", "Make a token worthless, now."),
}
NEVER: Final = "never"

tokens = LazyGroup(
    name="tokens",
    lazy=VERBS,
    help="Let programs in: tokens of users and service accounts.",
    no_args_is_help=True,
    **examples("penstock tokens add nightly --action runs.start --in shop", "penstock tokens list"),
)


class TokenGiven(Given, frozen=True, kw_only=True):
    """What `tokens add` was given."""

    name: str
    label: str = ""
    expires: str = "P90D"
    actions: tuple[str, ...] = ()
    within: tuple[str, ...] = ()


@click.command("list", **examples("penstock tokens list", "penstock tokens list nightly --json"))
@click.argument("name", default="")
@json_too
@places
@served("penstock.cli.remote.people:list_tokens")
def list_tokens(**given: Any) -> None:
    """List tokens, of all or of one: whose they are, what they are good for, until when. Secrets are not kept."""
    name = given.pop("name")
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        found = verbs.every(app.core, name)
    tell_tokens(found, wants_json=asked.json)


def tell_tokens(found: Sequence[Token], *, wants_json: bool) -> None:
    """Tell tokens, without their secrets."""
    if wants_json:
        as_json(found)
    elif found:
        data(table(("BEGINS", "OF", "LABEL", "KEEPS", "EXPIRES", "USED"), [_row(one) for one in found]))
    else:
        note("There are no tokens.")


@click.command(
    "add",
    **examples(
        "penstock tokens add nightly",
        "penstock tokens add nightly --label cron --action runs.start --action 'flows.*' --in shop",
        "TOKEN=$(penstock tokens add nightly --expires P1D)",
    ),
)
@click.argument("name")
@click.option("--label", default="", help="What it is for.")
@click.option("--expires", default="P90D", metavar="DURATION|never", help="When it ends: P1D, PT8H; P90D else.")
@click.option("--action", "actions", multiple=True, metavar="ACTION", help="Keep this right only; may be repeated.")
@click.option("--in", "within", multiple=True, metavar="NAMESPACE", help="Keep rights here only; may be repeated.")
@json_too
@places
@served("penstock.cli.remote.people:add_token")
def add(**given: Any) -> None:
    """Make a token: it may do what its owner may, or less. It goes to stdout, and is told this once."""
    asked = msgspec.convert(given, TokenGiven)
    narrowed = Narrowed(
        actions=read_actions(asked.actions) if asked.actions else None,
        namespaces=asked.within or None,
    )
    wanted = verbs.Wanted(label=asked.label, narrowed=narrowed, life=life_of(asked.expires))
    with opened(asked) as app:
        made = verbs.add(app.core, asked.name, wanted)
    tell_made(made, wants_json=asked.json)


def tell_made(made: verbs.Made, *, wants_json: bool) -> None:
    """Tell a new token, this once."""
    if wants_json:
        as_json(made)
    else:
        data(made.secret)
    until = instant(made.token.expires_at)
    note(f"It is told this once, and good {f'until {until}' if until else 'until it is revoked'}.")


@click.command("revoke", **examples("penstock tokens revoke pst_4k2m9x1c"))
@click.argument("begins", metavar="BEGINS")
@places
@served("penstock.cli.remote.people:revoke_token")
def revoke(**given: Any) -> None:
    """Make a token worthless, now: name it by what it begins with."""
    begins = given.pop("begins")
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        gone = verbs.revoke(app.core, begins)
    note(f"The token {gone.prefix} of {gone.person} is worth nothing any more.")


def life_of(text: str) -> int | None:
    """How long a token lives, in microseconds; None for one without an end. Raises WrongCall."""
    if text == NEVER:
        return None
    try:
        life = Duration.read(text)
    except ValueError as error:
        raise WrongCall(f"--expires: {error}.", hint="Or: never") from None
    if life <= 0:
        raise WrongCall("--expires: a token lives for some time.", hint="Example: --expires P30D")
    return int(life)


def _row(one: Token) -> tuple[str, ...]:
    kept = one.narrowed
    actions = "" if kept.actions is None else ", ".join(sorted(kept.actions)) or "nothing"
    within = "" if kept.namespaces is None else f"in {', '.join(kept.namespaces)}"
    keeps = " ".join(part for part in (actions, within) if part) or "all"
    return one.prefix, one.person, one.label, keeps, instant(one.expires_at) or NEVER, instant(one.used_at) or NEVER
