"""Which value does a JSON text hold? Its first one: what stands behind it is not looked at."""

from __future__ import annotations

import msgspec

from penstock.errors.expr import ExprFailed


def read_json(text: str) -> object:
    """Read a JSON text; raises ExprFailed."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        if "trailing" not in str(error):
            raise ExprFailed(f"This is no JSON: {error}.") from None
    import json

    try:
        return json.JSONDecoder().raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError) as error:
        raise ExprFailed(f"This is no JSON: {error}.") from None
