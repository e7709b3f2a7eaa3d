"""How is a secret called where names have no slashes? Its prefix, its namespace and its name, in one word.

Nobody's name must be read as another's: what a word between two hyphens could not be told from is not looked for.
"""

from __future__ import annotations

import re
from typing import Final

from penstock.services.secrets.local import above

BETWEEN: Final = "--"
WORD: Final = re.compile(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*", re.ASCII)
LONGEST: Final = 127


def names(prefix: str, namespace: str, name: str, *, underscores: bool = True) -> list[str]:
    """What a secret is called, for the namespace and those around it, the nearest first.

    Without `underscores` those of the name are hyphens, and a namespace that has some, or capitals, is passed over.
    """
    if not underscores:
        name = name.replace("_", "-")
    found = []
    for around in [*above(namespace), ""]:
        places = [word for word in around.split(".") if word]
        odd = not underscores and any("_" in word or word != word.lower() for word in places)
        words = [prefix, *places, name]
        joined = BETWEEN.join(words)
        if not odd and all(WORD.fullmatch(word) for word in words) and len(joined) <= LONGEST:
            found.append(joined)
    return found
