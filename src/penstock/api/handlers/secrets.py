"""How are secrets kept by HTTP? Set, listed by name, forgotten, sealed anew; their texts are never told."""

from __future__ import annotations

from penstock.api import cursors
from penstock.api.route import Call
from penstock.api.shapes.lists import Page
from penstock.api.shapes.secrets import (
    BadSecretRow,
    KeysTurned,
    RotateAsked,
    SecretPut,
    SecretRow,
    SecretsAsked,
    SecretsVerified,
)
from penstock.services.document import instant
from penstock.services.secrets import verbs
from penstock.store.secrets import Named


def list_secrets(call: Call[SecretsAsked, None]) -> Page[SecretRow]:
    """The names of a namespace's own secrets."""
    asked = call.query
    after = cursors.read(asked.cursor, str) or ""
    found = verbs.page(call.core, call.path["namespace"], asked.limit + 1, after)
    shown = found[: asked.limit]
    more = cursors.written(shown[-1].name) if len(found) > len(shown) else ""
    return Page([_told(each) for each in shown], more)


def put_secret(call: Call[None, SecretPut]) -> SecretRow:
    """Keep a secret."""
    return _told(verbs.put(call.core, call.path["namespace"], call.path["name"], call.body.value))


def delete_secret(call: Call[None, None]) -> None:
    """Forget a secret."""
    verbs.delete(call.core, call.path["namespace"], call.path["name"])


def rotate_secrets(call: Call[None, RotateAsked]) -> KeysTurned:
    """Seal all secrets anew."""
    done = verbs.rotate(call.core, forget=call.body.forget)
    return KeysTurned(secrets=done.secrets, keys=done.keys, master=done.master, forgotten=done.forgotten)


def verify_secrets(call: Call[None, None]) -> SecretsVerified:
    """See that every secret can be unsealed."""
    found = verbs.verify(call.core)
    bad = tuple(BadSecretRow(namespace=one.namespace, name=one.name, why=one.why) for one in found.bad)
    return SecretsVerified(good=found.good, bad=bad, masters=found.masters)


def _told(one: Named) -> SecretRow:
    return SecretRow(
        namespace=one.namespace,
        name=one.name,
        version=one.version,
        changed=instant(one.changed_at) or "",
        changed_by=one.changed_by,
    )
