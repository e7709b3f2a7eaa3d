"""What do `flows fmt` and `flows migrate` do? They rewrite flow files, and show first what they would change."""

from __future__ import annotations

import codecs
import difflib
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from penstock.app.manner import manner_of
from penstock.cli.ending import Exit
from penstock.cli.options import allow_unknown, examples, json_too, near, project_of
from penstock.cli.said import as_json, data, note, tell_error
from penstock.dialects.kestra import Installed
from penstock.dialects.kestra.documents import included
from penstock.dialects.kestra.rewriting.migrate import NEWEST, Migrated, migrate
from penstock.dialects.kestra.rewriting.order import formatted
from penstock.errors import Problem, Severity
from penstock.errors.flow import Deprecated, FlowError
from penstock.errors.project import NoSuchFile
from penstock.errors.report import render_problems
from penstock.services.project import Manner, flow_files, read_files, read_texts
from penstock.settings.read import Project


class Rewritten(msgspec.Struct, frozen=True, kw_only=True):
    """One file, as `flows migrate --json` tells it."""

    file: str
    changed: bool
    diff: str
    differences: tuple[str, ...]
    left: tuple[str, ...]


@click.command(
    "fmt",
    **examples(
        "penstock flows fmt             every flow of the project",
        "penstock flows fmt --check     change nothing, show what would change",
        "cat daily.yml | penstock flows fmt -",
    ),
)
@click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]...")
@click.option("--check", is_flag=True, help="Change nothing; show the difference, and exit with 3 where there is one.")
@click.option("-C", "--project", default="", metavar="FOLDER", help="The project's folder, instead of this one.")
def fmt(**given: Any) -> int:
    """Put the words of flow files in order. Comments and layout stay, and so does what a flow means."""
    if given["paths"] == ("-",):
        click.echo(formatted(sys.stdin.read()), nl=False)
        return Exit.SUCCESS
    _, places = _places(given)
    changed, broken = [], False
    for path in places:
        text = _text(path)
        try:
            newer = formatted(text)
        except FlowError as error:
            if place := next((place for _, place in included(text, str(path))), None):
                note(f"{path}: left as it is. {place}: it includes another file, so its lines cannot be moved.")
                continue
            note(f"{path}: left as it is.")
            tell_error(error)
            broken = True
            continue
        if newer != text:
            changed.append(path)
            if given["check"]:
                data(_diff(text, newer, path))
            else:
                _write(path, newer)
    word = "would change" if given["check"] else "changed"
    note(f"{len(places)} file{'' if len(places) == 1 else 's'}: {len(changed)} {word}.")
    return Exit.INVALID_FLOW if broken or (changed and given["check"]) else Exit.SUCCESS


@click.command(
    "migrate",
    **examples(
        "penstock flows migrate flows           show what would change, then ask",
        "penstock flows migrate flows/old.yml --to 2 -y",
    ),
)
@click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]...")
@click.option("--to", type=click.Choice([NEWEST]), default=NEWEST, help="The version of the language to write.")
@click.option("-y", "--yes", is_flag=True, help="Write without asking.")
@allow_unknown
@click.option("-C", "--project", default="", metavar="FOLDER", help="The project's folder, instead of this one.")
@json_too
def migrate_flows(**given: Any) -> int:
    """Rewrite flows of older versions of Kestra's language.

    Comments and layout stay. What would change is shown before anything is written, and so is where the flow would
    then mean something else, and which older words have to be replaced by hand. With --json nothing is asked, and
    written only with --yes.
    """
    project, places = _places(given)
    manner = manner_of(project, allow_unknown=given["allow_unknown"])
    told, bad = [], False
    for path in places:
        text = _text(path)
        found = _migrated(path, text, manner)
        diff = _diff(text, found.text, path)
        left = tuple(f"{problem.place}: {problem.sentence} {problem.hint}".strip() for problem in found.left)
        told.append(Rewritten(file=str(path), changed=bool(diff), diff=diff, differences=found.differences, left=left))
        bad = bad or bool(found.problems)
        if not given["json"]:
            _tell(path, found, told[-1])
        if diff and not found.problems and (given["yes"] or (not given["json"] and _agreed(path))):
            _write(path, found.text)
    if given["json"]:
        as_json(told)
    return Exit.INVALID_FLOW if bad else Exit.SUCCESS


def _places(given: dict[str, Any]) -> tuple[Project, list[Path]]:
    named = [Path(path) for path in given["paths"]]
    for path in named:
        if not path.exists():
            raise NoSuchFile(f"There is no file or folder {path}.")
    project = project_of(given["project"], named[0] if named else None)
    places = [near(path) for path in flow_files(named or project.flow_places)]
    if not places:
        raise NoSuchFile(f"There are no flows in {', '.join(map(str, named or project.flow_places))}.")
    return project, places


def _migrated(path: Path, text: str, manner: Manner) -> Migrated:
    if any(included(text)):
        return _left(path, text, manner)
    read = partial(read_texts, manner=manner, file=str(path))
    return migrate(text, read, Installed(others=manner.allow_unknown), manner.version)


def _left(path: Path, text: str, manner: Manner) -> Migrated:
    """A file that includes others, left as it is: what its words mean depends on texts that are not in it."""
    readings = read_files(path, manner)
    problems = tuple(problem for each in readings if each.flow is None for problem in each.problems)
    if problems:
        return Migrated(text, problems=problems)
    hint = "Replace its older words by hand, or put that file's text in this place first."
    named = {
        place: Problem(
            Deprecated.code, f"`[[> {name} ]]` keeps this file as it is.", place, hint, severity=Severity.NOTE
        )
        for name, place in included(text, str(path))
    }
    older = (each for reading in readings for each in reading.problems if each.code == Deprecated.code)
    return Migrated(text, left=(*named.values(), *(each for each in older if each.place not in named)))


def _tell(path: Path, found: Migrated, told: Rewritten) -> None:
    if found.problems:
        note(f"{path}: left as it is, since it cannot be read.")
        note(render_problems(found.problems))
        return
    if told.diff:
        data(told.diff)
    else:
        note(f"{path}: {'left as it is' if told.left else 'nothing to change'}.")
    for title, lines in (("What it means changes here", told.differences), ("Left for you to replace", told.left)):
        if lines:
            note("\n".join([f"{title}:", *(f"  {line}" for line in lines)]))


def _agreed(path: Path) -> bool:
    return click.confirm(f"Write {path}?", err=True)


def _diff(old: str, new: str, path: Path) -> str:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    return "\n".join(_shown(lines))


def _shown(lines: Iterator[str]) -> Iterator[str]:
    """Lines as a terminal can show them."""
    for line in lines:
        yield line.encode("utf-8", errors="replace").decode("utf-8")


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig", errors="surrogateescape")


def _write(path: Path, text: str) -> None:
    """Write a text; a file that began with a byte order mark begins with it still."""
    mark = codecs.BOM_UTF8 if path.read_bytes().startswith(codecs.BOM_UTF8) else b""
    path.write_bytes(mark + text.encode("utf-8", errors="surrogateescape"))
