"""What does the store tell of a secret? Its text, unsealed for who runs an attempt, and for nobody else."""

from __future__ import annotations

from penstock.services.secrets.local import above
from penstock.services.secrets.master import Ring
from penstock.services.secrets.sealing import seal, unseal
from penstock.store import secrets
from penstock.store.port import Store
from penstock.store.secrets import DataKey, Sealed


class OfStore:
    """Secrets of the store: those of a namespace, and those that it inherits."""

    def __init__(self, store: Store, ring: Ring) -> None:
        self._store = store
        self._ring = ring

    def get(self, namespace: str, name: str) -> str | None:
        """The secret's text, of the nearest namespace around that has it. Raises NoMasterKey, CannotUnseal."""
        found = self._store.glance(lambda tx: secrets.sealed(tx, above(namespace), name))
        if not found:
            return None
        nearest = max(found, key=lambda one: len(one.namespace))
        return text_of(nearest, self._ring)


def text_of(one: Sealed, ring: Ring) -> str:
    """Unseal a secret. Raises NoMasterKey, CannotUnseal."""
    return unseal(unwrapped(one.key, ring), one.text, "secret", one.namespace, one.name, one.version).decode()


def sealed_text(text: str, key: bytes, namespace: str, name: str, version: int) -> str:
    """Seal the text of a version of a secret."""
    return seal(key, text.encode(), "secret", namespace, name, version)


def unwrapped(key: DataKey, ring: Ring) -> bytes:
    """The data key itself. Raises NoMasterKey, CannotUnseal."""
    return unseal(ring.find(key.master).bytes, key.wrapped, "key", key.namespace, key.number)


def wrapped(namespace: str, number: int, data_key: bytes, ring: Ring) -> DataKey:
    """A data key as it is kept."""
    master = ring.newest()
    return DataKey(namespace, number, master.id, seal(master.bytes, data_key, "key", namespace, number))
