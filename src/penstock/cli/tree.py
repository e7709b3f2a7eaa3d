"""How does a run look as a tree? A line for each step: a sign and a word for its status, its time, what went wrong."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Final

import click
import msgspec

from penstock.cli.said import span
from penstock.services.document import RunDocument, StepDocument

SIGNS: Final = {
    "waiting": ("·", "bright_black"),
    "queued": ("○", "cyan"),
    "running": ("▶", "blue"),
    "retrying": ("↻", "yellow"),
    "snoozed": ("z", "cyan"),
    "paused": ("‖", "cyan"),
    "killing": ("■", "yellow"),
    "success": ("✓", "green"),
    "warning": ("!", "yellow"),
    "failed": ("✗", "red"),
    "skipped": ("-", "bright_black"),
    "killed": ("■", "magenta"),
    "cancelled": ("■", "bright_black"),
    "retried": ("↻", "bright_black"),
    "lost": ("?", "red"),
}
# Of a loop with more rounds than this only those that go or went wrong are shown, and a count of the others.
MANY: Final = 8


class Line(msgspec.Struct, frozen=True):
    """One line of the tree: how deep, which status, its text, and what is added in a weaker colour."""

    depth: int
    status: str
    text: str
    aside: str = ""


def tree(
    told: RunDocument, now: datetime.datetime | None = None, progress: Mapping[str, str] | None = None
) -> Iterator[Line]:
    """The lines of a run; `now` lets what runs show its time so far, `progress` what attempts say of themselves."""
    below: dict[str | None, list[StepDocument]] = {}
    for step in told.steps:
        below.setdefault(step.parent, []).append(step)
    took = told.duration if told.end else _since(told.start, now)
    yield Line(0, told.status, f"{told.namespace}.{told.flow}", _joined(told.status, span(took), told.id))
    yield from _under(below, None, 1, now, progress or {})


def written(line: Line) -> str:
    """A line as text with colours, which are taken off where there is no terminal."""
    sign, colour = SIGNS.get(line.status, ("?", "white"))
    aside = click.style(f"  {line.aside}", dim=True) if line.aside else ""
    return f"{'  ' * line.depth}{click.style(sign, fg=colour)} {line.text}{aside}"


def _under(
    below: dict[str | None, list[StepDocument]],
    parent: str | None,
    depth: int,
    now: datetime.datetime | None,
    progress: Mapping[str, str],
) -> Iterator[Line]:
    steps = below.get(parent, [])
    rounds = [step for step in steps if step.key.endswith("]")]
    hidden = len(rounds) > MANY
    for step in steps:
        if hidden and step.key.endswith("]") and step.status in ("success", "skipped", "queued"):
            continue
        yield _line(step, depth, now, progress)
        yield from _under(below, step.key, depth + 1, now, progress)
    if hidden:
        counts: dict[str, int] = {}
        for step in rounds:
            counts[step.status] = counts.get(step.status, 0) + 1
        said = ", ".join(f"{count:,} {status}" for status, count in counts.items())
        yield Line(depth, "waiting", f"{len(rounds):,} rounds", said)


def _line(step: StepDocument, depth: int, now: datetime.datetime | None, progress: Mapping[str, str]) -> Line:
    took = step.duration if step.end else _since(step.start, now)
    name = step.key.rpartition("/")[2]
    if step.key.endswith("]") and step.value is not None:
        value = step.value if isinstance(step.value, str) else msgspec.json.encode(step.value).decode()
        name = f"{name} = {value if len(value) <= 60 else f'{value[:29]}…{value[-30:]}'}"
    tries = len(step.attempts)
    # a folder's attempts open and close it: only a third one is one too many
    again = f"{tries} attempts" if tries > (2 if step.type == "folder" else 1) else ""
    why = step.error.message if step.error and step.status not in ("success", "skipped") else ""
    if not why and step.status == "retrying" and step.attempts and step.attempts[-1].error:
        why = step.attempts[-1].error.message
    shown = "" if step.status == "success" else step.status
    children = f"run {', '.join(step.children)}" if step.children else ""
    return Line(
        depth,
        step.status,
        name,
        _joined(shown, _rounds(step), span(took), again, progress.get(step.key, ""), children, why),
    )


def turn(step: StepDocument) -> str:
    """Which round a loop is in, and of how many."""
    if step.rounds is None or not step.rounds.begun:
        return ""
    if step.rounds.of is None:
        return f"round {step.rounds.begun:,}"
    return f"round {step.rounds.begun:,} of {'at most ' if step.type == 'until' else ''}{step.rounds.of:,}"


def _rounds(step: StepDocument) -> str:
    if step.end is None:
        return turn(step)
    if step.rounds is None or step.type != "until":
        return ""
    return f"{step.rounds.begun:,} {'round' if step.rounds.begun == 1 else 'rounds'}"


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _since(start: str | None, now: datetime.datetime | None) -> float | None:
    if start is None or now is None:
        return None
    return max(0.0, (now - datetime.datetime.fromisoformat(start)).total_seconds())
