"""Which values does a loop go over whose values stand in a stored file? One for each line that is not empty."""

from __future__ import annotations

import json

from penstock.errors.run import InvalidInput
from penstock.sdk.launch import is_stored
from penstock.services.core import Core

MOST_BYTES = 256 * 1024 * 1024


def listed(core: Core, found: object) -> object:
    """The records of a stored file, where `found` is its address; anything else as it is. Raises PenstockError."""
    if not isinstance(found, str) or not is_stored(found.strip()):
        return found
    body = core.blobs.get(found.strip())
    if len(body) > MOST_BYTES:
        hint = "Split the file, and go over the addresses of its parts."
        raise InvalidInput("The file of a loop's values has more than 256 MiB.", hint=hint)
    return [_record(line) for line in body.decode(errors="replace").splitlines() if line.strip()]


def _record(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
