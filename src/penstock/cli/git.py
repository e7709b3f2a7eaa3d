"""How do branches that flows come from stand, and how is one brought here now, from the command line?"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec

from penstock.app.branches import branches_of, copies_of
from penstock.app.manner import manner_of
from penstock.cli.ending import Exit
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table, tell_problems
from penstock.services.git.pulling import found
from penstock.services.git.sync import Synced, problems_of, sync
from penstock.services.pushing import What
from penstock.store import git as kept
from penstock.store.git import State

VERBS: Final = {
    "status": ("penstock.cli.git:status", "Tell how branches stand: commits, and what is wrong with them."),
    "sync": ("penstock.cli.git:bring", "Let the newest commit of a branch stand here, now."),
}
SIGNS: Final = {What.NEW: "+", What.CHANGED: "~", What.GONE: "-", What.SAME: " "}

git = LazyGroup(
    name="git",
    lazy=VERBS,
    help="Let branches be the source of flows: tell how they stand, bring one here now.",
    no_args_is_help=True,
    **examples("penstock git status", "penstock git sync shop --dry-run"),
)


class GitGiven(Given, frozen=True, kw_only=True):
    """What the verbs about branches were given."""

    name: str = ""
    dry_run: bool = False


@click.command("status", **examples("penstock git status", "penstock git status shop --json"))
@click.argument("name", required=False, default="")
@json_too
@places
@served("penstock.cli.remote.watching:status")
def status(**given: Any) -> int:
    """Tell how branches stand: the commit that was looked at, the one that stands here, and what is wrong.

    It ends with 3 where something is.
    """
    asked = msgspec.convert(given, GitGiven)
    with opened(asked) as app:
        sources = branches_of(app)
        names = [found(sources, asked.name).name] if asked.name else list(sources)
        states = app.core.store.read(kept.every)
    return tell_branches([states.get(name, State(name=name)) for name in names], asked)


def tell_branches(shown: Sequence[State], asked: GitGiven) -> int:
    """Tell how branches stand."""
    wrong = tuple(problem for each in shown for problem in problems_of(each))
    if asked.json:
        as_json([{**msgspec.structs.asdict(each), "problems": problems_of(each)} for each in shown])
    elif shown:
        rows = [
            (each.name, each.looked_commit[:12], _local(each.looked_at), each.applied_commit[:12]) for each in shown
        ]
        data(table(("BRANCH", "LOOKED AT", "WHEN", "STANDS HERE"), rows))
        tell_problems(wrong)
    else:
        note("The settings name no branch: the key `git` of penstock.yaml does.")
    return Exit.INVALID_FLOW if wrong else Exit.SUCCESS


@click.command("sync", **examples("penstock git sync shop", "penstock git sync shop --dry-run"))
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only tell what would change; not by a server.")
@json_too
@places
@served("penstock.cli.remote.watching:bring")
def bring(**given: Any) -> int:
    """Let the newest commit of a branch stand here: all of it, or nothing where something in it is wrong."""
    asked = msgspec.convert(given, GitGiven)
    with opened(asked, make=True) as app:
        source = found(branches_of(app), asked.name)
        done = sync(app.core, source, manner_of(app.project), copies_of(app), dry_run=asked.dry_run)
    if done is None:
        note("A server has looked at it meanwhile: `penstock git status` tells what came of it.")
        return Exit.SUCCESS
    if asked.json:
        as_json(done)
    else:
        _tell(done, dry_run=asked.dry_run)
    return Exit.SUCCESS if done.valid else Exit.INVALID_FLOW


def _tell(done: Synced, *, dry_run: bool) -> None:
    tell_problems(done.problems)
    if not done.valid:
        note(f"{done.name} stays as it was: commit {done.commit[:12] or 'unknown'} has errors.")
        return
    flows = [(each.what, f"{each.namespace}.{each.flow}", each.file) for each in done.flows]
    files = [(each.what, f"{each.namespace}: {each.path}", "") for each in done.files]
    changed = [(SIGNS[what], name, file) for what, name, file in (*flows, *files) if what is not What.SAME]
    for each in changed:
        data(" ".join(each).rstrip())
    count = f"{len(changed)} change{'' if len(changed) == 1 else 's'}"
    note(f"Commit {done.commit[:12]} of {done.name} {'would bring' if dry_run else 'stands here'}: {count}.")


def _local(micros: int) -> str:
    if not micros:
        return "never"
    return datetime.datetime.fromtimestamp(micros / 1e6, datetime.UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
