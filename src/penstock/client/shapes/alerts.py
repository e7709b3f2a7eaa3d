"""What is told of alerts, and of what was told and is not over?"""

from __future__ import annotations

import msgspec


class OpenRow(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was told of and is not over: what it is, and since when."""

    object: str
    since: str


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: what it watches in a namespace and below it (empty: everywhere), and after how many seconds it tells.

    It tells by a run of the flow `tells` in `tells_namespace`, by a call of an address, or both; of the address only
    the `host` is told, since the rest may be a secret. `open` is what was told and is not over.
    """

    name: str
    namespace: str
    watches: str
    after: float
    tells_namespace: str
    tells: str
    host: str
    made: str
    made_by: str
    open: list[OpenRow]


class AlertTested(msgspec.Struct, frozen=True, kw_only=True):
    """The run that tells; empty where the leading server only calls an address."""

    run: str
