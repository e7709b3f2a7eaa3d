"""Why is there no answer, and what does the oracle say on its way? One error, one voice."""

from __future__ import annotations

import sys


class NoAnswerError(Exception):
    """There is no answer, for a reason that its reader can act on."""


def say(text: str) -> None:
    """Tell how it goes, on stderr."""
    sys.stderr.write(f"oracle: {text}\n")
