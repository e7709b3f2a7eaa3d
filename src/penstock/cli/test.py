"""What does `penstock test` do? Runs the tests of flows and tells of each what was expected and what was."""

from __future__ import annotations

import fnmatch
import os
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from penstock.app.manner import manner_of
from penstock.cli.ending import Exit
from penstock.cli.options import Given, examples, json_too, near, project_of
from penstock.cli.said import as_json, data, note
from penstock.dialects.kestra.suites import Case
from penstock.errors import Problem, nearest
from penstock.errors.project import NoSuchFile, WrongCall
from penstock.errors.report import render_problems
from penstock.services.project import flow_files, suite_files
from penstock.services.suites import Found, find_suites
from penstock.settings.read import Project
from penstock.testing.suite.cases import CaseResult, Means, State, run_case
from penstock.testing.suite.coverage import Coverage, coverage
from penstock.testing.suite.judge import Verdict
from penstock.testing.suite.report import coverage_lines, details, junit, line_of, summary

LOOK_EVERY: Final = 0.3
JOBS: Final = min(4, os.cpu_count() or 1)


class TestGiven(Given, frozen=True, kw_only=True):
    """What `penstock test` was given."""

    paths: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    junit: str = ""
    jobs: int = JOBS
    fail_fast: bool = False
    cover: bool = False
    listed: bool = False
    watch: bool = False
    quiet: bool = False
    patience: float = 600.0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One case, as `--json` tells it."""

    suite: str
    case: str
    flow: str
    file: str
    line: int
    state: str
    seconds: float
    status: str
    trouble: str
    verdicts: tuple[Verdict, ...]


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, as `--json` tells it."""

    results: tuple[Told, ...]
    problems: tuple[Problem, ...]
    coverage: tuple[Coverage, ...]


Chosen = list[tuple[Found, Case]]


@click.command(
    "test",
    **examples(
        "penstock test                            every test of the project",
        "penstock test tests/daily.yml            one file; a folder does, too",
        "penstock test -k 'daily.*'               those whose SUITE.CASE fits",
        "penstock test --junit report.xml -q      for a build server",
        "penstock test --watch tests/daily.yml    again whenever a file changes",
    ),
)
@click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]...")
@click.option(
    "-k", "--filter", "filters", multiple=True, metavar="PATTERN", help="Only tests whose SUITE.CASE fits or holds it."
)
@click.option("--junit", default="", metavar="FILE", help="Write the results as JUnit's XML, too.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=JOBS, help="How many tests run at once.")
@click.option("-x", "--fail-fast", "fail_fast", is_flag=True, help="Stop at the first test that does not pass.")
@click.option("--coverage", "cover", is_flag=True, help="Tell which tasks and branches no test has reached.")
@click.option("--list", "listed", is_flag=True, help="List the tests, and run none.")
@click.option("--watch", is_flag=True, help="Run them again whenever a file of theirs changes.")
@click.option(
    "--timeout", "patience", type=float, default=600.0, metavar="SECONDS", help="How long one run may really take."
)
@click.option("-q", "--quiet", is_flag=True, help="Tell only what does not pass.")
@click.option("-C", "--project", default="", metavar="FOLDER", help="The project's folder, instead of this one.")
@json_too
def test(**given: Any) -> int:
    """Run the tests of flows: files with `testCases`, as Kestra has them.

    Each test is a real run in a store of its own, with the fixtures in their tasks' places and with time that passes
    by itself; the project's store is never touched. The exit code is 1 when a test does not pass, and 3 when a test or
    its flow is invalid.
    """
    asked = msgspec.convert(given, TestGiven)
    if not asked.watch:
        return _once(asked)
    if asked.json or asked.junit:
        raise WrongCall("`--watch` is for people; leave out `--json` and `--junit`.")
    while True:
        try:
            _once(asked)
        except (NoSuchFile, WrongCall) as error:
            note(str(error))
        note("Waiting for a change. Ctrl-C ends it.")
        _until_changed(asked)
        note("")


def _once(asked: TestGiven) -> int:
    began = time.monotonic()
    project, found = _found(asked)
    chosen = _chosen(found, asked.filters)
    meant = {each.path for each, _ in chosen} if asked.filters else {each.path for each in found}
    bad = [each for each in found if not each.usable and each.path in meant]
    if not asked.json:
        for each in bad:
            data(render_problems(each.problems))
    if asked.listed:
        return _list(chosen, asked, invalid=bool(bad))
    ready = [(each, case) for each, case in chosen if each.usable]
    results = _run(ready, project, asked)
    covered = _coverage(ready, results)
    if asked.junit:
        _write(Path(asked.junit), junit(results))
    if asked.json:
        problems = tuple(problem for each in bad for problem in each.problems)
        as_json(Whole(results=tuple(map(_told, results)), problems=problems, coverage=tuple(covered)))
    else:
        if asked.cover:
            data("\n".join(["", *coverage_lines(covered)]))
        unreadable = f" {len(bad)} {'file is' if len(bad) == 1 else 'files are'} invalid." if bad else ""
        note(f"{summary(results, time.monotonic() - began)}{unreadable}")
    return _exit(results, invalid=bool(bad))


def _write(path: Path, report: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(report)
    except OSError as error:
        raise WrongCall(f"{path} cannot be written: {error.strerror}.") from error


def _exit(results: Sequence[CaseResult], *, invalid: bool) -> Exit:
    if invalid:
        return Exit.INVALID_FLOW
    well = all(each.state in (State.PASSED, State.SKIPPED) for each in results)
    return Exit.SUCCESS if well else Exit.RUN_FAILED


def _found(asked: TestGiven) -> tuple[Project, list[Found]]:
    named = [Path(path) for path in asked.paths]
    project = project_of(asked.project, next((path for path in named if path.exists()), None))
    for path in named:
        if not path.exists():
            raise NoSuchFile(f"There is no file or folder {path}.")
    files = [near(path) for path in suite_files(named or project.test_places)]
    found = find_suites(files, project.flow_places if project.file else [], manner_of(project))
    if not found:
        where = f"in {', '.join(map(str, named))}" if named else "here"
        hint = "Tests are files with `testCases`; they stand beside flows, or in the folder `tests`."
        raise NoSuchFile(f"There are no tests of flows {where}.", hint=hint)
    return project, found


def _chosen(found: Iterable[Found], filters: Sequence[str]) -> Chosen:
    every = [(each, case) for each in found if each.reading.suite for case in each.reading.suite.cases]
    if not filters:
        return every
    chosen = [(each, case) for each, case in every if any(_fits(_name(each, case), pattern) for pattern in filters)]
    if not chosen:
        names = [_name(each, case) for each, case in every]
        hint = nearest(filters[0], names) or "`penstock test --list` tells all of them."
        raise WrongCall(f"No test fits {', '.join(filters)}.", hint=hint)
    return chosen


def _fits(name: str, pattern: str) -> bool:
    return pattern in name or fnmatch.fnmatchcase(name, pattern)


def _name(found: Found, case: Case) -> str:
    suite = found.reading.suite
    return f"{suite.id if suite else ''}.{case.id}"


def _list(chosen: Chosen, asked: TestGiven, *, invalid: bool) -> int:
    if asked.json:
        as_json([{"test": _name(each, case), "file": str(each.path), "line": case.place.line} for each, case in chosen])
    else:
        for each, case in chosen:
            data(f"{_name(each, case)}  ({each.path}:{case.place.line})")
    return Exit.INVALID_FLOW if invalid else Exit.SUCCESS


def _run(ready: Chosen, project: Project, asked: TestGiven) -> list[CaseResult]:
    """Run cases, several at once, telling each when it is done; the results are in the order of the files."""
    stopping = threading.Event()
    means = Means(project, manner_of(project), dict(os.environ), asked.patience, stopping)
    done: dict[int, CaseResult] = {}
    with ThreadPoolExecutor(asked.jobs, "penstock-case") as pool:
        waiting: dict[Future[CaseResult], int] = {
            pool.submit(run_case, each, case, means): number for number, (each, case) in enumerate(ready)
        }
        try:
            for future in as_completed(waiting):
                if future.cancelled():
                    continue
                result = done[waiting[future]] = future.result()
                _progress("")
                _tell(result, asked)
                _progress(f"{len(done)} of {len(waiting)}")
                if asked.fail_fast and result.state in (State.FAILED, State.ERROR):
                    break
        finally:
            stopping.set()
            for future in waiting:
                future.cancel()
            _progress("")
    return [done[number] for number in sorted(done)]


def _tell(result: CaseResult, asked: TestGiven) -> None:
    if asked.json or (asked.quiet and result.state in (State.PASSED, State.SKIPPED)):
        return
    data(line_of(result))
    for line in details(result):
        data(f"    {line}")


def _progress(text: str) -> None:
    """Show for the moment how far it is, on a terminal alone."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", err=True, nl=False)


def _coverage(ready: Chosen, results: Iterable[CaseResult]) -> list[Coverage]:
    flows = {each.tested.flow.name: each.tested.flow for each, _ in ready if each.tested and each.tested.flow}
    reached = {
        name: [result.reached for result in results if result.flow == name and result.reached is not None]
        for name in flows
    }
    return [coverage(flow, reached[name]) for name, flow in flows.items()]


def _told(result: CaseResult) -> Told:
    return Told(
        suite=result.suite,
        case=result.case,
        flow=result.flow,
        file=result.file,
        line=result.line,
        state=result.state,
        seconds=result.seconds,
        status=result.ran.status if result.ran else "",
        trouble=result.trouble,
        verdicts=result.verdicts,
    )


def _until_changed(asked: TestGiven) -> None:
    paths = _watched(asked)
    before = _stamps(paths)
    while _stamps(paths) == before:
        time.sleep(LOOK_EVERY)


def _watched(asked: TestGiven) -> set[Path]:
    """The files that tests are made of, and their folders, in which new ones may appear."""
    try:
        project, found = _found(asked)
    except (NoSuchFile, WrongCall):
        return {Path(path) for path in asked.paths} or {Path.cwd()}
    paths = {each.path for each in found} | {path for each in found for path in flow_files(each.places)}
    paths |= {project.root / "scripts", *([project.file] if project.file else [])}
    return paths | {path.parent for path in paths}


def _stamps(paths: set[Path]) -> dict[Path, int]:
    """When they were last written."""
    return {path: path.stat().st_mtime_ns for path in paths if path.exists()}
