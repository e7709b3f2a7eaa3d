"""How do all servers start, in which order, and what do programs need to know of them?"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from projects.lakehouse.services.catalog import Catalog, Lake, flink_catalog
from projects.lakehouse.services.flink import Cluster, Gateway, JobManager, TaskManager
from projects.lakehouse.services.kafka import Kafka
from projects.lakehouse.services.ports import ports
from projects.lakehouse.services.registry import Registry
from projects.lakehouse.services.service import Service
from projects.lakehouse.services.stores import BUCKET, ObjectStore, Postgres
from projects.servers import ServerFailed

PAUSE: Final = 0.05
# After an end of its own a server is started again: at once the first time, then after ever longer.
SOONEST, LATEST = 0.5, 30.0
Say = Callable[[str], None]


class Stack:
    """All servers of the lakehouse, over one folder."""

    def __init__(self, folder: Path, env_file: Path) -> None:
        """Choose ports and make what must be there before a server starts; nothing is started yet."""
        chosen = ports(folder, env_file)
        self.folder = folder
        # where dbt keeps what it makes by DuckDB
        self.gold = folder / "gold"
        self.gold.mkdir(parents=True, exist_ok=True)
        self.postgres = Postgres(folder, chosen.postgres)
        self.s3 = ObjectStore(folder, chosen.s3)
        database = {"url": self.postgres.jdbc("registry"), "username": self.postgres.user}
        database["password"] = self.postgres.password
        access, secret = self.s3.keys
        keys = {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": self.s3.region}
        cluster = Cluster(
            folder=folder, rest=chosen.flink, rpc=chosen.flink_rpc, gateway=chosen.gateway, s3=keys
        )  # fmt: skip
        self.lake = Lake(
            database=self.postgres.jdbc("iceberg"),
            user=self.postgres.user,
            password=self.postgres.password,
            endpoint=self.s3.address,
            region=self.s3.region,
            access_key=access,
            secret_key=secret,
            warehouse=f"s3://{BUCKET}/warehouse",
        )
        self.kafka = Kafka(folder, chosen.kafka, chosen.kafka_controller)
        self.registry = Registry(folder, chosen.registry, chosen.registry_management, database=database)
        self.catalog = Catalog(folder, chosen.catalog, self.lake)
        self.jobmanager = JobManager(cluster, chosen.flink)
        self.taskmanager = TaskManager(cluster)
        self.gateway = Gateway(cluster, chosen.gateway)
        self.services: tuple[Service, ...] = (
            self.postgres, self.s3, self.jobmanager, self.gateway, self.kafka, self.registry, self.catalog,
            self.taskmanager,
        )  # fmt: skip
        self._again: dict[str, tuple[float, float]] = {}

    def named(self, name: str) -> Service:
        """One of them; raises ServerFailed with the names there are."""
        for each in self.services:
            if each.name == name:
                return each
        raise ServerFailed(f"There is no server {name}; there are {', '.join(each.name for each in self.services)}.")

    def start(self, say: Say = lambda _: None, names: Iterable[str] = ()) -> None:
        """Start all, or those named with whom they need; return when all answer. What fails stops what was started."""
        wanted = self._needed(names)
        began = {each.name: 0.0 for each in wanted}
        ready: set[str] = set()
        try:
            while len(ready) < len(wanted):
                for each in wanted:
                    if each.name not in ready and self._advance(each, ready, began, say):
                        ready.add(each.name)
                time.sleep(PAUSE)
        except BaseException:
            self.stop()
            raise

    def _advance(self, service: Service, ready: set[str], began: dict[str, float], say: Say) -> bool:
        """Go a step with one that does not answer yet; whether it does now."""
        now = time.monotonic()
        if not began[service.name]:
            if ready.issuperset(service.after):
                service.launch()
                began[service.name] = now
            return False
        if not service.pid:
            raise service.ended()
        if service.answers():
            say(f"{service.name:<12} {service.address}  ({time.monotonic() - began[service.name]:.1f} s)")
            return True
        if now - began[service.name] > service.patience:
            raise service.silent()
        return False

    def _needed(self, names: Iterable[str]) -> list[Service]:
        wanted = set(names) or {each.name for each in self.services}
        for name in wanted:
            self.named(name)
        for each in reversed(self.services):
            if each.name in wanted:
                wanted.update(each.after)
        return [each for each in self.services if each.name in wanted]

    def mend(self, say: Say = lambda _: None) -> bool:
        """Start again who has ended by itself, and say whether anybody had; who ends ever again is given more time."""
        now, mended = time.monotonic(), False
        for each in self.services:
            if each.pid:
                continue
            due, pause = self._again.get(each.name, (now, SOONEST))
            if now < due:
                continue
            say(f"{each.name} has ended by itself, and is started again")
            self._again[each.name] = (now + pause, min(pause * 2, LATEST))
            mended = True
            with contextlib.suppress(ServerFailed):
                each.launch()
        return mended

    def health(self) -> dict[str, bool]:
        """Who answers."""
        return {each.name: each.answers() for each in self.services}

    def stop(self) -> None:
        """Stop all, the last first."""
        for each in reversed(self.services):
            each.stop()

    @property
    def flink_catalog(self) -> str:
        """The statement by which Flink finds the tables."""
        return flink_catalog(self.lake)

    @property
    def env(self) -> dict[str, str]:
        """The environment with which programs find everything."""
        return {
            **self.s3.env,
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.address,
            "SCHEMA_REGISTRY_URL": self.registry.address,
            "FLINK_URL": self.jobmanager.address,
            "FLINK_GATEWAY_URL": self.gateway.address,
            "ICEBERG_CATALOG_URL": self.catalog.address,
            "ICEBERG_WAREHOUSE": self.lake.warehouse,
            "ICEBERG_DATABASE_URL": self.postgres.dsn("iceberg"),
            "ICEBERG_JDBC_URL": self.lake.database,
            "ICEBERG_JDBC_USER": self.lake.user,
            "ICEBERG_JDBC_PASSWORD": self.lake.password,
            "GOLD_DATABASE_URL": self.postgres.dsn("gold"),
            "GOLD_FOLDER": str(self.gold),
        }


@contextlib.contextmanager
def stack(folder: Path, env_file: Path, say: Say = lambda _: None) -> Iterator[Stack]:
    """Run all servers over a folder for the length of the block."""
    made = Stack(folder, env_file)
    try:
        made.start(say)
        yield made
    finally:
        made.stop()
