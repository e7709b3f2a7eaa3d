"""How does a command speak? Data on stdout, all else on stderr; JSON when asked; errors with code and place."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
import msgspec

from penstock.errors import PenstockError, Problem
from penstock.errors.project import BadSettings, InvalidFlows
from penstock.errors.report import render_problem, render_problems


def data(text: str) -> None:
    """Write what was asked for."""
    click.echo(text)


def note(text: str) -> None:
    """Write what is good to know besides."""
    click.echo(text, err=True)


def as_json(value: object) -> None:
    """Write a value as JSON, indented for people on a terminal."""
    text = msgspec.json.encode(value)
    if sys.stdout.isatty():
        text = msgspec.json.format(text, indent=2)
    click.echo(text.decode())


def tell_error(error: PenstockError) -> None:
    """Tell what went wrong; with the problems one by one where there are several."""
    match error:
        case InvalidFlows() | BadSettings():
            click.echo(render_problems(error.problems), err=True)
            note(f"{error.code}  {error.sentence}{f' {error.hint}' if error.hint else ''}")
        case _ if error.place is not None:
            click.echo(render_problem(error.problem()), err=True, nl=False)
        case _:
            note(str(error))


def tell_problems(problems: tuple[Problem, ...]) -> None:
    """Tell problems that stop nothing."""
    if problems:
        click.echo(render_problems(problems), err=True)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Columns of text, as wide as their widest cell; the last one ends where it ends."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = []
    for row in [head, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def span(seconds: float | None) -> str:
    """A duration as people read it: 12 ms, 3.4 s, 5 min 3 s, 2 h 5 min."""
    match seconds:
        case None:
            return ""
        case _ if seconds < 1:
            return f"{seconds * 1000:.0f} ms"
        case _ if seconds < 60:
            return f"{seconds:.1f} s"
        case _ if seconds < 3600:
            return f"{int(seconds // 60)} min {int(seconds % 60)} s"
        case _:
            return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"
