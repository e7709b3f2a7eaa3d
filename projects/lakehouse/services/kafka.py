"""How does Kafka run here? One process that is broker and controller, from its published jars."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from projects.lakehouse.services.jars import fetched
from projects.lakehouse.services.service import SMALL, Child
from projects.servers.child import ServerFailed, listens
from projects.servers.java import find_java

CLUSTER: Final = "MkU3OEVBNTcwNTJENDM2Qk"
HEAP: Final = ("-Xms64m", "-Xmx192m", "-XX:MaxMetaspaceSize=96m", "-XX:ReservedCodeCacheSize=32m", "-Xss512k")
# One node cannot replicate, a small heap cannot clean with the default buffer, and a broker that was killed comes
# back as soon as its old session is over: 3 s instead of 9.
SETTINGS: Final[Mapping[str, object]] = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 4_194_304,
    "log.cleaner.threads": 1,
    "num.network.threads": 2,
    "num.io.threads": 2,
    "background.threads": 2,
    "broker.heartbeat.interval.ms": 500,
    "broker.session.timeout.ms": 3000,
}


class Kafka(Child):
    """The broker; topics and what is in them survive a kill."""

    name = "kafka"

    def __init__(
        self, folder: Path, port: int, controller: int, *, java: Path | None = None, more: Mapping[str, object] = {}
    ) -> None:
        """Over a folder, on two ports; `more` is said in its settings, too, such as `auto.create.topics.enable`."""
        super().__init__(folder)
        self._java = java or find_java(17)
        self.port, self._controller, self._more = port, controller, more

    @property
    def address(self) -> str:
        """What clients call bootstrap servers."""
        return f"127.0.0.1:{self.port}"

    def answers(self) -> bool:
        """Whether it tells a client of its topics."""
        if not listens(self.port):
            return False
        client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        try:
            return bool(client.list_topics(timeout=2).brokers)
        except KafkaException:
            return False

    def command(self) -> list[str]:
        """The broker's own, after its storage was formatted the first time."""
        settings = self.folder / "server.properties"
        settings.write_text("".join(f"{name}={value}\n" for name, value in self.settings().items()))
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(settings)
        return [*self._jvm(*HEAP), "kafka.Kafka", str(settings)]

    def settings(self) -> dict[str, object]:
        """What server.properties says."""
        return {
            **SETTINGS,
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self._controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "log.dirs": self.folder / "data",
            **self._more,
        }

    def _format(self, settings: Path) -> None:
        made = [*self._jvm("-Xmx64m"), "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(settings)]
        said = subprocess.run(made, capture_output=True, text=True, check=False)
        if said.returncode != 0:
            raise ServerFailed(f"kafka could not format its storage: {said.stderr or said.stdout}")

    def _jvm(self, *heap: str) -> list[str]:
        return [str(self._java), *heap, *SMALL, "-cp", f"{fetched('kafka')}/*"]
