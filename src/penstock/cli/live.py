"""How is a run shown on a terminal while it goes? A tree of its steps, with logs going by above it."""

from __future__ import annotations

import datetime
import shutil
import time
from typing import TYPE_CHECKING, Final

import click

from penstock.cli.plain import ending_lines
from penstock.cli.said import note
from penstock.cli.tree import Line, tree, written
from penstock.services.core import Core
from penstock.services.document import RunDocument
from penstock.services.watch import LogLine, Watch
from penstock.services.worker.shop import Progress
from penstock.store.chunks import Level, Stream

if TYPE_CHECKING:
    from rich.live import Live

QUICKEST: Final = 0.1
# Looking at a large run takes a while; it gets at most this part of the time.
SHARE: Final = 0.1
COLOURS: Final = {Level.ERROR: "red", Level.WARNING: "yellow", Level.DEBUG: "bright_black", Level.TRACE: "bright_black"}


class LiveShow:
    """A live picture; opens when the run exists, closes with the run's end and leaves the last picture standing."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._watch: Watch | None = None
        self._live: Live | None = None
        self._progress: dict[str, str] = {}

    def begin(self, run_id: str, *, new: bool = False) -> None:
        """The run exists."""
        from rich.console import Console
        from rich.live import Live

        self._watch = Watch(self._core, run_id)
        if not new:
            self._watch.pass_by()
        self._live = Live(console=Console(stderr=True, highlight=False), auto_refresh=False, transient=True)
        self._live.start()

    def refresh(self) -> float:
        """Draw what is new, and tell how long to wait."""
        began = time.monotonic()
        assert self._watch is not None
        told = self._watch.look()
        self._say(list(self._watch.lines(told)))
        self._draw(told)
        return max(QUICKEST, (time.monotonic() - began) / SHARE)

    def progress(self, told: Progress) -> None:
        """An attempt says how far it is; drawn with the next picture."""
        unit = f" {told.unit}" if told.unit else ""
        if told.total:
            share = min(1.0, max(0.0, told.done / told.total))
            bar = "█" * round(10 * share) + "░" * (10 - round(10 * share))
            said = f"{bar} {share:.0%} of {told.total:,g}{unit}"
        else:
            said = f"{told.done:,g}{unit}"
        self._progress[told.step] = f"{said} · {told.note}" if told.note else said

    def say(self, text: str) -> None:
        """Say it above the picture."""
        if self._live is not None:
            self._live.console.print(text, markup=False)

    def end(self) -> None:
        """Draw the last picture, and leave it."""
        assert self._watch is not None
        assert self._live is not None
        told = self._watch.look()
        self._say(list(self._watch.all_lines(told)))
        self._live.stop()
        for line in tree(told):
            note(written(line))
        for text in list(ending_lines(told))[1:]:
            note(text)

    def close(self) -> None:
        """Give the terminal back, whatever happened; safe to call twice."""
        if self._live is not None:
            self._live.stop()

    def _say(self, lines: list[LogLine]) -> None:
        assert self._live is not None
        if lines:
            from rich.text import Text

            self._live.console.print(Text.from_ansi("\n".join(map(_spoken, lines))))

    def _draw(self, told: RunDocument) -> None:
        from rich.text import Text

        assert self._live is not None
        size = shutil.get_terminal_size()
        lines = _fitting(list(tree(told, datetime.datetime.now(datetime.UTC), self._progress)), size.lines - 2)
        text = Text.from_ansi("\n".join(map(written, lines)), no_wrap=True, overflow="ellipsis")
        self._live.update(text, refresh=True)


def _fitting(lines: list[Line], height: int) -> list[Line]:
    """The lines that a terminal has room for: what goes on and what went wrong before what is done or waits."""
    if len(lines) <= height:
        return lines
    weight = {"running": 0, "failed": 1, "retrying": 1, "killing": 1}
    order = sorted(range(len(lines)), key=lambda place: (weight.get(lines[place].status, 2), place))
    kept = sorted({0, *order[: max(1, height - 2)]})
    hidden = len(lines) - len(kept)
    return [*(lines[place] for place in kept), Line(1, "waiting", f"{hidden:,} more steps")]


def _spoken(line: LogLine) -> str:
    who = click.style(f"{line.step} │", dim=True)
    colour = COLOURS.get(line.level, "red" if line.stream is Stream.ERR else None)
    return f"{who} {click.style(line.text, fg=colour) if colour else line.text}"
