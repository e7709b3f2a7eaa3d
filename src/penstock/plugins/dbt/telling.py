"""What does dbt say while it works, and how does the worker hear of it? Runs in dbt's own Python, beside its project.

`python telling.py build …` runs dbt with these arguments. Its lines become lines of the attempt's log; each node is
told as a part of the attempt, when it begins and with what `run_results.json` says of its end; numbers of rows and
times become metrics; files of dbt's own are stored. It knows nothing but the standard library: that is all there is.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

KEPT = ("manifest.json", "run_results.json", "catalog.json")
SET_UP = ".profile"  # where a task that prepared the folder put its profile
CALLS = Path(f"{__file__}.calls")  # what came of each call of dbt in this attempt; the shell begins it anew
ROWS = Path(f"{__file__}.rows")  # what was counted of nodes that were made
DATA = Path(f"{__file__.removesuffix('.py')}-data.py")  # who says which tables dbt has read and made
FORCED = {"DBT_LOG_FORMAT": "json"}  # without it nothing is heard of a node while dbt works
BUILDING = ("build", "run", "test", "seed", "snapshot")  # what they have done outlives the attempt
MAKING = ("build", "run", "seed")  # of what they make, rows are counted
SELECTING = ("build", "run", "test", "seed", "snapshot", "compile", "show")
COUNT = "SELECT count(*) FROM {}"
MADE = ("model.", "seed.", "snapshot.")
PICKS = ("--select", "-s", "--models", "-m", "--model", "--exclude", "--selector")
STATUSES = {
    "success": "success", "pass": "success", "partial success": "warning", "warn": "warning", "error": "failed",
    "fail": "failed", "runtime error": "failed", "skipped": "skipped", "no-op": "skipped", "started": "running",
    "compiling": "running", "executing": "running",
}  # fmt: skip
LEVELS = {"debug": "debug", "info": "info", "warn": "warn", "error": "error"}
BEGIN = Path(f"{__file__.removesuffix('.py')}-begin") / "begin.py"  # alone there: nothing is imported from beside it
# Which Python a program is for: its first line says it, or its second, where the path is too long for a first.
PYTHON = re.compile(
    r"""#!(?:(/\S*python[\d.]*)|/bin/sh\n'''exec' (?:'(/[^'\n]*python[\d.]*)'|(/[^'"\s]*python[\d.]*)) "\$0" "\$@")\n"""
)
ABSENT = (
    "dbt is not installed here. Name its packages in the task, such as "
    'dependencies: ["dbt-core<1.12", "dbt-{kind}"], or have them in the project\'s Python.'
)


def main(arguments: list[str]) -> int:
    """Run dbt, and tell what it does."""
    found = shutil.which(os.environ.get("PENSTOCK_DBT_PATH") or "dbt") or shutil.which("dbt")
    if found is None:
        say(logs=[{"level": "error", "message": ABSENT.format(kind=os.environ.get("PENSTOCK_DBT_KIND", "duckdb"))}])
        return 127
    told = os.environ.get("PENSTOCK_DBT_PARTS", "1") == "1"
    only = [name for name in os.environ.get("PENSTOCK_ONLY", "").split("\n") if name]
    asked, calls = essence(arguments), [json.loads(line) for line in written(CALLS).splitlines()]
    left = only or remaining(asked, calls, json.loads(os.environ.get("PENSTOCK_DBT_AGAIN") or "[]"))
    if left == []:
        say(logs=[{"level": "info", "message": f"dbt {' '.join(arguments)}: done by an earlier attempt."}])
        remember(calls, {"asked": asked, "left": []}, told)
        return 0
    if left:
        arguments = narrowed(arguments, left)
    before = changed_at(results_of(arguments))
    environment = {"DBT_USE_COLORS": "false", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    if Path(SET_UP).is_dir():
        environment["DBT_PROFILES_DIR"] = SET_UP
    process = subprocess.Popen(
        [*program(found), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**environment, **os.environ, **FORCED},
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _frame: process.send_signal(got))
    warming = threading.Thread(target=warm, args=(arguments,))
    if told and any(word in MAKING for word in arguments):
        warming.start()
    where = results_of(arguments)
    assert process.stdout is not None
    worst = ""
    for line in process.stdout:
        worst = hear(line.rstrip("\n"), told) or worst
    code = process.wait()
    if warming.ident:
        warming.join()
    # what is found out for the documentation tells nothing of what was built
    news = told and "docs" not in arguments and changed_at(where) != before
    undone = account(where, arguments) if news else []
    if not only:  # which is some of the nodes, and tells nothing of the others
        remember(calls, {"asked": asked, "left": undone or (None if code else [])}, told)
    if os.environ.get("PENSTOCK_LINEAGE") and (changed_at(where) != before or "docs" in arguments):
        subprocess.run([sys.executable, str(DATA), str(where.parent), json.dumps(arguments)], check=False)
    keep(where.parent)
    if code:  # what stands last there is told as the reason of the failure
        print((cause(where) if news else "") or worst, file=sys.stderr, flush=True)
    return code if code >= 0 else 128 - code


def program(found: str) -> list[str]:
    """How dbt is begun: as it is, or by its Python where it is for one."""
    try:
        with Path(found).open(errors="surrogateescape") as file:
            match = PYTHON.match(file.readline(4096) + file.readline(4096))
    except OSError:  # it may be run, and not read
        match = None
    return [match[1] or match[2] or match[3], str(BEGIN), found] if match else [found]


def remaining(asked: list[str], calls: list[dict[str, Any]], earlier: list[dict[str, Any]]) -> list[str] | None:
    """Which nodes the next call of dbt has to do, given those before it and those of an earlier attempt.

    None: all it works on. It is for the first call that failed to go on; what follows that one saw less than it should.
    """
    place = len(calls)
    failed = next((number for number, call in enumerate(earlier) if call["left"] != []), None)
    here = [call["asked"] for call in calls] + [asked]
    if failed is None or place > failed or here != [call["asked"] for call in earlier[: place + 1]]:
        return None
    if place == failed:
        left: list[str] | None = earlier[place]["left"]
        return left
    return [] if any(word in BUILDING for word in asked) else None


def remember(calls: list[dict[str, Any]], call: dict[str, Any], told: bool) -> None:
    """Keep what came of this call, for the calls after it and for the next attempt."""
    with CALLS.open("a") as file:
        file.write(json.dumps(call) + "\n")
    if told:
        say(state={"calls": [*calls, call]})


def essence(arguments: list[str]) -> list[str]:
    """What makes a command the same in another attempt: its name, and which nodes it is for."""
    picks = picking(arguments)
    names = [word for word, pick in zip(arguments, picks, strict=True) if not pick and word in (*SELECTING, "deps")]
    return names[:1] + [word for word, pick in zip(arguments, picks, strict=True) if pick]


def picking(arguments: list[str]) -> list[bool]:
    """Of each argument, whether it says which nodes are meant."""
    told: list[bool] = []
    within = False
    for argument in arguments:
        if argument.startswith("-"):
            within = argument in PICKS
        told.append(within or argument.partition("=")[0] in PICKS)
    return told


def narrowed(arguments: list[str], names: list[str]) -> list[str]:
    """The same command for these nodes alone; one that works on no nodes stays as it is."""
    if not any(argument in SELECTING for argument in arguments):
        return arguments
    kept = [word for word, pick in zip(arguments, picking(arguments), strict=True) if not pick]
    say(logs=[{"level": "info", "message": f"Only {', '.join(names)}."}])
    return [*kept, "--select", *names]


def hear(line: str, told: bool) -> str:
    """Take one line of dbt's: a line of the log, and perhaps news of a node. Gives the end of what is an error."""
    try:
        event = json.loads(line)
        info, data = event["info"], event.get("data") or {}
    except (ValueError, KeyError, TypeError):
        if line:
            put(line)
        return ""
    message = str(info.get("msg") or "").rstrip()
    if message:
        say(logs=[{"level": LEVELS.get(str(info.get("level")), "info"), "message": message}])
    node = data.get("node_info") or {}
    status = STATUSES.get(str(node.get("node_status")).lower())
    if told and status == "running" and node.get("unique_id"):
        say(parts=[{"name": name_of(node["unique_id"]), "status": "running"}])
    lines = message.split("\n") if info.get("level") == "error" else []
    return lines[-1].strip() if lines else ""


def cause(path: Path) -> str:
    """Which node failed first and why, in a line; how many others have."""
    failed = [each for each in outcomes(path) if STATUSES.get(str(each.get("status")).lower()) == "failed"]
    if not failed:
        return ""
    lines = [line.strip() for line in str(failed[0].get("message") or failed[0]["status"]).split("\n")]
    # the first line says only where, when there is a second
    more = f" {len(failed) - 1} more failed." if failed[1:] else ""
    return f"{name_of(failed[0]['unique_id'])}: {(lines[1:] or lines)[0]}{more}"


def outcomes(path: Path) -> list[dict[str, Any]]:
    """What came of each node, as dbt's own results have it."""
    try:
        found: list[dict[str, Any]] = json.loads(path.read_text())["results"]
    except (OSError, ValueError, KeyError):
        return []
    return found


def account(path: Path, arguments: list[str]) -> list[str]:
    """Tell how each node ended, as dbt's own results have it; gives those that are to be done again."""
    results = outcomes(path)
    with_rows(results, arguments)
    parts, metrics, left = [], [], []
    for result in results:
        name, status = name_of(result["unique_id"]), STATUSES.get(str(result.get("status")).lower(), "warning")
        begun, ended = span(result.get("timing") or [])
        part: dict[str, Any] = {"name": name, "status": status, "started_at": begun, "ended_at": ended}
        if status in ("failed", "warning"):
            part["message"] = str(result.get("message") or result.get("status"))
        parts.append(part)
        if status == "failed" or (status == "skipped" and str(result.get("status")) == "skipped"):
            left.append(name)
        metrics += numbers(name, result)
    counts: dict[str, int] = {}
    for part in parts:
        counts[part["status"]] = counts.get(part["status"], 0) + 1
    say(parts=parts, metrics=metrics, outputs={"nodes": counts})
    return left


def warm(arguments: list[str]) -> None:
    """Import what counts rows in the end, while dbt imports its own."""
    with contextlib.suppress(Exception):
        if database_of(arguments):
            importlib.import_module("duckdb")


def database_of(arguments: list[str]) -> str:
    """Path of the file in which DuckDB keeps what dbt makes; empty where it is another database."""
    kind, _, path = runpy.run_path(str(DATA))["place"](arguments).partition("://")
    return path if kind == "duckdb" else ""


def with_rows(results: list[dict[str, Any]], arguments: list[str]) -> None:
    """Put in how many rows each node has that was made, where dbt does not say: DuckDB's are counted in its file."""
    silent = [
        each for each in results
        if each.get("relation_name") and each["unique_id"].startswith(MADE) and each.get("status") == "success"
        and "rows_affected" not in (each.get("adapter_response") or {})
    ]  # fmt: skip
    path = database_of(arguments) if silent else ""
    if not Path(path).is_file():
        return
    try:
        database = importlib.import_module("duckdb").connect(path, read_only=True)
    except Exception as error:
        say(logs=[{"level": "debug", "message": f"No rows are counted: {error!r}"}])
        return
    for each in silent:
        # a view may read what only dbt has attached
        with contextlib.suppress(Exception):
            (found,) = database.execute(COUNT.format(each["relation_name"])).fetchall()
            each["adapter_response"] = {**(each.get("adapter_response") or {}), "rows_affected": found[0]}
    database.close()
    ROWS.write_text(json.dumps({each["unique_id"]: each["adapter_response"] for each in silent}))


def numbers(name: str, result: dict[str, Any]) -> list[dict[str, Any]]:
    """What is counted of a node: seconds, rows, and the failures of a test."""
    tags = {"node": name}
    found = [{"name": "dbt.duration", "type": "timer", "value": result.get("execution_time") or 0, "tags": tags}]
    rows = (result.get("adapter_response") or {}).get("rows_affected")
    if isinstance(rows, int) and rows >= 0:
        found.append({"name": "dbt.rows", "type": "counter", "value": rows, "tags": tags})
    if isinstance(result.get("failures"), int):
        found.append({"name": "dbt.failures", "type": "counter", "value": result["failures"], "tags": tags})
    return found


def name_of(unique_id: str) -> str:
    """A node's name as `dbt --select` takes it: without its kind, its project and the sum that a test's ends with."""
    kind, _, rest = unique_id.partition(".")
    path = rest.split(".")[1:]
    if kind == "test" and len(path) > 1:
        path = path[:-1]
    if kind == "source":
        return "source:" + ".".join(path)
    return path[-1] if kind == "unit_test" else ".".join(path) or unique_id


def span(timing: list[dict[str, Any]]) -> tuple[float | None, float | None]:
    """When a node began and ended, in seconds; nothing where dbt does not say."""
    begun = [seconds(each.get("started_at")) for each in timing]
    ended = [seconds(each.get("completed_at")) for each in timing]
    first, last = [at for at in begun if at], [at for at in ended if at]
    return (min(first) if first else None), (max(last) if last else None)


def seconds(text: Any) -> float | None:
    """An instant of dbt's as seconds since 1970."""
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def results_of(arguments: list[str]) -> Path:
    """Where dbt writes its results: in the target folder of its project."""
    project = option(arguments, "--project-dir") or os.environ.get("DBT_PROJECT_DIR") or "."
    target = option(arguments, "--target-path") or os.environ.get("DBT_TARGET_PATH") or "target"
    return Path(project) / target / "run_results.json"


def option(arguments: list[str], name: str) -> str:
    """The value of an option, however it is written."""
    for place, argument in enumerate(arguments):
        if argument == name and place + 1 < len(arguments):
            return arguments[place + 1]
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return ""


def changed_at(path: Path) -> int:
    """When a file was written; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def written(path: Path) -> str:
    """What a file holds; nothing where there is none."""
    return path.read_text() if path.is_file() else ""


def keep(target: Path) -> None:
    """Have dbt's files stored, by their own names."""
    home = Path(os.environ.get("WORKING_DIR") or ".")
    kept = []
    for name in KEPT:
        if (target / name).is_file():
            shutil.copyfile(target / name, home / f".penstock-{name}")
            (home / f".penstock-{name}").replace(home / name)
            kept.append(name)
    if kept:
        say(files=kept)


def say(**told: Any) -> None:
    """Tell the worker something, in one line."""
    put(f"::{json.dumps(told)}::")


def put(line: str) -> None:
    """Write a line whole, whoever else writes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
