"""What is told of alerts, and what is asked of them?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.store.alerts import Watches


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
    watches: Watches
    after: float
    tells_namespace: str
    tells: str
    host: str
    made: str
    made_by: str
    open: list[OpenRow]


class AlertPut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule watches, and who tells: a flow's run, a call of an address by the leading server, or both."""

    watches: Watches
    namespace: Annotated[str, Meta(max_length=150, description="There and below; empty: everywhere.")] = ""
    after: Annotated[float, Meta(ge=0, le=31_536_000, description="Seconds that late and behind begin with.")] = 0
    tells_namespace: Annotated[str, Meta(max_length=150)] = ""
    tells: Annotated[str, Meta(max_length=100)] = ""
    url: Annotated[str, Meta(max_length=2000, description="`{{ secret('NAME') }}` in it is rendered.")] = ""


class AlertTested(msgspec.Struct, frozen=True):
    """The run that tells; empty where the leading server only calls an address."""

    run: str
