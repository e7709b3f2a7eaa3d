"""What was told of a secret a moment ago? Remembered for a while, since a manager of a cloud counts each question."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from penstock.services.core import Secrets

MOST: Final = 1_000


class Remembered:
    """A source of secrets that is asked for each of them once in `span` microseconds; errors are not remembered.

    What is not there is asked for again at once: somebody may just be setting it.
    """

    def __init__(self, source: Secrets, span: int, steady: Callable[[], int]) -> None:
        self._source = source
        self._span = span
        self._steady = steady
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[int, str]] = {}

    def get(self, namespace: str, name: str) -> str | None:
        """The secret's text, as it was at most `span` ago. Raises SecretsUnreachable."""
        key, now = (namespace, name), self._steady()
        with self._lock:
            until, text = self._known.get(key, (0, ""))
        if now < until:
            return text
        found = self._source.get(namespace, name)
        with self._lock:
            self._known.pop(key, None)
            if found is not None and self._span:
                self._known[key] = now + self._span, found
            while len(self._known) > MOST:
                del self._known[next(iter(self._known))]
        return found
