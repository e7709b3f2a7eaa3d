"""What does a trigger say that a request fires? The key in its address, and how who calls proves to know a secret."""

from __future__ import annotations

from typing import Any, Final

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.page import Page, shown, tell
from penstock.dialects.kestra.tree import Map, Scalar, as_text
from penstock.errors import Severity
from penstock.errors.flow import MissingProperty, OwnWord
from penstock.model.trigger import Signature, Webhook

WORDS: Final = ("key", "wait", "returnOutputs", "signature")
SIGNATURE: Final = ("header", "secret", "algorithm", "prefix", "encoding", "tolerance")
ALGORITHMS: Final = ("SHA1", "SHA256", "SHA384", "SHA512")
ENCODINGS: Final = ("HEX", "BASE64")


def webhook(page: Page, tree: Map, about: dict[str, Any]) -> Webhook:
    """A Webhook."""
    given = fields.needed(page, tree, "key", "A Webhook")
    if isinstance(given, Scalar) and not as_text(given).strip():
        hint = "Whoever knows the key can start runs, so it is long and nobody's guess."
        tell(page, MissingProperty, given, "The key of a Webhook is empty.", hint)
    return Webhook(
        **about,
        key=fields.template(page, tree, "key", "", "trigger"),
        wait=fields.flag(page, tree, "wait"),
        returns_outputs=fields.flag(page, tree, "returnOutputs"),
        signature=_signature(page, tree, about["id"]),
    )


def _signature(page: Page, tree: Map, name: str) -> Signature | None:
    found = fields.mapping(page, tree, "signature")
    if found is None:
        return None
    sentence = f'The trigger "{shown(name)}" uses a word of Penstock\'s own: `signature`.'
    tell(page, OwnWord, tree.keys["signature"], sentence, severity=Severity.NOTE)
    fields.known(page, found, SIGNATURE, "A signature")
    for word in ("header", "secret"):
        given = fields.needed(page, found, word, "A signature")
        if isinstance(given, Scalar) and not as_text(given).strip():
            tell(page, MissingProperty, given, f'The "{word}" of a signature is empty.')
    return Signature(
        header=fields.text(page, found, "header"),
        secret=fields.template(page, found, "secret", "", "trigger"),
        algorithm=fields.choice(page, found, "algorithm", ALGORITHMS, "SHA256").lower(),
        prefix=fields.text(page, found, "prefix"),
        encoding=fields.choice(page, found, "encoding", ENCODINGS, "HEX").lower(),
        tolerance=fields.duration(page, found, "tolerance"),
    )
