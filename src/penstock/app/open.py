"""How is everything built that services need? Store, files, secrets and policies of one project, opened together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

from penstock.app.databases import open_store
from penstock.app.places import Where, locate, make_closed
from penstock.app.sources import secrets_of
from penstock.clock import Clock, SystemClock
from penstock.errors import Problem
from penstock.errors.project import WrongCall
from penstock.errors.store import StoreError
from penstock.model.access import SYSTEM, Actor
from penstock.model.trigger import Calendar
from penstock.services.calendars import Calendars, Kept
from penstock.services.core import Core, Knobs
from penstock.services.plans import Plans
from penstock.services.project_folder import ProjectFolder
from penstock.services.secrets.master import FILE
from penstock.services.stored import Stored
from penstock.settings.keys import Weekday
from penstock.settings.read import Project, expanded
from penstock.store.blobs.local import open_folder
from penstock.store.blobs.port import BlobStore
from penstock.store.blobs.s3 import Bucket, open_s3
from penstock.store.measured import Measured
from penstock.telemetry.metrics import Metrics

WEEKDAYS: Final = get_args(Weekday)


class App:
    """An opened project; closes with its store and its files."""

    def __init__(self, project: Project, where: Where, core: Core, files: Stored) -> None:
        self.project = project
        self.where = where
        self.core = core
        self.files = files
        # What is wrong with the project's files just now, by file, where somebody watches them.
        self.problems: Mapping[str, tuple[Problem, ...]] = {}
        self.metrics = Metrics()

    def measure(self) -> None:
        """Count from now on what this process does, and time its store; nothing is counted before."""
        self.core.notices.subscribe(self.metrics.hear)
        self.core = self.core.through(Measured(self.core.store, self.metrics.stood))

    def close(self) -> None:
        """Let go of everything; safe to call twice."""
        self.core.store.close()
        self.files.close()

    def __enter__(self) -> App:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_app(
    project: Project,
    environ: Mapping[str, str],
    *,
    store: str = "",
    make: bool = True,
    migrate: bool = True,
    clock: Clock | None = None,
    actor: Actor = SYSTEM,
) -> App:
    """Open a project's store and all that goes with it; without `make` a store that is not there is an error.

    What is done by it is done for `actor`.
    """
    where = locate(project, environ, store)
    if not make and not where.on_postgres and not Path(where.store).exists():
        raise WrongCall(
            f"Nothing has been kept here yet: there is no store at {where.store}.",
            hint="`penstock run FILE` and `penstock flows push` make one.",
        )
    watch = clock or SystemClock()
    try:
        if not where.on_postgres:
            make_closed(Path(where.store).parent)
        opened = open_store(where.store, watch, migrate=migrate)
    except OSError as error:
        raise _unusable("store", where.shown, error) from error
    try:
        files = Stored(open_blobs(where, environ))
        settings = project.settings
        secrets = secrets_of(project, environ, opened, where.state, watch)
        knobs = Knobs(
            lease=settings.limits.lease,
            beat=max(settings.limits.lease // 5, 100_000),
            grace=settings.limits.grace,
            log_cap=settings.limits.log,
            environ=dict(environ),
            traces=settings.traces.share if settings.traces else 0.0,
            lineage=settings.lineage is not None,
        )
        own = ProjectFolder(project.root, closed=closed_to_tasks(project, environ))
        core = Core(
            opened,
            files,
            watch,
            Plans(),
            secrets,
            knobs,
            state_dir=where.state,
            project=own,
            actor=actor,
            calendars=calendars_of(project),
        )
    except OSError as error:
        opened.close()
        raise _unusable("place for files", where.blobs, error) from error
    except BaseException:
        opened.close()
        raise
    return App(project, where, core, files)


def closed_to_tasks(project: Project, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The files of a project that hold secrets, wherever in it they lie."""
    settings = project.settings
    key = expanded(settings.gcp.credentials, environ) if settings.gcp else ""
    said = (settings.secrets, environ.get(FILE, ""), key)
    return tuple(project.path(each).resolve() for each in said if each)


def calendars_of(project: Project) -> Calendars:
    """The calendars that a project's settings name."""
    kept = {}
    for name, said in project.settings.calendars.items():
        days = tuple(WEEKDAYS.index(day) + 1 for day in said.working_days)
        made = Calendar(
            name=name,
            country=said.country,
            region=said.region,
            weekdays=days,
            closed=said.closed,
            opened=said.opened,
        )
        kept[name] = Kept(made, project.path(said.file) if said.file else None)
    return Calendars(kept)


def _unusable(what: str, where: str, error: OSError) -> StoreError:
    sentence = f"The {what} at {where} cannot be used: {error.strerror or error}."
    return StoreError(sentence, hint="PENSTOCK_STORE and PENSTOCK_BLOBS, or penstock.yaml, name other places.")


def open_blobs(where: Where, environ: Mapping[str, str]) -> BlobStore:
    """Open the place where files are kept."""
    if not where.blobs.startswith("s3://"):
        make_closed(Path(where.blobs))
        return open_folder(Path(where.blobs))
    endpoint = environ.get("PENSTOCK_BLOBS_ENDPOINT") or environ.get("AWS_ENDPOINT_URL", "")
    return open_s3(
        Bucket(
            url=where.blobs,
            endpoint=endpoint,
            region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION", "us-east-1"),
            access_key_id=environ.get("AWS_ACCESS_KEY_ID", ""),
            secret_access_key=environ.get("AWS_SECRET_ACCESS_KEY", ""),
            session_token=environ.get("AWS_SESSION_TOKEN", ""),
        )
    )
