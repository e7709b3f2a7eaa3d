"""What do all installed task types say of themselves? For lists, forms and the reference; imports every one of them."""

from __future__ import annotations

from penstock.sdk import registry
from penstock.sdk.describe import Description, describe, fields, json_schema, reference

__all__ = ["Description", "catalogue", "describe", "fields", "json_schema", "reference"]


def catalogue() -> tuple[Description, ...]:
    """Every installed task type's account of itself, by name."""
    return tuple(describe(kind) for kind in registry.all_types())
