"""Which Kafka do tests start? A broker of one process and a registry of schemas, as the lakehouse runs them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import admin

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
    allowed = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    more = {
        "auto.create.topics.enable": "true",
        "num.partitions": 2,
        # Everybody may do everything, until a test forbids it.
        "authorizer.class.name": allowed,
        "allow.everyone.if.no.acl.found": "true",
    }
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


@contextlib.contextmanager
def forbidden(brokers: Brokers, what: str, named: str, operation: str) -> Iterator[None]:
    """While this is open, nobody may do the operation (READ, WRITE) with what (TOPIC, GROUP) begins with a name."""
    words: Any = admin
    rule = (
        words.ResourceType[what],
        named,
        words.ResourcePatternType.PREFIXED,
        "User:ANONYMOUS",
        "*",
        words.AclOperation[operation],
        words.AclPermissionType.DENY,
    )
    client = admin.AdminClient({"bootstrap.servers": brokers.servers})
    for future in client.create_acls([words.AclBinding(*rule)]).values():
        future.result(30)
    try:
        yield
    finally:
        for future in client.delete_acls([words.AclBindingFilter(*rule)]).values():
            future.result(30)
