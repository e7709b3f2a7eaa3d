"""How do flows go from files to a store or a server, and back? Planned, pushed together, pulled, deleted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from penstock.app import open_app
from penstock.app.manner import manner_of
from penstock.cli.ending import Exit
from penstock.cli.options import (
    Given,
    allow_unknown,
    caller,
    examples,
    json_too,
    near,
    opened,
    places,
    project_of,
    who,
)
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, tell_problems
from penstock.cli.suggest import flow_names
from penstock.cli.target import address
from penstock.errors.project import NoSuchFile, WrongCall
from penstock.errors.run import UnknownFlow
from penstock.services import flows as verbs
from penstock.services import pushing
from penstock.services.project import Manner, by_id, flow_files, invalid, read_all, read_files
from penstock.services.project_folder import inside
from penstock.services.pushing import FlowChange, PushPlan, TriggerChange, What
from penstock.settings.read import Project
from penstock.store import flows as kept
from penstock.store.port import Tx

SIGNS: Final = {What.NEW: "+", What.CHANGED: "~", What.SAME: " ", What.GONE: "-"}
INCLUDED: Final = re.compile(r"\[\[>\s*(.+?)\s*\]\]")
SHOWN: Final = 3


class PushGiven(Given, frozen=True, kw_only=True):
    """What push and plan were given."""

    paths: tuple[str, ...] = ()
    allow_unknown: bool = False
    within: str | None = None
    prune: bool = False
    dry_run: bool = False


class PullGiven(Given, frozen=True, kw_only=True):
    """What pull was given."""

    folder: str = ""
    namespace: str = ""
    force: bool = False


class PushedFlow(msgspec.Struct, frozen=True, kw_only=True):
    """One flow, as `flows push --json` tells it."""

    namespace: str
    flow: str
    revision: int
    changed: bool
    file: str


def _which(command: Any) -> Any:
    """Let a command say which flows are meant, and which are gone."""
    text = "Those of this namespace and below are gone that no file holds; else those of the files' own namespaces."
    command = click.option("--in", "within", default=None, metavar="NAMESPACE", help=text)(command)
    return click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]...")(command)


@click.command(
    "push",
    **examples(
        "penstock flows push                the flows of the project",
        "penstock flows push flows/daily.yml",
        "penstock flows push --prune --in shop        and remove what no file holds any more",
        "penstock flows push --server https://penstock.example.org",
    ),
)
@_which
@click.option("--prune", is_flag=True, help="Remove flows that are gone.")
@click.option("--dry-run", is_flag=True, help="Only show what it would change, as `plan` does.")
@allow_unknown
@json_too
@places
@served("penstock.cli.remote.flows:push")
def push(**given: Any) -> int:
    """Put flows of files into the store: all of them, or none when one has an error."""
    return _push(msgspec.convert(given, PushGiven))


def _push(asked: PushGiven) -> int:
    project, files = chosen_files(asked)
    found = read_all(files, manner_of(project, allow_unknown=asked.allow_unknown))
    if any(each.reading.flow is None for each in found):
        raise invalid([each for each in found if each.reading.problems])  # no store is made for it
    with open_app(project, os.environ, store=asked.store, actor=caller()) as app:
        if asked.dry_run:
            done = pushing.plan(app.core, found, asked.within, prune=asked.prune)
        else:
            done = pushing.push(app.core, found, asked.within, prune=asked.prune, by=who())
    return tell(done, asked)


@click.command(
    "plan",
    **examples(
        "penstock flows plan                what pushing the project would change",
        "penstock flows plan flows --server https://penstock.example.org",
        "penstock flows plan --in shop --prune --json",
    ),
)
@_which
@click.option("--prune", is_flag=True, help="As if flows that are gone were removed.")
@allow_unknown
@json_too
@places
@served("penstock.cli.remote.flows:plan")
def plan(**given: Any) -> int:
    """Show what a push would change: flows, triggers, and the next dates of schedules; nothing is kept."""
    return _push(msgspec.convert(given | {"dry_run": True}, PushGiven))


@click.command(
    "pull",
    **examples(
        "penstock flows pull                    into the project's own files, or flows/NAMESPACE/ID.yml",
        "penstock flows pull there --in shop --server https://penstock.example.org",
    ),
)
@click.argument("folder", default="")
@click.option("--in", "namespace", default="", metavar="NAMESPACE", help="Those of this namespace and below.")
@click.option("--force", is_flag=True, help="Write over files that say something else.")
@json_too
@places
@served("penstock.cli.remote.flows:pull")
def pull(**given: Any) -> int:
    """Write the newest texts of flows to files; a file that says something else is left alone."""
    asked = msgspec.convert(given, PullGiven)
    with opened(asked) as app:

        def look(tx: Tx) -> list[kept.Revision]:
            listed = kept.list_flows(tx, asked.namespace)
            return [found for one in listed if (found := kept.current(tx, one.namespace, one.id)) is not None]

        texts = {(one.namespace, one.id): one.source for one in app.core.store.read(look)}
    return write(texts, asked)


@click.command("delete", **examples("penstock flows delete shop.daily"))
@click.argument("flow", metavar="FLOW", shell_complete=flow_names)
@places
@served("penstock.cli.remote.flows:delete")
def delete(**given: Any) -> int:
    """Let a flow start no more runs; its revisions and runs stay."""
    name = given.pop("flow")
    with opened(msgspec.convert(given, Given)) as app:
        namespace, flow_id = address(app, name)
        if not verbs.remove(app.core, namespace, flow_id):
            raise UnknownFlow(f'There is no flow "{namespace}.{flow_id}" in the store.')
    note(f"{namespace}.{flow_id} starts no more runs.")
    return Exit.SUCCESS


def chosen_files(asked: PushGiven) -> tuple[Project, list[Path]]:
    """The project, and the files that are meant. Raises NoSuchFile."""
    named = [Path(path) for path in asked.paths]
    project = project_of(asked.project, named[0] if named and named[0].exists() else None)
    for path in named:
        if not path.exists():
            raise NoSuchFile(f"There is no file or folder {path}.")
    files = [near(path) for path in flow_files(named or project.flow_places)]
    if not files:
        raise NoSuchFile(f"There are no flows in {', '.join(map(str, named or project.flow_places))}.")
    return project, files


def texts_of(files: Iterable[Path]) -> dict[str, str]:
    """The texts of files by their names, with those that they include."""
    found: dict[str, str] = {}
    for path in files:
        text = found[path.as_posix()] = _text(path)
        for name in INCLUDED.findall(text):
            beside = Path(os.path.normpath(path.parent / name))
            if beside.is_file():
                found.setdefault(beside.as_posix(), _text(beside))
    return found


def tell(done: PushPlan, asked: PushGiven) -> int:
    """Tell what a push has changed, or what it would."""
    tell_problems(done.problems)
    if not done.done:
        _tell_plan(done, asked)
    elif asked.json:
        as_json([_pushed(each) for each in done.flows if each.what is not What.GONE])
    else:
        for each in done.flows:
            match each.what:
                case What.GONE if done.pruned:
                    data(f"{each.namespace}.{each.flow}  removed")
                case What.GONE:
                    note(f"{each.namespace}.{each.flow} stands in no file here: --prune removes it.")
                case What.SAME:
                    data(f"{each.namespace}.{each.flow}  revision {each.after}  (unchanged)")
                case What.NEW | What.CHANGED:
                    data(f"{each.namespace}.{each.flow}  revision {each.after}")
    return Exit.SUCCESS


def write(texts: Mapping[tuple[str, str], str], asked: PullGiven) -> int:
    """Write flows to files: each where it stands already, else to one of its own. Raises WrongCall, and has written
    nothing then, where a file says something else.
    """
    project = project_of(asked.project)
    folder = Path(asked.folder) if asked.folder else project.flow_places[0]
    here = _files_of(texts, folder, manner_of(project, allow_unknown=True))
    wanted = {name: here.get(name) or inside(folder, f"{name[0]}/{name[1]}.yml") for name in texts}
    differ = [path for name, path in wanted.items() if path.exists() and _text(path) != texts[name]]
    if differ and not asked.force:
        named = ", ".join(str(near(path)) for path in differ[:20])
        raise WrongCall(f"These say something else: {named}.", hint="--force writes over them.")
    written = []
    for name, path in wanted.items():
        if not path.exists() or path in differ:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[name], encoding="utf-8")
            written.append(str(near(path)))
    if asked.json:
        as_json(written)
    else:
        for line in written:
            data(line)
        note(f"{len(texts)} flows, {len(written)} files written.")
    return Exit.SUCCESS


def _files_of(texts: Iterable[tuple[str, str]], folder: Path, manner: Manner) -> dict[tuple[str, str], Path]:
    """The files of a folder that hold these flows. Raises WrongCall for one with several, which stays as it is."""
    held = by_id(flow_files([folder])) if folder.is_dir() else {}
    found: dict[tuple[str, str], Path] = {}
    for namespace, flow_id in texts:
        for path in held.get(flow_id, ()):
            flows = [each.flow for each in read_files(path, manner)]
            if any(flow is not None and (flow.namespace, flow.id) == (namespace, flow_id) for flow in flows):
                if len(flows) > 1 or INCLUDED.search(_text(path)):
                    said = f"{near(path)} holds {namespace}.{flow_id} with others, or includes parts of it."
                    raise WrongCall(said, hint="Pull into an empty folder.")
                found[namespace, flow_id] = path
    return found


def _tell_plan(done: PushPlan, asked: PushGiven) -> None:
    if asked.json:
        as_json({"flows": done.flows, "triggers": done.triggers, "changes": done.changes})
        return
    for each in done.flows:
        if each.what is not What.SAME:
            data(f"{SIGNS[each.what]} {each.namespace}.{each.flow}  {_becomes(each, pruned=done.pruned)}")
    for one in done.triggers:
        data(f"{SIGNS[one.what]} {one.namespace}.{one.flow}/{one.trigger}  {_dated(one)}")
    same = sum(each.what is What.SAME for each in done.flows)
    if same:
        note("1 flow stays as it is." if same == 1 else f"{same:,} flows stay as they are.")
    elif not done.changes:
        note("Nothing would change.")


def _becomes(each: FlowChange, *, pruned: bool) -> str:
    match each.what:
        case What.NEW:
            return f"new, revision {each.after}"
        case What.GONE:
            return "removed" if pruned else "stands in no file here; --prune removes it"
        case What.SAME | What.CHANGED:
            return f"revision {each.before} → {each.after}"


def _dated(one: TriggerChange) -> str:
    if one.problem:
        return one.problem
    if one.off_by:
        return f"{one.what}; off, by {one.off_by}"
    dates = ", ".join(one.after[:SHOWN]) or "no dates"
    before = ", ".join(one.before[:SHOWN])
    match one.what:
        case What.GONE:
            return f"gone; was to fire at {before}" if before else "gone"
        case What.NEW:
            return f"new: {dates}" if one.after else "new"
        case What.SAME | What.CHANGED:
            return f"{dates}; before: {before or 'no dates'}" if (one.after, one.before) != ((), ()) else "changed"


def _pushed(each: FlowChange) -> PushedFlow:
    return PushedFlow(
        namespace=each.namespace,
        flow=each.flow,
        revision=each.after or 0,
        changed=each.what is not What.SAME,
        file=each.file,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NoSuchFile(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'no UTF-8 text'}.") from error
