"""What does `penstock doctor` do? Looks at machine, project and store, and says what is wrong and what helps."""

from __future__ import annotations

import os
from typing import Any, Final

import click
import msgspec

from penstock.app.examine import Grade, examine
from penstock.cli.ending import Exit
from penstock.cli.options import Given, examples, json_too, places, project_of
from penstock.cli.said import as_json, data, note

SIGNS: Final = {
    Grade.GOOD: ("✓", "green"),
    Grade.WARNING: ("!", "yellow"),
    Grade.BAD: ("✗", "red"),
    Grade.INFO: ("·", "cyan"),
}


@click.command(
    "doctor",
    **examples("penstock doctor", "penstock doctor --json", "penstock doctor --store postgresql://db/penstock"),
)
@json_too
@places
def doctor(**given: Any) -> int:
    """Look for what could be wrong with this machine, project and store. The exit code is 4 when something is."""
    asked = msgspec.convert(given, Given)
    found = []
    for finding in examine(project_of(asked.project), os.environ, asked.store):
        found.append(finding)
        if not asked.json:
            sign, colour = SIGNS[finding.grade]
            data(f"{click.style(sign, fg=colour)} {finding.what:<12} {finding.sentence}")
            if finding.hint:
                data(f"  {'':<12} → {finding.hint}")
    if asked.json:
        as_json(found)
    bad = sum(finding.grade is Grade.BAD for finding in found)
    if bad:
        note(f"{bad} of {len(found)} checks say that something is wrong.")
    return Exit.SYSTEM_FAILED if bad else Exit.SUCCESS
