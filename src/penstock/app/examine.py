"""What could be wrong with this machine, project and store? Checks that change nothing, each with what to do."""

from __future__ import annotations

import enum
import importlib.util
import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from penstock.app.branches import branches_of
from penstock.app.databases import check_place, store_status
from penstock.app.open import App, open_app
from penstock.app.places import Where, locate
from penstock.clock import SystemClock
from penstock.errors import PenstockError
from penstock.runners.process.environments import Environments, root_in
from penstock.runners.process.launcher import Exit, Launcher, Order
from penstock.runners.process.packages import find_uv
from penstock.services.git.sync import problems_of
from penstock.services.liveness import abandoned
from penstock.services.project import flow_files
from penstock.services.secrets.local import read_secrets
from penstock.services.worker.reactor import Reactor
from penstock.settings.read import Project
from penstock.store import git, inbox, queue, runs, workers

OLDEST: Final = (3, 11)
EXTRAS: Final = {"postgres": "psycopg", "s3": "boto3", "duckdb": "duckdb", "http": "httpx"}
LITTLE, TOO_LITTLE = 1_000_000_000, 100_000_000
FEW_FILES: Final = 256
PATIENCE: Final = 10.0
YEAR: Final = 365 * 86_400 * 1_000_000


class Grade(enum.StrEnum):
    """How a check came out."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    INFO = "info"


class Finding(msgspec.Struct, frozen=True):
    """One check: what was looked at, how it came out, a sentence, and what helps."""

    what: str
    grade: Grade
    sentence: str
    hint: str = ""


def examine(project: Project, environ: Mapping[str, str], store: str = "") -> Iterator[Finding]:
    """Look at everything, one finding after the other; a check that cannot be made is a finding too."""
    yield _python()
    yield _descriptors()
    try:
        where = locate(project, environ, store)
    except PenstockError as error:
        yield _told("project", error)
        return
    yield from _project(project, where)
    yield _extras(where)
    yield _packages(where, environ)
    yield from _disk(where)
    yield _fork(where)
    yield from _store(project, where, environ, store)


def _python() -> Finding:
    said = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST:
        return Finding("python", Grade.BAD, f"{said}; 3.11 or newer is needed.", "Install a newer Python.")
    return Finding("python", Grade.GOOD, f"{said}.")


def _descriptors() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FEW_FILES:
        hint = f"Each attempt takes four: `ulimit -n {min(4096, hard) if hard > 0 else 4096}`."
        return Finding("open files", Grade.WARNING, f"Only {soft} files may be open at once.", hint)
    return Finding("open files", Grade.GOOD, f"{soft:,} files may be open at once.")


def _project(project: Project, where: Where) -> Iterator[Finding]:
    if project.file is None:
        yield Finding(
            "project", Grade.INFO, f"No penstock.yaml from {project.root} upward: flows stand for themselves."
        )
    else:
        count = len(flow_files(project.flow_places))
        grade = Grade.GOOD if count else Grade.WARNING
        yield Finding("project", grade, f"{project.file}: {count} files in {', '.join(project.settings.flows)}.")
    if project.settings.secrets:
        try:
            kept = read_secrets(project.path(project.settings.secrets))
        except PenstockError as error:
            yield _told("secrets", error)
        else:
            yield Finding("secrets", Grade.GOOD, f"{len(kept)} in {project.settings.secrets}, readable by you alone.")


def _extras(where: Where) -> Finding:
    there = [name for name, module in EXTRAS.items() if importlib.util.find_spec(module)]
    if where.on_postgres and "postgres" not in there:
        return Finding(
            "extras",
            Grade.BAD,
            "The store is on PostgreSQL, and psycopg is not installed.",
            'pip install "penstock[postgres]"',
        )
    missing = [name for name in EXTRAS if name not in there]
    said = f"installed: {', '.join(there) or 'none'}" + (f"; not installed: {', '.join(missing)}" if missing else "")
    return Finding("extras", Grade.INFO, f"{said}.")


def _packages(where: Where, environ: Mapping[str, str]) -> Finding:
    kept = Environments(root_in(where.state)).every()
    said = f"{len(kept)} environments, {sum(one.size for one in kept) / 1e6:,.0f} MB"
    if uv := find_uv(environ):
        return Finding("packages", Grade.GOOD, f"{uv} installs what tasks need; {said}.")
    sentence = f"uv is not here, so pip installs what tasks need, which takes longer; {said}."
    return Finding("packages", Grade.INFO, sentence, 'pip install "penstock[uv]"')


def _disk(where: Where) -> Iterator[Finding]:
    folder = where.state
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:,.1f} GB free at {folder}."
    if free < TOO_LITTLE:
        yield Finding("disk", Grade.BAD, said, "Make room: nothing can be kept.")
    elif free < LITTLE:
        yield Finding("disk", Grade.WARNING, said, "`penstock db prune --compact` frees what is past its time.")
    else:
        yield Finding("disk", Grade.GOOD, said)
    if not where.on_postgres:
        try:
            check_place(folder)
        except PenstockError as error:
            yield _told("file system", error)
        else:
            yield Finding("file system", Grade.GOOD, "The store lies on a local disk.")


def _fork(where: Where) -> Finding:
    """Start one process as an attempt would be."""
    reactor = Reactor(SystemClock())
    launcher = Launcher(reactor, f"doctor/{os.getpid()}")
    ended: list[Exit] = []
    body: dict[str, object] = {"mode": "exec", "argv": ["true"], "cwd": tempfile.gettempdir(), "limits": {}}
    order = Order(interpreter=where.python, env={"PATH": os.environ.get("PATH", os.defpath)}, body=body)
    try:
        first = _launch(reactor, launcher, order, ended)
        second = _launch(reactor, launcher, order, ended)
    except PenstockError as error:
        return _told("processes", error)
    finally:
        launcher.close()
        reactor.close()
    if len(ended) < 2 or any(each.code != 0 for each in ended):
        trouble = next((each.trouble for each in ended if each.trouble), "it did not end well")
        return Finding("processes", Grade.BAD, f"A process of {where.python} could not be run: {trouble}")
    return Finding(
        "processes", Grade.GOOD, f"{where.python}: first process after {first:.0f} ms, the next after {second:.1f} ms."
    )


def _launch(reactor: Reactor, launcher: Launcher, order: Order, ended: list[Exit]) -> float:
    began, before = time.monotonic(), len(ended)
    launcher.allow(int(PATIENCE * 1e6))
    child = launcher.launch(order, ended.append)
    reactor.after(int(PATIENCE * 1e6), lambda: None)
    while len(ended) == before and time.monotonic() - began < PATIENCE:
        reactor.turn()
    for descriptor in (child.stdout, child.stderr):
        os.close(descriptor)
    child.channel.close()
    return (time.monotonic() - began) * 1000


def _store(project: Project, where: Where, environ: Mapping[str, str], store: str) -> Iterator[Finding]:
    if not where.on_postgres and not Path(where.store).exists():
        yield Finding("store", Grade.INFO, f"There is none at {where.store} yet; the first run makes it.")
        return
    try:
        schema = store_status(where.store)
        if schema.pending:
            sentence = f"{where.shown} has schema version {schema.version} and wants {len(schema.pending)} migrations."
            yield Finding("store", Grade.WARNING, sentence, "penstock db migrate")
            return
        with open_app(project, environ, store=store, make=False, migrate=False) as app:
            began = time.monotonic()
            app.core.store.write(queue.depth)
            took = (time.monotonic() - began) * 1000
            yield Finding(
                "store", Grade.GOOD, f"{where.shown}, schema version {schema.version}; a write takes {took:.1f} ms."
            )
            yield from _inside(app)
            yield from _branches(app)
    except PenstockError as error:
        yield _told("store", error)


def _inside(app: App) -> Iterator[Finding]:
    read = app.core.store.read
    known = read(workers.list_workers)
    before = app.core.store.lease_now() - app.core.knobs.lease
    dead = [worker for worker in known if worker.beat_at < before or abandoned(worker)]
    waiting, since = read(queue.depth)
    unfolded = len(read(inbox.runs_waiting))
    if dead:
        names = ", ".join(worker.id for worker in dead)
        hint = "The next worker or `penstock run` takes over what they held."
        yield Finding("workers", Grade.WARNING, f"Dead, and not yet missed: {names}.", hint)
    alive = len(known) - len(dead)
    late = since is not None and app.core.clock.now() - since > 10_000_000
    if (waiting or unfolded) and not alive:
        sentence = f"{waiting} attempts wait, {unfolded} runs have news, and no worker is there."
        yield Finding("work", Grade.WARNING, sentence, "penstock worker")
    elif late:
        yield Finding(
            "work",
            Grade.WARNING,
            f"{waiting} attempts wait, some for long, with {alive} workers there.",
            "Give workers more slots, or start another one.",
        )
    else:
        yield Finding("work", Grade.GOOD, f"{alive} workers, {waiting} attempts wait.")
    newest = read(lambda tx: runs.list_runs(tx, runs.Filter(), 1))
    ahead = newest[0].created_at - app.core.clock.now() if newest else 0
    if ahead > 60_000_000:
        sentence = f"The newest run is from {ahead / 6e7:,.0f} minutes in the future: clocks differ."
        yield Finding("clock", Grade.WARNING, sentence, "Set the clock of this machine by NTP.")
    elif app.core.clock.now() < 54 * YEAR:
        yield Finding("clock", Grade.BAD, "This machine's clock stands years in the past.", "Set it by NTP.")
    else:
        yield Finding("clock", Grade.GOOD, "Runs and this machine agree about the time.")


def _branches(app: App) -> Iterator[Finding]:
    """How the branches stand that flows come from; nothing where there are none."""
    if not app.project.settings.git:
        return
    if shutil.which("git") is None:
        yield Finding("branches", Grade.BAD, "The program git is not on this machine.", "apt-get install git")
    try:
        names = list(branches_of(app))
    except PenstockError as error:
        yield _told("branches", error)
        return
    known = app.core.store.read(git.every)
    for name in names:
        state = known.get(name, git.State(name=name))
        wrong = problems_of(state)
        if wrong:
            sentence = f"Of {name} the commit {state.looked_commit[:12] or 'that is newest'} does not stand here: "
            yield Finding("branches", Grade.WARNING, sentence + wrong[0].sentence, f"penstock git status {name}")
        elif not state.looked_at:
            yield Finding("branches", Grade.INFO, f"{name} was never looked at.", f"penstock git sync {name}")
        else:
            yield Finding("branches", Grade.GOOD, f"Of {name} the commit {state.applied_commit[:12]} stands here.")


def _told(what: str, error: PenstockError) -> Finding:
    return Finding(what, Grade.BAD, f"{error.code}  {error.sentence}", error.hint)
