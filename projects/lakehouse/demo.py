"""What does the lakehouse look like when it runs? This starts its servers, runs its flow, and compares every table.

python -m projects.lakehouse.demo                    # 10,000 events; the servers stay up
python -m projects.lakehouse.demo --events 50000     # so many in all: what is lacking is sent
python -m projects.lakehouse.demo --check            # only compare the tables with what was sent
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from projects.lakehouse.services.__main__ import ENV, FOLDER, PROJECT
from projects.lakehouse.services.holder import Holder
from projects.servers import ServerFailed

FLOW = "flows/taxi_pipeline.yml"
NAME = "lakehouse.taxi_pipeline"
# One of the packages that dbt_build brings, by which its Python is known; the checker reads with it.
READER = "dbt-duckdb"
RUNS = Path(".penstock", "blobs", "runs")
ENVIRONMENTS = Path(".penstock", "environments")
STAYING = """Servers that were started stay up:
  make -C projects/lakehouse health   who answers, where, as which process
  make -C projects/lakehouse down     stop them; their data stays"""


class DemoFailed(Exception):
    """The demo cannot go on; the sentence says why and what to do."""


def main() -> int:
    """Do what is asked; 0 where every table holds what was sent."""
    parser = argparse.ArgumentParser(description="Run the lakehouse on this machine, end to end.")
    parser.add_argument("--events", type=int, default=10_000, help="how many there are to be in all (10000)")
    parser.add_argument("--name", default="taxi", help="of the topic, the tables and the jobs (taxi)")
    parser.add_argument("--check", action="store_true", help="only compare the tables with what was sent")
    parser.add_argument(
        "--gold", default="duckdb", choices=["duckdb", "postgres"], help="where it is compared (duckdb)"
    )
    given = parser.parse_args()
    holder = Holder(FOLDER, ENV)
    try:
        if given.check:
            return check(holder.environment(), given.name, given.gold)
        return demo(holder, given.events, given.name)
    except (DemoFailed, ServerFailed) as failed:
        print(f"\n{failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped. {STAYING}", file=sys.stderr)
        return 130


def demo(holder: Holder, events: int, name: str) -> int:
    """Start the servers, run the flow, and compare."""
    taken: list[tuple[str, float]] = []
    with span("start the servers", taken):
        holder.up(lambda line: print(f"  {line}", flush=True))
    env = holder.environment()
    words = ["run", FLOW, "-i", f"events={events}", "-i", f"name={name}"]
    with span(f"penstock {shlex.join(words)}", taken):
        if subprocess.run([sys.executable, "-m", "penstock", *words], cwd=PROJECT, env=env, check=False).returncode:
            raise DemoFailed(f"The run has failed; the error is above. {STAYING}")
    with span("compare every table with what was sent", taken):
        differs = check(env, name)
    print("\nWhere the time went:")
    for what, seconds in taken:
        print(f"  {seconds:6.1f} s  {what}")
    if differs:
        raise DemoFailed(f"Tables do not hold what was sent; the differences are above. {STAYING}")
    print(f"\nEvery table holds what was sent. Flink's own page: {env['FLINK_URL']}\n{STAYING}")
    return 0


@contextlib.contextmanager
def span(what: str, taken: list[tuple[str, float]]) -> Iterator[None]:
    """Announce a part of the work and take its time."""
    print(f"· {what}", flush=True)
    began = time.monotonic()
    yield
    taken.append((what, time.monotonic() - began))


def check(env: Mapping[str, str], name: str, target: str = "duckdb") -> int:
    """Compare every table with the events of the largest run of this name; 0, or 1 where one differs."""
    gold = f"{env['GOLD_FOLDER']}/{name}.duckdb" if target == "duckdb" else target
    where = ["--events", str(sent(env, name)), "--name", name, "--gold", gold]
    command = [str(reader(env)), "-m", "projects.lakehouse.check", *where]
    return subprocess.run(command, cwd=PROJECT.parents[1], env=env, check=False).returncode


def sent(env: Mapping[str, str], name: str) -> Path:
    """The generator's file of the run that asked for the most: all others sent the beginning of it."""
    runs = told(env, "runs", "list", "--flow", NAME, "--limit", "1000")
    named = [each for each in runs if each["inputs"].get("name") == name]
    for each in sorted(named, key=lambda run: run["inputs"]["events"], reverse=True):
        files = sorted((PROJECT / RUNS / str(each["id"])).glob("generate_events/*/events.jsonl"))
        if files:
            return files[-1]
    raise DemoFailed(f'No run has sent events under the name "{name}": make -C projects/lakehouse run NAME={name}')


def reader(env: Mapping[str, str]) -> Path:
    """The Python that the flow's last task has made."""
    made = told(env, "envs", "list")
    for each in sorted(made, key=lambda found: found["used_at"], reverse=True):
        python = PROJECT / ENVIRONMENTS / str(each["folder"]) / "bin" / "python"
        if any(wanted.startswith(READER) for wanted in each["requirements"]) and python.exists():
            return python
    raise DemoFailed(
        "The task dbt_build has not run yet, with whose packages tables are read: make -C projects/lakehouse run"
    )


def told(env: Mapping[str, str], *words: str) -> list[dict[str, Any]]:
    """What a command of ours says as data."""
    command = [sys.executable, "-m", "penstock", *words, "--json"]
    said = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=False)
    if said.returncode:
        raise DemoFailed(said.stderr.strip())
    found: list[dict[str, Any]] = json.loads(said.stdout)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
