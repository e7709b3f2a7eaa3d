"""What can never be met, and why? Cells of the census that no seed reaches, each with its reason."""

from __future__ import annotations

from tests.simulation.census import Cell

REASONS: dict[str, list[Cell]] = {}


def cells() -> dict[Cell, str]:
    """Every cell that cannot be reached, with its reason."""
    return {cell: reason for reason, several in REASONS.items() for cell in several}
