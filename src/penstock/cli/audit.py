"""Who did what, when and from where? What was told is listed, held against its seals, and handed out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec

from penstock.cli.ending import Exit
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, instant, json_too, opened, places
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.model.access import EVERYWHERE, Scope
from penstock.services import audit as verbs
from penstock.services.document import instant as shown
from penstock.store.audit import Filter

VERBS: Final = {
    "list": ("penstock.cli.audit:list_acts", "List what was done, newest first."),
    "verify": ("penstock.cli.audit:verify", "See whether what was told is still as it was."),
    "export": ("penstock.cli.audit:export", "Write everything as lines of JSON."),
}

audit = LazyGroup(
    name="audit",
    lazy=VERBS,
    help="Tell who changed what, when and from where, and whether that is still as it was told.",
    no_args_is_help=True,
    **examples("penstock audit list --who ann", "penstock audit verify"),
)


class ListGiven(Given, frozen=True, kw_only=True):
    """What `audit list` was given."""

    who: str = ""
    verb: str = ""
    namespace: str = ""
    since: str = ""
    until: str = ""
    limit: int = 50
    before: str = ""


@click.command(
    "list",
    **examples(
        "penstock audit list",
        "penstock audit list --who ann --since 2016-01-02",
        "penstock audit list --verb runs.kill --in shop --json",
    ),
)
@click.option("--who", default="", metavar="NAME", help="Done by this user, service account or caller.")
@click.option("--verb", default="", metavar="VERB|ACTION", help="Of this kind: runs.kill, people.edit.")
@click.option("--in", "namespace", default="", metavar="NAMESPACE", help="In a namespace and those below it.")
@click.option("--since", default="", metavar="INSTANT", help="At this instant or later.")
@click.option("--until", default="", metavar="INSTANT", help="Before this instant.")
@click.option("--limit", default=50, type=click.IntRange(1, 1_000), help="How many.")
@click.option("--before", default="", metavar="ID", help="Older than this one.")
@json_too
@places
@served("penstock.cli.remote.people:list_acts")
def list_acts(**given: Any) -> None:
    """List what was done: who, what, to what, where from; newest first."""
    asked = msgspec.convert(given, ListGiven)
    wanted = Filter(
        who=asked.who,
        verb=asked.verb,
        since=instant(asked.since, "--since") if asked.since else None,
        until=instant(asked.until, "--until") if asked.until else None,
    )
    scope = Scope(namespaces=(asked.namespace,)) if asked.namespace else EVERYWHERE
    with opened(asked) as app:
        found = verbs.page(app.core, scope, wanted, asked.limit, asked.before)
    tell_acts(found, asked)


def tell_acts(found: Sequence[verbs.Listed], asked: ListGiven) -> None:
    """Tell what was done."""
    if asked.json:
        as_json(found)
        return
    if found:
        rows = [(shown(one.at) or "", one.who, one.verb, one.object, one.namespace, _from(one)) for one in found]
        data(table(("AT", "WHO", "DID", "TO", "NAMESPACE", "BY WAY OF"), rows))
    else:
        note("Nothing that fits was done.")
    if len(found) == asked.limit:
        note(f"Older ones: --before {found[-1].id}")


@click.command(
    "verify", **examples("penstock audit verify", "penstock audit verify --head 9f86d081884c7d65…   one kept elsewhere")
)
@click.option("--head", default="", metavar="HASH", help="The head of an earlier look, which must still be there.")
@json_too
@places
@served("penstock.cli.remote.people:verify")
def verify(**given: Any) -> int:
    """Seal what waits, and look whether any row was changed, removed or inserted since it was sealed.

    Keep the head elsewhere: who may write to the database could make the whole chain anew, and only an earlier head
    shows it. Exit code 0 when all is as it was told, 4 when something is not.
    """
    head = given.pop("head")
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        verbs.seal(app.core)
        found = verbs.verify(app.core, head)
    return tell_chain(found, wants_json=asked.json)


def tell_chain(found: verbs.Verified, *, wants_json: bool) -> int:
    """Tell whether all is as it was told."""
    if wants_json:
        as_json(found)
    else:
        for problem in found.problems:
            data(problem)
        if found.sound:
            data(found.head)
    state = "all as it was told" if found.sound else f"{len(found.problems):,} things are not as they were told"
    note(f"{found.acts:,} acts in {found.seals:,} seals: {state}.")
    return Exit.SUCCESS if found.sound else Exit.SYSTEM_FAILED


@click.command("export", **examples("penstock audit export > audit.jsonl"))
@places
@served("penstock.cli.remote.people:export")
def export(**given: Any) -> None:
    """Write everything as lines of JSON, oldest first, each seal behind its acts."""
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        verbs.seal(app.core)
        for line in verbs.lines(app.core):
            sys.stdout.write(line + "\n")


def _from(one: verbs.Listed) -> str:
    return " ".join(part for part in (one.via, one.origin) if part)
