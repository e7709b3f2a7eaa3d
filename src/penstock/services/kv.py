"""How do people keep values for flows? By namespace and key, until a day where one is given; each change is told."""

from __future__ import annotations

import re
from typing import Final

from penstock.errors.run import BadId, UnknownKey
from penstock.model import ids
from penstock.model.access import Action
from penstock.services.access import audited
from penstock.services.core import Core
from penstock.services.unanswered import repeat_unknown
from penstock.store import feed, kv
from penstock.store.kv import Entry
from penstock.store.port import Tx

KEY: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,199}", re.ASCII)


def get(core: Core, namespace: str, key: str) -> Entry:
    """A value that has not expired. Raises UnknownKey."""
    found = core.store.glance(lambda tx: kv.get(tx, namespace, key, core.clock.now()))
    if found is None:
        raise _unknown(namespace, key)
    return found


def keys(core: Core, namespace: str, limit: int, prefix: str = "", after: str = "") -> list[Entry]:
    """A namespace's values behind a key, by key, that begin with a prefix."""
    return core.store.glance(lambda tx: kv.page(tx, namespace, core.clock.now(), limit, prefix=prefix, after=after))


@audited(Action.KV_EDIT, "kv.set", "{key}", namespace="{namespace}")
def put(core: Core, namespace: str, key: str, value: object, expires_at: int | None = None) -> Entry:
    """Keep a value until an instant (microseconds; None: for good). Raises BadId."""
    ids.check_namespace(namespace)
    if not KEY.fullmatch(key):
        raise BadId(f'"{key[:100]}" cannot be a key: letters, digits, ".", "_", "-", at most 200.')
    now = core.clock.now()

    def work(tx: Tx) -> Entry:
        version = kv.set_value(tx, namespace, key, value, now=now, expires_at=expires_at)
        assert version is not None
        feed.append(tx, [("kv", f"{namespace}/{key}", now)], now)
        return Entry(namespace, key, value, expires_at, version, now)

    return repeat_unknown(core, lambda: core.store.write(work))


def delete(core: Core, namespace: str, key: str) -> None:
    """Forget a value. Raises UnknownKey."""
    if not _delete(core, namespace, key):
        raise _unknown(namespace, key)


@audited(Action.KV_EDIT, "kv.delete", "{key}", namespace="{namespace}")
def _delete(core: Core, namespace: str, key: str) -> bool:
    now = core.clock.now()

    def work(tx: Tx) -> bool:
        if not kv.delete(tx, namespace, key, now):
            return False
        feed.append(tx, [("kv", f"{namespace}/{key}", now)], now)
        return True

    return repeat_unknown(core, lambda: core.store.write(work))


def _unknown(namespace: str, key: str) -> UnknownKey:
    return UnknownKey(f'There is no value "{key[:200]}" in the namespace "{namespace[:200]}".')
