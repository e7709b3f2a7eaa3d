"""What does a pipeline look like when it runs? This starts what it needs, runs the flow, and shows the result.

    python -m projects.warehouse.demo                    # the day 2016-01-02
    python -m projects.warehouse.demo --day 2016-01-03   # another day of the month
    python -m projects.warehouse.demo --dev              # then open `penstock dev` on it: API, schedule, backfills
    python -m projects.warehouse.demo --keep             # leave the servers up until Ctrl-C, to look around
    python -m projects.warehouse.demo --containers       # the script in a container; needs Docker or Podman
    python -m projects.warehouse.demo --clean            # remove everything that it made

A PostgreSQL and an S3-compatible store run as children of this process, on free ports of this machine only. Their data
stays in projects/warehouse/.demo, so the next time takes seconds; loading a day again doubles nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import fcntl
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from obstore.store import S3Store

from projects.servers import PostgresServer, S3Server, ServerFailed, find_binaries, postgres_server, s3_server
from projects.warehouse.check import compare, print_differences
from projects.warehouse.generate import FIRST_DATE, Recipe, upload, write_days
from projects.warehouse.schema import apply_schema

PROJECT = Path(__file__).resolve().parent
FOLDER = PROJECT / ".demo"
FLOW = "flows/phase2_orchestration.yml"
DATABASE, BUCKET = "warehouse", "warehouse"
MIDDLE = datetime.date(2016, 1, 16)  # of the month whose exports are made: all of January
TABLES = ("staging.tenant", "staging.user", "staging.feature_usage", "dw.dim_tenant", "dw.dim_user", "dw.dim_feature",
          "dw.dim_date", "dw.fact_feature_usage", "dq.audit_checks", "dq.rejected_rows")  # fmt: skip


class DemoFailed(Exception):
    """The demo cannot go on; the sentence says why and what to do."""


@dataclass
class Spans:
    """Where the time went."""

    taken: list[tuple[str, float]]

    @contextlib.contextmanager
    def of(self, what: str) -> Iterator[None]:
        """Announce a part of the work and take its time."""
        print(f"· {what}", flush=True)
        began = time.monotonic()
        yield
        self.taken.append((what, time.monotonic() - began))


def main() -> int:
    """Run the demo; 0 when the warehouse holds what the exports say."""
    parser = argparse.ArgumentParser(description="Run the warehouse pipeline on this machine, end to end.")
    parser.add_argument("--day", type=datetime.date.fromisoformat, default=FIRST_DATE, metavar="YYYY-MM-DD")
    parser.add_argument("--events", type=int, default=5_000, help="events of a day (default 5000)")
    parser.add_argument("--dev", action="store_true", help="then open `penstock dev` on it, until Ctrl-C")
    parser.add_argument("--keep", action="store_true", help="leave the servers up until Ctrl-C")
    parser.add_argument("--containers", action="store_true", help="run the script in a container")
    parser.add_argument("--clean", action="store_true", help="remove what earlier demos left, and end")
    given = parser.parse_args()
    recipe = Recipe(events=given.events, middle=MIDDLE)
    if given.day not in recipe.days:
        parser.error(f"the exports cover {recipe.days[0]} to {recipe.days[-1]}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with only_one(FOLDER):
            if given.clean:
                clean(FOLDER)
            else:
                project = contained(FOLDER) if given.containers else PROJECT
                demo(project, recipe, given.day, then=work_on if given.dev else stay if given.keep else None)
    except (DemoFailed, ServerFailed) as failed:
        print(f"\n{failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; what was started is down.", file=sys.stderr)
        return 130
    return 0


def demo(project: Path, recipe: Recipe, day: datetime.date, *, then: Callable[[Path, str], None] | None) -> None:
    """Start the servers, prepare, run the project's flow, show and check what came of it; `then`, while they are up."""
    spans, folder = Spans([]), FOLDER
    with contextlib.ExitStack() as running:
        with spans.of("start PostgreSQL"):
            postgres = running.enter_context(postgres_server(folder / "postgres"))
        with spans.of("start S3"):
            s3 = running.enter_context(s3_server(folder / "s3"))
        print(f"  PostgreSQL {postgres.version} on 127.0.0.1:{postgres.port}, {s3.kind} on {s3.endpoint}")
        if s3.kind == "moto":
            print("  versitygw is not here, so S3 is moto's server, which keeps objects in memory.")
            print("  `make test` builds versitygw.")
        with spans.of("schemas, tables and procedures"):
            dsn = prepare_database(postgres)
        with spans.of(f"exports of {len(recipe.days)} days, {recipe.events:,} events each, on S3"):
            send_exports(s3, folder / "exports", recipe)
        write_secrets(project / ".demo" / "secrets", postgres, s3)
        with spans.of(f"penstock run {FLOW} -i batch_date={day}"):
            run_flow(project, day)
        show_tables(dsn, day)
        with spans.of("check every table against the CSV files"):
            if not print_differences(compare(dsn, folder / "exports")):
                raise DemoFailed("The warehouse does not hold what the exports say; the differences are above.")
        print("\nWhere the time went:")
        for what, seconds in spans.taken:
            print(f"  {seconds:6.2f} s  {what}")
        if then is None:
            show_next(project, day)
        else:
            then(project, dsn)


def contained(folder: Path) -> Path:
    """Make a copy of the project whose settings let its scripts run in containers; the flows stay as they are."""
    project = folder / "contained"
    for name in ("flows", "scripts"):
        shutil.copytree(PROJECT / name, project / name, dirs_exist_ok=True)
    settings = [(PROJECT / name).read_text() for name in ("penstock.yaml", "containers.yaml")]
    (project / "penstock.yaml").write_text("".join(settings))
    (project / ".demo").mkdir(exist_ok=True)
    print(f"  The scripts run in containers: {_relative(project)}/penstock.yaml says so.")
    return project


def prepare_database(postgres: PostgresServer) -> str:
    """Create the warehouse's database where it is not there, apply its schema, and give its address."""
    with psycopg.connect(postgres.dsn) as session:
        there = session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
    dsn = postgres.dsn_of(DATABASE) if there else postgres.create_database(DATABASE)
    apply_schema(dsn)
    return dsn


def send_exports(s3: S3Server, folder: Path, recipe: Recipe) -> None:
    """Write the month's exports where they are not there, and put on S3 what it lacks."""
    s3.create_bucket(BUCKET)
    files = write_days(recipe, recipe.days, folder)
    sent = upload(open_bucket(s3), folder, files)
    print(f"  {len(files)} files, {sum(path.stat().st_size for path in files):,} bytes, {sent} of them sent now")


def open_bucket(s3: S3Server) -> S3Store:
    """The bucket of the exports."""
    return S3Store(
        BUCKET,
        endpoint=s3.endpoint,
        access_key_id=s3.access_key,
        secret_access_key=s3.secret_key,
        region=s3.region,
        client_options={"allow_http": True},
    )


def write_secrets(path: Path, postgres: PostgresServer, s3: S3Server) -> None:
    """Write the flow's secrets where the project looks for them, readable for nobody else."""
    secrets = {
        "WAREHOUSE_URL": f"jdbc:postgresql://127.0.0.1:{postgres.port}/{DATABASE}",
        "WAREHOUSE_USER": "penstock",
        "WAREHOUSE_PASSWORD": postgres.password,
        "WAREHOUSE_DSN": postgres.dsn_of(DATABASE),
        "S3_ENDPOINT": s3.endpoint,
        "S3_ACCESS_KEY": s3.access_key,
        "S3_SECRET_KEY": s3.secret_key,
    }
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in secrets.items()))


def run_flow(project: Path, day: datetime.date) -> None:
    """Run the flow for one day, live, in the project's folder."""
    print()
    code = _watched([sys.executable, "-m", "penstock", "run", FLOW, "-i", f"batch_date={day}"], project)
    print()
    match code:
        case 0:
            return
        case 1:
            raise DemoFailed(
                f"The run failed. Look at it: {penstock(project, 'runs list')}, then `runs show ID` or `runs logs ID`."
            )
        case 2 | 3:
            raise DemoFailed(f"Penstock refused the call or the flow {FLOW} (exit code {code}); its sentence is above.")
        case _:
            raise DemoFailed(
                f"Penstock itself failed (exit code {code}); {penstock(project, 'doctor')} looks for the cause."
            )


def _watched(command: list[str], project: Path) -> int:
    """Call penstock in the project's folder and give its exit code; it ends in order when this process must."""
    process = subprocess.Popen(command, cwd=project)
    try:
        return process.wait()
    except BaseException as stopped:
        # Ctrl-C on a terminal reached both of us, and it ends in order; otherwise it must be told.
        if not isinstance(stopped, KeyboardInterrupt):
            process.terminate()
        process.wait()
        raise


def show_tables(dsn: str, day: datetime.date) -> None:
    """Print how many rows each table has, and why rows of the day were rejected."""
    with psycopg.connect(dsn) as session:
        print("Rows per table:")
        for table in TABLES:
            schema, name = table.split(".")
            query = f'SELECT count(*) FROM {schema}."{name}"'.encode()
            print(f"  {table:<24} {_number(session, query):>10,}")
        print(f"\nRejected on {day}, by reason:")
        reasons = (
            "SELECT reason, count(*), count(*) FILTER (WHERE source_table = 'feature_usage') FROM dq.rejected_rows"
            " WHERE batch_date = %s GROUP BY reason ORDER BY reason"
        )
        for reason, count, usage in session.execute(reasons, [day]).fetchall():
            print(f"  {reason:<24} {count:>10,}  ({usage:,} of them events)")
        print()


def _number(session: psycopg.Connection[tuple[object, ...]], query: bytes) -> int:
    row = session.execute(query).fetchone()
    return int(str(row[0])) if row else 0


def show_next(project: Path, day: datetime.date) -> None:
    """Print commands worth trying now."""
    module = f"{_relative(Path(sys.executable))} -m projects.warehouse.demo"
    again = "" if project == PROJECT else " --containers"
    after = min(day + datetime.timedelta(days=1), Recipe(middle=MIDDLE).days[-1])
    print("\nTry next:")
    print(f"  {penstock(project, 'runs list')}   # every run so far; then: runs show ID, runs logs ID")
    print(f"  {module} --day {after}{again}   # the next day; or {day} again: nothing doubles")
    print(f"  {module} --dev{again}   # opens `penstock dev` on it: API, schedule, all of January by a backfill")
    print(f"  {module} --keep{again}   # leaves PostgreSQL and S3 up, and says how to reach them")
    print(f"  {module} --clean   # removes all of it")


def penstock(project: Path, arguments: str) -> str:
    """Give a command line of penstock that works from the folder where the demo was called."""
    program = Path(sys.executable).parent / "penstock"
    name = _relative(program) if program.exists() else f"{_relative(Path(sys.executable))} -m penstock"
    return f"{name} {arguments} -C {_relative(project)}"


def _relative(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return shlex.quote(str(path.relative_to(Path.cwd())))
    return shlex.quote(str(path))


def stay(project: Path, dsn: str) -> None:
    """Keep the servers up until Ctrl-C."""
    print("\nThe servers stay up until Ctrl-C. In another terminal:")
    print(f"  {penstock(project, 'run phase2 -i batch_date=2016-01-04')}")
    print(f"  {penstock(project, 'dev')}   # the API, the schedule, backfills")
    print(f"  {_check(dsn)}")
    print(f"  {shlex.quote(str(find_binaries() / 'psql'))} {dsn}", flush=True)
    signal.pause()


def work_on(project: Path, dsn: str) -> None:
    """Open `penstock dev` on the project, with the servers up, until Ctrl-C."""
    days = "--from 2016-01-01 --to 2016-01-31 -i 'batch_date={{ date }}'"
    print("\nNow `penstock dev`, with the servers up, until Ctrl-C. In another terminal:")
    print(f"  {penstock(project, f'backfill warehouse.phase2 {days}')}   # the whole month, four days at once")
    print(f"  {penstock(project, 'backfills list')}   # how far it is")
    print(f"  {penstock(project, 'triggers next warehouse.phase2')}   # when it runs by itself")
    print(f"  {_check(dsn)}\n", flush=True)
    _watched([sys.executable, "-m", "penstock", "dev"], project)


def _check(dsn: str) -> str:
    """The command that compares the tables with the CSV files."""
    program = f"{_relative(Path(sys.executable))} -m projects.warehouse.check"
    return f"{program} {_relative(FOLDER / 'exports')} --dsn {dsn}"


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder for this demo; DemoFailed when another one has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed(f"Another demo is using {folder}; wait for its end.") from None
        yield


def clean(folder: Path) -> None:
    """Remove the servers' data, the exports and the runs that demos left."""
    if (folder / "postgres").exists():
        PostgresServer(folder / "postgres", find_binaries()).destroy()
    shutil.rmtree(folder)
    print(f"{folder} is gone; the runs' history stays in {PROJECT / '.penstock'}.")


if __name__ == "__main__":
    sys.exit(main())
