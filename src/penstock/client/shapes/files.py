"""What is told of the files of a namespace?"""

from __future__ import annotations

import msgspec


class NamespaceFileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a namespace, its size in bytes and the SHA-256 of them; or a folder, whose path ends with a slash.

    What was `gone` at a revision is told in the history alone.
    """

    path: str
    kind: str
    revision: int
    size: int
    digest: str
    changed: str
    changed_by: str
