"""What may a flow be given, and what does it hand back? Declarations; `services/inputs` turns text into values."""

from __future__ import annotations

from typing import Final

import msgspec

# How a text begins that is kept sealed: what was given as an input of type SECRET.
SEALED: Final = "penstock:sealed:"


class Input(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One declared input. `type` is the upper-case word of the language (STRING, INT, DATE, SELECT …); bounds are as
    written.
    """

    id: str
    type: str
    description: str = ""
    display_name: str = ""
    required: bool = True
    default: object = None
    has_default: bool = False
    item_type: str = ""
    values: tuple[object, ...] = ()
    expression: str = ""
    allow_custom: bool = False
    validator: str = ""
    least: object = None
    most: object = None
    depends_on: tuple[str, ...] = ()
    condition: str = ""
    extensions: tuple[str, ...] = ()


class Output(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One declared output of a flow: a template and the type it is turned into."""

    id: str
    type: str = "STRING"
    value: object = ""
    required: bool = True
    description: str = ""


def is_sealed(value: object) -> bool:
    """Whether the value of an input is kept sealed."""
    return isinstance(value, str) and value.startswith(SEALED)
