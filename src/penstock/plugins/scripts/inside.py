"""What is given to every script? A module to speak with Penstock, for Python and for Node.js, by two names each."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent / "given"
SEARCH: Final = {"PYTHONPATH": str(FOLDER / "python"), "NODE_PATH": str(FOLDER / "node")}
