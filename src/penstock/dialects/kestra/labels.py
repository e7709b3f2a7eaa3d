"""Which labels does a flow or a subflow give? A map, or a list of `key` and `value`."""

from __future__ import annotations

import re
from typing import Final

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.page import Page, shown, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, Tree, as_text, kind_of
from penstock.errors import Severity
from penstock.errors.flow import BadName, DuplicateId, SystemLabel, WrongValue

RESERVED = "system."
ALLOWED = "system.readOnly"
KEY: Final = re.compile(r"[^\W\d_][\w.-]*")


def labels(page: Page, tree: Map, name: str = "labels") -> dict[str, str]:
    """The labels that a property gives; numbers and true or false become text."""
    found = fields.given(tree, name)
    given: dict[str, str] = {}
    match found:
        case None:
            pass
        case Map():
            for key, value in found.entries.items():
                _put(page, given, found.keys[key], key, value)
        case Items():
            for entry in fields.maps(page, tree, name, "A label"):
                fields.known(page, entry, ("key", "value"), "A label")
                key_tree = fields.needed(page, entry, "key", "A label")
                written = fields.needed(page, entry, "value", "A label")
                if isinstance(key_tree, Scalar) and written is not None:
                    _put(page, given, key_tree, as_text(key_tree), written)
        case Scalar():
            fields.wrong(page, found, name, "a map of labels")
    return given


def of_flow(page: Page, tree: Map) -> dict[str, str]:
    """The labels of a flow, whose keys and values must be such that people can look for them."""
    given = labels(page, tree)
    found = fields.given(tree, "labels")
    places = found.keys if isinstance(found, Map) else {}
    severity = Severity.WARNING if page.version == "0.20" else Severity.ERROR
    for key, value in given.items():
        at = places.get(key, found or tree)
        if not is_key(key):
            hint = 'Letters, digits, ".", "_" and "-", with a small letter first.'
            tell(page, BadName, at, f'"{shown(key)}" cannot be the key of a label.', hint, severity)
        if not value:
            tell(page, WrongValue, at, f'The label "{shown(key)}" is empty.', "Leave it out.", severity)
    return given


def is_key(key: str) -> bool:
    """Can a label of a flow have this key?"""
    return bool(KEY.fullmatch(key)) and key[0].islower()


def _put(page: Page, given: dict[str, str], at: Tree, key: str, value: Tree) -> None:
    if key.startswith(RESERVED) and key != ALLOWED:
        sentence = f'The label "{shown(key)}" can be set by the system only.'
        tell(page, SystemLabel, at, sentence, f'Choose a name that does not begin with "{RESERVED}".')
    elif not isinstance(value, Scalar):
        tell(page, WrongValue, value, f'The label "{shown(key)}" is text, and this is {kind_of(value)}.')
    elif key in given:
        tell(page, DuplicateId, at, f'The label "{shown(key)}" is given twice.')
    else:
        given[key] = as_text(value)
