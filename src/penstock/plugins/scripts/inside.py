"""What is given to every script? A module to speak with Penstock, for Python and for Node.js, by two names each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent / "given"
PYTHON: Final = FOLDER / "python"
NODE: Final = FOLDER / "node"
SEARCH: Final = {"PYTHONPATH": str(PYTHON), "NODE_PATH": str(NODE)}
IMPORTED: Final = re.compile(r"""\b(?:from|import)\s*\(?\s*["'](?:@kestra-io/libs|penstock)["']""")


def beside(source: str) -> dict[str, str]:
    """The files that a source of JavaScript needs beside it: `import` looks there alone, and not in NODE_PATH."""
    if not IMPORTED.search(source):
        return {}
    files = (path for path in sorted(NODE.rglob("*")) if path.is_file())
    return {f"node_modules/{path.relative_to(NODE).as_posix()}": path.read_text() for path in files}
