"""Which labels does a flow or a subflow give? A map, or a list of `key` and `value`."""

from __future__ import annotations

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.page import Page, shown, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, Tree, as_text, kind_of
from penstock.errors.flow import DuplicateId, SystemLabel, WrongValue

RESERVED = "system."
ALLOWED = "system.readOnly"


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
