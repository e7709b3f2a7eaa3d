"""What does `penstock check` do? Reads flow files and tells every problem with its place."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from penstock.app.manner import manner_of
from penstock.cli.ending import Exit
from penstock.cli.options import allow_unknown, examples, json_too, near, project_of
from penstock.cli.said import as_json, data, note
from penstock.dialects.kestra import Reading
from penstock.dialects.kestra.suites import is_suite
from penstock.errors import Problem, Severity
from penstock.errors.project import NoSuchFile
from penstock.errors.report import render_problems
from penstock.services.called import check_calls
from penstock.services.project import Found, Manner, flow_files, holds_tests, read_all, read_texts, suite_files
from penstock.services.suites import find_suites
from penstock.settings.read import Project


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One file, as `--json` tells it."""

    file: str
    namespace: str | None
    flow: str | None
    valid: bool
    problems: tuple[Problem, ...]


@click.command(
    "check",
    **examples(
        "penstock check                 every flow of the project",
        "penstock check flows/daily.yml one file",
        "penstock check --strict flows  warnings count as errors",
        "cat daily.yml | penstock check -",
    ),
)
@click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]...")
@click.option("--strict", is_flag=True, help="Let warnings fail the check too.")
@allow_unknown
@click.option("-q", "--quiet", is_flag=True, help="Tell problems only.")
@click.option("-C", "--project", default="", metavar="FOLDER", help="The project's folder, instead of this one.")
@json_too
def check(**given: Any) -> int:
    """Check flow files and tell every problem with its place.

    Without a path it checks the flows of the project, and their tests. The exit code is 3 when one cannot run.
    """
    named = [Path(path) for path in given["paths"]]
    first = next((path for path in named if path.exists()), None)
    project = project_of(given["project"], first)
    found = _read(project, named, allow_unknown=given["allow_unknown"])
    stops = {Severity.ERROR, Severity.WARNING} if given["strict"] else {Severity.ERROR}
    bad = [each for each in found if any(problem.severity in stops for problem in each.reading.problems)]
    if given["json"]:
        as_json([_checked(each, each not in bad) for each in found])
    else:
        _tell(found, bad, quiet=given["quiet"])
    return Exit.INVALID_FLOW if bad else Exit.SUCCESS


def _read(project: Project, named: list[Path], *, allow_unknown: bool) -> list[Found]:
    manner = manner_of(project, allow_unknown=allow_unknown)
    if named == [Path("-")]:
        return [Found(Path("-"), each) for each in read_texts(sys.stdin.buffer.read(), manner, "-")]
    for path in named:
        if not path.exists():
            raise NoSuchFile(f"There is no file or folder {path}.")
    places = [near(path) for path in flow_files(named or project.flow_places) if not holds_tests(path)]
    tests = _tests(project, named, manner)
    if not places and not tests:
        where = ", ".join(map(str, named or project.flow_places))
        raise NoSuchFile(f"There are no flows in {where}.", hint="Flows are files that end in .yml, .yaml or .json.")
    others = [near(path) for path in flow_files(project.flow_places)]
    return [*check_calls(read_all(places, manner), others, manner), *tests]


def _tests(project: Project, named: list[Path], manner: Manner) -> list[Found]:
    """The files with tests of flows, each with what is wrong with it."""
    files = [near(path) for path in suite_files(named or project.test_places) if holds_tests(path)]
    flows = project.flow_places if project.file else []
    return [
        Found(each.path, Reading(None, each.reading.problems, each.reading.source, each.reading.digest))
        for each in find_suites(files, flows, manner)
    ]


def _tell(found: list[Found], bad: list[Found], *, quiet: bool) -> None:
    for each in found:
        flow = each.reading.flow
        if each.reading.problems:
            data(render_problems(each.reading.problems))
        if not quiet and each not in bad:
            data(f"✓ {f'{flow.name}  ({each.path})' if flow else each.path}")
        elif each in bad:
            data(f"✗ {f'{flow.name}  ({each.path})' if flow else each.path}")
    errors = sum(problem.severity is Severity.ERROR for each in found for problem in each.reading.problems)
    warnings = sum(problem.severity is Severity.WARNING for each in found for problem in each.reading.problems)
    tests = sum(is_suite(each.reading.source) for each in found)
    beside = f", {_many(tests, 'file')} of tests" if tests else ""
    note(f"{_many(len(found) - tests, 'flow')}{beside}: {_many(errors, 'error')}, {_many(warnings, 'warning')}.")


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _checked(each: Found, valid: bool) -> Checked:
    flow = each.reading.flow
    return Checked(
        file=str(each.path),
        namespace=flow.namespace if flow else None,
        flow=flow.id if flow else None,
        valid=valid,
        problems=each.reading.problems,
    )
