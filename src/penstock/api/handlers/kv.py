"""Which values do flows keep for each other? Looked at, set and forgotten, a namespace at a time."""

from __future__ import annotations

from penstock.api import cursors
from penstock.api.route import Call
from penstock.api.shapes.kv import KeyPut, KeyRow, KeysAsked, KeyValue
from penstock.api.shapes.lists import Page
from penstock.api.shapes.runs import micros
from penstock.errors.api import Unfitting
from penstock.services import kv as verbs
from penstock.services.document import instant
from penstock.store.kv import Entry


def list_keys(call: Call[KeysAsked, None]) -> Page[KeyRow]:
    """The keys of a namespace."""
    asked = call.query
    after = cursors.read(asked.cursor, str) or ""
    found = verbs.keys(call.core, call.path["namespace"], asked.limit + 1, asked.prefix, after)
    shown = found[: asked.limit]
    rows = [
        KeyRow(
            key=each.key,
            version=each.version,
            changed=instant(each.changed_at) or "",
            expires=instant(each.expires_at),
        )
        for each in shown
    ]
    return Page(rows, cursors.written(shown[-1].key) if len(found) > len(shown) else "")


def get_key(call: Call[None, None]) -> KeyValue:
    """A value."""
    return _told(verbs.get(call.core, call.path["namespace"], call.path["key"]))


def put_key(call: Call[None, KeyPut]) -> KeyValue:
    """Keep a value."""
    until = micros(call.body.expires)
    if until is not None and until <= call.core.clock.now():
        raise Unfitting("`expires` is over already.")
    return _told(verbs.put(call.core, call.path["namespace"], call.path["key"], call.body.value, until))


def delete_key(call: Call[None, None]) -> None:
    """Forget a value."""
    verbs.delete(call.core, call.path["namespace"], call.path["key"])


def _told(entry: Entry) -> KeyValue:
    return KeyValue(
        key=entry.key,
        version=entry.version,
        changed=instant(entry.changed_at) or "",
        expires=instant(entry.expires_at),
        value=entry.value,
    )
