"""How are the numbers told that the steps of a run recorded? Each once: a counter's sum, of all others the newest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Protocol

from penstock.cli.said import span

COUNTER: Final = "counter"
TIMER: Final = "timer"
# Numbers of one step, and steps with numbers, that are shown to people.
MOST: Final = 30
MOST_STEPS: Final = 20


class Number(Protocol):
    """A number as the store and a server tell it; a timer's is in seconds."""

    @property
    def step(self) -> str:
        """Whose it is."""

    @property
    def name(self) -> str:
        """What it counts."""

    @property
    def kind(self) -> str:
        """Counter, timer or gauge."""

    @property
    def value(self) -> float:
        """The number."""

    @property
    def tags(self) -> Mapping[str, str]:
        """Of what."""


def told(numbers: Iterable[Number]) -> Iterator[str]:
    """The lines about them, step by step."""
    steps: dict[str, dict[tuple[str, ...], tuple[str, float]]] = {}
    for each in numbers:
        found = steps.setdefault(each.step, {})
        key = (each.name, *(f"{name}={value}" for name, value in each.tags.items()))
        before = found[key][1] if each.kind == COUNTER and key in found else 0.0
        found[key] = (each.kind, before + each.value)
    for step, found in list(steps.items())[:MOST_STEPS]:
        yield from ("", f"numbers of {step}")
        for (name, *tags), (kind, value) in list(found.items())[:MOST]:
            shown = span(value) if kind == TIMER else f"{value:,.10g}"
            yield "  ".join((f"  {name} = {shown}", *tags))
        if len(found) > MOST:
            yield f"  … and {len(found) - MOST:,} more"
    if len(steps) > MOST_STEPS:
        yield from ("", f"… and numbers of {len(steps) - MOST_STEPS:,} more steps")
