"""How does Flink run here? A JobManager, a TaskManager and the SQL gateway, each a process from its published jars."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

import msgspec

from projects.lakehouse.services.jars import fetched
from projects.lakehouse.services.service import LOG4J, Child, answers_http
from projects.servers.java import find_java

# Flink 2.1 runs on these; what it uses of Hadoop does not begin on 24 and newer.
OLDEST, NEWEST = 17, 23
QUIET: Final = """logger.kafka.name=org.apache.kafka
logger.kafka.level=WARN
logger.iceberg.name=org.apache.iceberg
logger.iceberg.level=WARN
"""
EXPORTED: Final = (
    "java.management/sun.management",
    "java.rmi/sun.rmi.registry",
    "java.security.jgss/sun.security.krb5",
)
OPENED: Final = (
    "java.lang",
    "java.net",
    "java.io",
    "java.nio",
    "java.lang.reflect",
    "java.text",
    "java.time",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "java.util.concurrent.locks",
    "sun.nio.ch",
)
OPEN: Final = (
    *(f"--add-exports={each}=ALL-UNNAMED" for each in EXPORTED),
    *(f"--add-opens=java.base/{each}=ALL-UNNAMED" for each in OPENED),
)

# All parts of its memory are set: nothing is derived from a machine's size.
TASKMANAGER: Final[Mapping[str, object]] = {
    "host": "127.0.0.1",
    "bind-host": "127.0.0.1",
    "cpu": {"cores": 2.0},
    "memory": {
        "task": {"heap": {"size": "384m"}, "off-heap": {"size": "0m"}},
        "framework": {"heap": {"size": "128m"}, "off-heap": {"size": "128m"}},
        "network": {"min": "64m", "max": "64m"},
        "managed": {"size": "64m"},
        "jvm-metaspace": {"size": "256m"},
        "jvm-overhead": {"min": "192m", "max": "192m"},
    },
}


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """What the three processes share: a folder, their ports, and the keys of the object store."""

    folder: Path
    rest: int
    rpc: int
    gateway: int
    s3: Mapping[str, str]
    slots: int = 4
    checkpoint_every: str = "3s"

    @property
    def data(self) -> Path:
        """Where checkpoints, savepoints and settings are."""
        return self.folder / "flink"

    def settings(self) -> dict[str, object]:
        """What config.yaml says."""
        data = self.data
        return {
            "jobmanager": {
                "rpc": {"address": "127.0.0.1", "port": self.rpc},
                "bind-host": "127.0.0.1",
                "memory": {"process": {"size": "1024m"}},
                "execution": {"failover-strategy": "region"},
            },
            "taskmanager": {**TASKMANAGER, "numberOfTaskSlots": self.slots},
            "rest": {"address": "127.0.0.1", "bind-address": "127.0.0.1", "port": self.rest},
            "blob": {"server": {"port": "0"}},
            "io": {"tmp": {"dirs": f"{data}/tmp"}},
            "parallelism": {"default": 1},
            "heartbeat": {"timeout": 10_000, "interval": 2_000},
            "cluster": {
                "registration": {
                    "error-delay": "500 ms",
                    "refused-registration-delay": "1 s",
                    "initial-timeout": "200 ms",
                }
            },
            "execution": {
                "checkpointing": {
                    "interval": self.checkpoint_every,
                    "mode": "EXACTLY_ONCE",
                    "dir": f"file://{data}/checkpoints",
                    "savepoint-dir": f"file://{data}/savepoints",
                    "externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
                }
            },
            "state": {"backend": {"type": "hashmap"}},
            # Without end: a TaskManager that is away for long, or a machine that has much to do, ends no job.
            "restart-strategy": {"type": "fixed-delay", "fixed-delay": {"attempts": 1_000_000, "delay": "1s"}},
            "classloader": {"resolve-order": "parent-first", "check-leaked-classloader": False},
            "table": {"exec": {"resource": {"default-parallelism": 1}}},
            "sql-gateway": {
                "endpoint": {
                    "type": "rest",
                    "rest": {"address": "127.0.0.1", "bind-address": "127.0.0.1", "port": self.gateway},
                }
            },
        }

    def written(self) -> Path:
        """The folder of the settings, written."""
        conf = self.data / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        for name in ("checkpoints", "savepoints", "tmp", "plugins"):
            (self.data / name).mkdir(exist_ok=True)
        # JSON is YAML
        (conf / "config.yaml").write_text(json.dumps(self.settings(), indent=1))
        (conf / "log4j2.properties").write_text(LOG4J + QUIET)
        return conf


class FlinkProcess(Child):
    """One of the three, which differ in their class and in what their heaps hold."""

    heap: ClassVar[tuple[str, ...]]
    runs: ClassVar[tuple[str, ...]]

    def __init__(self, cluster: Cluster, port: int = 0) -> None:
        super().__init__(cluster.folder)
        self._cluster, self.port = cluster, port
        self._java = find_java(OLDEST, NEWEST)

    def command(self) -> list[str]:
        """Java with everything on one class path."""
        conf = self._cluster.written()
        common = ("-Xms128m", "-XX:+UseSerialGC", "-XX:ReservedCodeCacheSize=96m", "-Xshare:auto")
        log = f"-Dlog4j2.configurationFile={conf / 'log4j2.properties'}"
        runs = [each.format(conf=conf) for each in self.runs]
        return [str(self._java), *common, *self.heap, log, *OPEN, "-cp", f"{fetched('flink')}/*", *runs]

    def env(self) -> Mapping[str, str]:
        """Where Flink looks for its settings, and the keys of the object store."""
        lib = str(fetched("flink"))
        return os.environ | {
            "FLINK_CONF_DIR": str(self._cluster.written()),
            "FLINK_LIB_DIR": lib,
            "FLINK_OPT_DIR": lib,
            "FLINK_PLUGINS_DIR": str(self._cluster.data / "plugins"),
            "AWS_EC2_METADATA_DISABLED": "true",
            **self._cluster.s3,
        }


class JobManager(FlinkProcess):
    """Who plans jobs, and starts them again; the jobs it knows are gone with it."""

    name = "jobmanager"
    heap = ("-Xmx320m", "-XX:MaxMetaspaceSize=256m", "-XX:MaxDirectMemorySize=128m")
    runs = (
        "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
        "-c",
        "{conf}",
        "--executionMode",
        "cluster",
    )

    @property
    def address(self) -> str:
        """Its REST, and its page for people."""
        return f"http://127.0.0.1:{self._cluster.rest}"

    def answers(self) -> bool:
        """Whether its REST does."""
        return answers_http(f"{self.address}/overview")


class TaskManager(FlinkProcess):
    """Who does the work of jobs, in its slots."""

    name = "taskmanager"
    after = ("jobmanager",)
    heap = ("-Xmx512m", "-XX:MaxMetaspaceSize=256m", "-XX:MaxDirectMemorySize=192m")
    runs = ("org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "-c", "{conf}")
    _known: frozenset[str] = frozenset()

    def launch(self) -> None:
        """Start its process, and remember whom the JobManager knew before."""
        if not self.pid:
            self._known = self._registered()
        super().launch()

    @property
    def address(self) -> str:
        """It is known to the JobManager alone."""
        return f"http://127.0.0.1:{self._cluster.rest}/taskmanagers"

    def answers(self) -> bool:
        """Whether the JobManager knows one that it did not know before it began."""
        return bool(self._registered() - self._known)

    def _registered(self) -> frozenset[str]:
        try:
            with urllib.request.urlopen(self.address, timeout=5) as answer:
                return frozenset(each["id"] for each in json.load(answer)["taskmanagers"])
        except (urllib.error.URLError, OSError, ValueError, http.client.HTTPException):
            return frozenset()


class Gateway(FlinkProcess):
    """Who takes SQL by HTTP, and makes jobs of it."""

    name = "gateway"
    heap = ("-Xmx384m", "-XX:MaxMetaspaceSize=320m")
    runs = ("org.apache.flink.table.gateway.SqlGateway", "-Dsql-gateway.endpoint.rest.address=127.0.0.1")

    @property
    def address(self) -> str:
        """Its REST."""
        return f"http://127.0.0.1:{self._cluster.gateway}"

    def answers(self) -> bool:
        """Whether its REST does."""
        return answers_http(f"{self.address}/v1/info")
