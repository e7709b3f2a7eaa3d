"""What can be asked of a server about kept values, secrets, pools and maintenance, and done with them?"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from penstock.client.paging import Everything, Page, paged, whole
from penstock.client.shapes.kept import (
    KeyRow,
    KeysTurned,
    KeyValue,
    LimitRow,
    MaintenanceDone,
    PoolRow,
    QueueRow,
    SecretRow,
    SecretsVerified,
    SettingsShown,
    Still,
    WorkerRow,
)
from penstock.client.wire import Ask, Wire, path


@dataclass(frozen=True, slots=True)
class Kv:
    """The values that flows keep for each other, by namespace and key."""

    wire: Wire

    def get(self, namespace: str, key: str) -> object:
        """The value of a key. Raises UnknownKey."""
        return self.entry(namespace, key).value

    def entry(self, namespace: str, key: str) -> KeyValue:
        """The value of a key with its version, when it changed and when it expires. Raises UnknownKey."""
        return self.wire.ask(Ask(method="GET", path=path("kv", namespace, key), safe=True), KeyValue)

    def set(self, namespace: str, key: str, value: object, expires: datetime.datetime | str | None = None) -> KeyValue:
        """Keep a value under a key, until an instant where one is given."""
        body = {"value": value, "expires": expires}
        return self.wire.ask(Ask(method="PUT", path=path("kv", namespace, key), body=body), KeyValue)

    def delete(self, namespace: str, key: str) -> None:
        """Forget the value of a key. Raises UnknownKey."""
        self.wire.ask(Ask(method="DELETE", path=path("kv", namespace, key)), type(None))

    def list(self, namespace: str, prefix: str = "") -> Iterator[KeyRow]:
        """The keys of a namespace that begin so."""
        return paged(self.wire, path("kv", namespace), {"prefix": prefix, "limit": 500}, Page[KeyRow])


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of a server: their texts go in and never come out."""

    wire: Wire

    def set(self, namespace: str, name: str, text: str) -> SecretRow:
        """Keep a secret, new or changed; runs that ask for it from now on get the new text."""
        return self.wire.ask(Ask(method="PUT", path=path("secrets", namespace, name), body={"value": text}), SecretRow)

    def delete(self, namespace: str, name: str) -> None:
        """Forget a secret. Raises NoSuchSecret."""
        self.wire.ask(Ask(method="DELETE", path=path("secrets", namespace, name)), type(None))

    def verify(self) -> SecretsVerified:
        """Whether every secret can be unsealed, and by which master keys."""
        return self.wire.ask(Ask(method="GET", path=path("secret-keys"), safe=True), SecretsVerified)

    def rotate(self, *, forget: bool = False) -> KeysTurned:
        """Seal all secrets anew, by new keys; old master keys go, if wanted."""
        return self.wire.ask(
            Ask(method="POST", path=path("secret-keys", "rotate"), body={"forget": forget}), KeysTurned
        )

    def list(self, namespace: str) -> Iterator[SecretRow]:
        """The names of a namespace's own secrets."""
        return paged(self.wire, path("secrets", namespace), {"limit": 500}, Page[SecretRow])


@dataclass(frozen=True, slots=True)
class Maintenance:
    """What is kept still: no run begins there."""

    wire: Wire

    def show(self) -> Still:
        """What is in maintenance, and how many runs wait for its end."""
        return self.wire.ask(Ask(method="GET", path=path("maintenance"), safe=True), Still)

    def begin(
        self, namespace: str = "", *, reason: str = "", kill: bool = False, force: bool = False
    ) -> MaintenanceDone:
        """Let no run begin in a namespace and those below it, or anywhere; what has begun is killed, if wanted."""
        body = {"namespace": namespace, "on": True, "reason": reason, "kill": kill, "force": force}
        return self.wire.ask(Ask(method="POST", path=path("maintenance"), body=body), MaintenanceDone)

    def end(self, namespace: str = "") -> MaintenanceDone:
        """Let runs begin again."""
        body = {"namespace": namespace, "on": False}
        return self.wire.ask(Ask(method="POST", path=path("maintenance"), body=body), MaintenanceDone)


@dataclass(frozen=True, slots=True)
class Installation:
    """What a server is made of: pools, limits, queues, workers, settings."""

    wire: Wire

    def pools(self) -> tuple[PoolRow, ...]:
        """Pools by name, with what is in use of them."""
        return whole(self.wire, path("pools"), {}, Everything[PoolRow])

    def set_pool(self, name: str, slots: int) -> PoolRow:
        """Give a pool a size."""
        return self.wire.ask(Ask(method="PUT", path=path("pools", name), body={"slots": slots}, safe=True), PoolRow)

    def delete_pool(self, name: str) -> None:
        """Forget a pool: who wants it waits until it is set again."""
        self.wire.ask(Ask(method="DELETE", path=path("pools", name)), type(None))

    def limits(self) -> tuple[LimitRow, ...]:
        """Limits that are in use or waited for."""
        return whole(self.wire, path("limits"), {}, Everything[LimitRow])

    def queues(self) -> tuple[QueueRow, ...]:
        """Queues that something waits in, or that somebody serves."""
        return whole(self.wire, path("queues"), {}, Everything[QueueRow])

    def workers(self) -> tuple[WorkerRow, ...]:
        """Workers that are known."""
        return whole(self.wire, path("workers"), {}, Everything[WorkerRow])

    def settings(self) -> SettingsShown:
        """What may be seen of the settings."""
        return self.wire.ask(Ask(method="GET", path=path("settings"), safe=True), SettingsShown)
