"""How do secrets stay out of logs? Every form that they are likely to be printed in is replaced by stars."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable
from typing import Final

STARS: Final = b"********"
SHORTEST: Final = 3


class Masks:
    """The secrets of one attempt, ready to be found; `overlap` bytes may begin one that has not wholly come yet."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[bytes] = set()
        self._pattern: re.Pattern[bytes] | None = None
        self.overlap = 0
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Hide these, too, from now on."""
        self._forms.update(form for secret in secrets for form in _forms(secret))
        if self._forms:
            longest_first = sorted(self._forms, key=len, reverse=True)
            self.overlap = len(longest_first[0]) - 1
            self._pattern = re.compile(b"|".join(map(re.escape, longest_first)))

    def hide(self, text: bytes) -> bytes:
        """The text with stars in the place of secrets."""
        return text if self._pattern is None else self._pattern.sub(STARS, text)

    def hide_text(self, text: str) -> str:
        """The same for text that is not yet bytes."""
        return text if self._pattern is None else self.hide(text.encode()).decode(errors="replace")


def _forms(secret: str) -> set[bytes]:
    """A secret as it is, by its lines, inside JSON, in an address, in base64; what is too short hides nothing."""
    forms: set[bytes] = set()
    for part in {secret, *secret.splitlines()}:
        if len(part.strip()) < SHORTEST or "\n" in part:
            continue
        raw = part.encode()
        forms |= {raw, json.dumps(part)[1:-1].encode(), urllib.parse.quote(part, safe="").encode()}
        if len(raw) >= 8:
            forms.add(base64.b64encode(raw).rstrip(b"="))
    return forms
