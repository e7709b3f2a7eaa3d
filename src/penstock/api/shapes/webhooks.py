"""What does a webhook answer? The run that the request has started, and nothing that only its people may see."""

from __future__ import annotations

import msgspec

from penstock.model.status import RunStatus


class Knocked(msgspec.Struct, frozen=True, kw_only=True):
    """The run that a request has started; with its outputs where its trigger waits for them and tells them."""

    run: str
    namespace: str
    flow: str
    status: RunStatus
    outputs: dict[str, object] = {}
