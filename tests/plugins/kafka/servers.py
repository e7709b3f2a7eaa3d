"""Which Kafka do tests start? A broker of one process and a registry of schemas, from their published jars."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.error import URLError

import msgspec
import pytest

from projects.servers.child import await_ready, free_port, listens, spawn, stop
from tests.servers import DEMANDED
from tools.oracle.installation import find_jdk

KAFKA, REGISTRY = "4.3.1", "3.3.3"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>penstock</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA}</version></dependency>
</dependencies></project>"""
SMALL = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


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
    java = str(find_jdk("1.3.31") / "bin" / "java")
    with ExitStack() as stack:
        registry = _registry(stack, server_folder / "registry", java)
        yield Brokers(servers=_broker(stack, server_folder / "kafka", java), registry=registry)


def _broker(stack: ExitStack, folder: Path, java: str) -> str:
    folder.mkdir()
    port, control = free_port(), free_port()
    said = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{control}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": folder / "logs",
        "num.partitions": 2,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
        "log.cleaner.dedupe.buffer.size": 4_194_304,
        "log.cleaner.threads": 1,
    }
    settings = folder / "server.properties"
    settings.write_text("".join(f"{name}={value}\n" for name, value in said.items()))
    jars = f"{_jars()}/*"
    identity = "MkU3OEVBNTcwNTJENDM2Qk"
    made = [java, "-Xmx64m", *SMALL, "-cp", jars, "kafka.tools.StorageTool", "format", "-t", identity]
    subprocess.run([*made, "-c", str(settings)], check=True, capture_output=True)
    command = [java, "-Xms64m", "-Xmx192m", *SMALL, "-cp", jars, "kafka.Kafka", str(settings)]
    process = spawn(command, log=folder / "log")
    stack.callback(stop, process, signal.SIGTERM, seconds=5)
    await_ready(process, folder / "log", lambda: listens(port), what="Kafka", seconds=120)
    return f"127.0.0.1:{port}"


def _registry(stack: ExitStack, folder: Path, java: str) -> str:
    folder.mkdir()
    port, management = free_port(), free_port()
    said = {
        "quarkus.http.host": "127.0.0.1",
        "quarkus.http.port": port,
        "quarkus.management.host": "127.0.0.1",
        "quarkus.management.port": management,
    }
    options = [f"-D{name}={value}" for name, value in said.items()]
    command = [java, "-Xms64m", "-Xmx160m", *SMALL, *options, "-jar", str(_application() / "quarkus-run.jar")]
    process = spawn(command, log=folder / "log")
    stack.callback(stop, process, signal.SIGTERM, seconds=5)
    address = f"http://127.0.0.1:{port}/apis/ccompat/v7"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{address}/subjects", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    await_ready(process, folder / "log", answers, what="the registry", seconds=120)
    return address


def _jars() -> Path:
    """The jars of the broker and of all that it needs, fetched once."""
    kept = CACHE / f"kafka-{KAFKA}"
    if not kept.is_dir():
        with tempfile.TemporaryDirectory(dir=_cache()) as folder:
            Path(folder, "pom.xml").write_text(POM)
            copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib"]
            subprocess.run(["mvn", "-B", "-q", *copy], cwd=folder, check=True, capture_output=True)
            Path(folder, "lib").rename(kept)
    return kept


def _application() -> Path:
    """The registry, fetched and unpacked once."""
    kept = CACHE / f"registry-{REGISTRY}"
    if not kept.is_dir():
        with tempfile.TemporaryDirectory(dir=_cache()) as folder:
            artifact = f"io.apicurio:apicurio-registry-app:{REGISTRY}:tar.gz:all"
            copy = ["dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]
            subprocess.run(["mvn", "-B", "-q", *copy], cwd=folder, check=True, capture_output=True)
            (archive,) = Path(folder).glob("*.tar.gz")
            unpacked = Path(folder, "unpacked")
            shutil.unpack_archive(archive, unpacked, filter="data")
            unpacked.rename(kept)
    return kept


def _cache() -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    return CACHE
