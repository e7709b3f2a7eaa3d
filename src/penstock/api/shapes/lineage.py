"""Which flows' data are asked for?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.store.runs import Filter


class LineageAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Of which flows the data are told; what is left empty does not matter."""

    namespace: Annotated[str, Meta(description="In this namespace or below it.")] = ""
    flow: Annotated[str, Meta(description="Of the flow with this id.")] = ""

    def filter(self) -> Filter:
        """As the store asks for their runs."""
        return Filter(namespace=self.namespace, flow=self.flow)
