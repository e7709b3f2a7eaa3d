"""What does schemathesis need to know to send what is no JSON? How bytes are sent: as they are."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("application/zip")
def sent_as_it_is(_ctx: schemathesis.SerializationContext, value: Any) -> bytes:
    """Bytes are sent as they are, and of anything else its text."""
    return value if isinstance(value, bytes) else str(value).encode()
