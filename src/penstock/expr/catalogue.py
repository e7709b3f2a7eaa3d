"""Which words does the language offer? The list that the reference is generated from."""

from __future__ import annotations

import msgspec

from penstock.expr.registry import FILTERS, FUNCTIONS, TESTS, Kind


class Entry(msgspec.Struct, frozen=True):
    """One word: how it is written, what it does, and whether it needs nothing but its arguments."""

    kind: Kind
    name: str
    signature: str
    doc: str
    pure: bool
    replaced_by: str = ""


def catalogue() -> list[Entry]:
    """List every filter, function and test, by kind and name."""
    words = [*FILTERS.values(), *FUNCTIONS.values(), *TESTS.values()]
    entries = [Entry(word.kind, word.name, word.signature, word.doc, word.pure, word.replaced_by) for word in words]
    return sorted(entries, key=lambda entry: (entry.kind, entry.name.lower()))
