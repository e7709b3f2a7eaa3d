"""Which job shows whether anything was lost or done twice? One that counts numbers of Kafka, and tells every count."""

from __future__ import annotations

import itertools
import json
import urllib.request
from dataclasses import dataclass

from penstock.sdk.local import LocalContext
from projects.lakehouse.services.stack import Stack
from tests.lakehouse.conftest import done

numbers = itertools.count(1)
OFTEN = {"execution.checkpointing.interval": "500ms"}
GROUPS = 5


@dataclass(frozen=True)
class Counting:
    """A topic of numbers, and a job that counts them by their last digit into another topic."""

    stack: Stack
    local: LocalContext
    name: str

    @property
    def urls(self) -> dict[str, object]:
        """Where Flink is."""
        return {"gatewayUrl": self.stack.gateway.address, **self.url}

    @property
    def url(self) -> dict[str, object]:
        """Where its JobManager is."""
        return {"jobManagerUrl": self.stack.jobmanager.address}

    @property
    def properties(self) -> dict[str, str]:
        """Where Kafka is."""
        return {"bootstrap.servers": self.stack.kafka.address}

    def begin(self) -> None:
        """Make the topics."""
        topics = [{"name": self.name}, {"name": f"{self.name}-counts"}]
        done(self.local.run("kafka.create_topics", {"properties": self.properties, "topics": topics}))

    def send(self, first: int, count: int) -> None:
        """Send numbers."""
        rows = [{"value": {"n": n}} for n in range(first, first + count)]
        asked = {"properties": self.properties, "topic": self.name, "from": rows, "transactional": False}
        done(self.local.run("kafka.produce", asked | {"valueSerializer": "JSON"}))

    def sql(self, counted: str = "COUNT(*)", shown: str = "c + 1") -> str:
        """The job's SQL; what is counted is its state. What is shown is not, as long as as much is done with it."""
        server = f"'properties.bootstrap.servers' = '{self.stack.kafka.address}'"
        source = f"'connector' = 'kafka', 'topic' = '{self.name}', {server}, 'properties.group.id' = '{self.name}'"
        sink = f"'connector' = 'upsert-kafka', 'topic' = '{self.name}-counts', {server}"
        grouped = f"SELECT MOD(n, {GROUPS}) AS k, {counted} AS c FROM numbers GROUP BY MOD(n, {GROUPS})"
        return f"""CREATE TEMPORARY TABLE numbers (n INT)
  WITH ({source}, 'scan.startup.mode' = 'earliest-offset', 'value.format' = 'json');
CREATE TEMPORARY TABLE counts (k INT, c BIGINT, PRIMARY KEY (k) NOT ENFORCED)
  WITH ({sink}, 'key.format' = 'json', 'value.format' = 'json');
INSERT INTO counts SELECT k, {shown} FROM ({grouped});
"""

    def wanted(self, **more: object) -> dict[str, object]:
        """What the task that begins the job is given."""
        return {**self.urls, "name": self.name, "sql": self.sql(), "session": OFTEN, "from": "latest"} | more

    def counts(self) -> dict[int, int]:
        """The last count that was told of each digit, once all numbers that were sent are counted."""
        group = {"properties": self.properties, "topics": [self.name], "groupId": self.name, "maxDuration": "PT60S"}
        done(self.local.run("kafka.wait_for_group", group))
        properties = {**self.properties, "auto.offset.reset": "earliest"}
        asked = {"topic": f"{self.name}-counts", "groupId": f"{self.name}-{next(numbers)}", "valueDeserializer": "JSON"}
        found = done(self.local.run("kafka.consume", {"properties": properties, **asked}))
        rows = [json.loads(line)["value"] for line in self.local.text(str(found["uri"])).splitlines()]
        return {row["k"]: row["c"] for row in rows}

    def jobs(self) -> list[str]:
        """The ids of the jobs of the name that live."""
        with urllib.request.urlopen(f"{self.stack.jobmanager.address}/jobs/overview", timeout=30) as answer:
            found = json.load(answer)["jobs"]
        ended = ("FINISHED", "FAILED", "CANCELED")
        return [job["jid"] for job in found if job["name"] == self.name and job["state"] not in ended]

    def end(self) -> None:
        """Cancel the job, so that its slot is free."""
        self.local.run("flink.cancel", {**self.url, "name": self.name})
