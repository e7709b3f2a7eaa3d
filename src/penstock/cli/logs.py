"""What did a run's tasks say? Their text on stdout, whole or by step, followed while it comes."""

from __future__ import annotations

import datetime
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final

import click
import msgspec

from penstock.app import App
from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.remote.aim import served
from penstock.cli.suggest import run_ids
from penstock.cli.which import run_id
from penstock.services.document import instant
from penstock.services.watch import LogLine, Watch, lines_of
from penstock.store.chunks import Level

POLL: Final = 0.2
# Logs are packed a moment after their task has ended.
LINGER: Final = 3


class LogsGiven(Given, frozen=True, kw_only=True):
    """What `runs logs` was given."""

    run: str
    step: str | None = None
    attempt: int | None = None
    level: str | None = None
    tail: int | None = None
    follow: bool = False
    times: bool = False
    raw: bool = False


@click.command(
    "logs",
    **examples(
        "penstock runs logs last",
        "penstock runs logs last --step extract --attempt 2",
        "penstock runs logs last --follow --times",
        "penstock runs logs last --raw > said.txt",
    ),
)
@click.argument("run", metavar="ID|last", shell_complete=run_ids)
@click.option("--step", default=None, help="Of this step only: its key, as `runs show` gives it.")
@click.option("--attempt", type=int, default=None, help="Of this attempt only.")
@click.option(
    "--level",
    default=None,
    type=click.Choice(["trace", "debug", "info", "warning", "error"]),
    help="Lines of at least this level; what a process printed has none and is left out.",
)
@click.option("-n", "--tail", type=click.IntRange(0), default=None, help="The last so many lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@click.option("-t", "--times", is_flag=True, help="Begin each line with its instant (UTC).")
@click.option("--raw", is_flag=True, help="The text alone, without the names of steps.")
@json_too
@places
@served("penstock.cli.remote.runs:logs")
def logs(**given: Any) -> None:
    """Print what a run's tasks said."""
    asked = msgspec.convert(given, LogsGiven)
    with opened(asked) as app:
        found = run_id(app, asked.run)
        if asked.follow:
            write(_followed(app, found), asked)
        else:
            write(lines_of(app.core, found, asked.step, asked.attempt), asked)


def _followed(app: App, run: str) -> Iterator[LogLine]:
    watch, ended = Watch(app.core, run), 0
    while ended < LINGER:
        told = watch.look()
        yield from watch.lines(told)
        sys.stdout.flush()
        ended += told.end is not None
        time.sleep(POLL)
    yield from watch.all_lines(watch.look())


def _chosen(lines: Iterable[LogLine], asked: LogsGiven) -> Iterator[LogLine]:
    least = Level[asked.level.upper()] if asked.level else Level.NONE
    fitting = (
        line
        for line in lines
        if line.level >= least
        and (asked.step is None or line.step == asked.step)
        and (asked.attempt is None or line.attempt == asked.attempt)
    )
    yield from fitting if asked.tail is None or asked.follow else deque(fitting, asked.tail)


def write(lines: Iterable[LogLine], asked: LogsGiven) -> None:
    """Write those lines that were asked for."""
    out = sys.stdout
    for line in _chosen(lines, asked):
        if asked.json:
            said = {
                "at": instant(line.at),
                "step": line.step,
                "attempt": line.attempt,
                "stream": line.stream.name.lower(),
                "level": line.level.name.lower() if line.level else None,
                "text": line.text,
            }
            out.write(msgspec.json.encode(said).decode() + "\n")
            continue
        at = f"{_clock(line.at)}  " if asked.times else ""
        who = "" if asked.raw or asked.step is not None else f"{line.step} │ "
        out.write(f"{at}{who}{line.text}\n")


def _clock(micros: int) -> str:
    return datetime.datetime.fromtimestamp(micros / 1e6, datetime.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
