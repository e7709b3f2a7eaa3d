"""Which Kafka do tests start? A broker of one process and a registry of schemas, as the lakehouse runs them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from projects.lakehouse.services.kafka import Kafka
from projects.lakehouse.services.registry import Registry
from projects.lakehouse.services.service import answered
from projects.servers.child import free_port
from tests.servers import DEMANDED


class Brokers(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is, and the registry."""

    servers: str
    registry: str


@pytest.fixture(scope="session")
def kafka(server_folder: Path) -> Iterator[Brokers]:
    """A broker that makes topics as they are named, and a registry of schemas."""
    if shutil.which("mvn") is None:
        if DEMANDED:
            pytest.fail("mvn is not here: apt-get install maven")
        pytest.skip("mvn is not here, which fetches Kafka's jars")
    more = {"auto.create.topics.enable": "true", "num.partitions": 2}
    broker = Kafka(server_folder, free_port(), free_port(), more=more)
    registry = Registry(server_folder, free_port(), free_port())
    try:
        broker.launch()
        registry.launch()
        answered([broker, registry])
        yield Brokers(servers=broker.address, registry=registry.address)
    finally:
        broker.stop()
        registry.stop()
