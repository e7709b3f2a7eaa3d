"""Which address is meant by one that another release of Kestra has? Ours are those of 0.20, without a tenant."""

from __future__ import annotations

import re
from typing import Final

ROOT: Final = "/api/v1"
TENANT: Final = f"{ROOT}/main/"
# From 2.0 on what is done with one execution stands behind a word of its own.
ACTION: Final = re.compile(rf"({ROOT}/executions/[^/]+)/actions/(.+)", re.DOTALL)


def told(path: str) -> str:
    """The address that is served."""
    if not path.startswith(f"{ROOT}/"):
        return path
    if path.startswith(TENANT):
        path = f"{ROOT}/{path.removeprefix(TENANT)}"
    found = ACTION.fullmatch(path)
    return f"{found[1]}/{found[2]}" if found else path
